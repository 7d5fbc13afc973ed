"""What the milter is measured against: a filter on pymilter, which is Sendmail's libmilter, that does nothing.

`/usr/bin/python3 noop.py SOCKET`, with Debian's python3-milter. It has a callback for each step that a content filter
must hear of, and each says "go on"; to the head and the body, of which a message has many pieces, nobody waits for it.
"""

from __future__ import annotations

import sys

import Milter

ALIVE_SECONDS = 600


class Noop(Milter.Base):
    """libmilter asks the MTA for those steps that have a method here."""

    def connect(self, host: str, family: int, address: object) -> int:
        return Milter.CONTINUE

    def hello(self, name: str) -> int:
        return Milter.CONTINUE

    def envfrom(self, sender: str, *parameters: str) -> int:
        return Milter.CONTINUE

    def envrcpt(self, recipient: str, *parameters: str) -> int:
        return Milter.CONTINUE

    @Milter.noreply
    def header(self, name: str, value: str) -> int:
        return Milter.CONTINUE

    @Milter.noreply
    def eoh(self) -> int:
        return Milter.CONTINUE

    @Milter.noreply
    def body(self, piece: bytes) -> int:
        return Milter.CONTINUE

    def eom(self) -> int:
        return Milter.ACCEPT


class Nothing(Milter.Base):
    pass


if __name__ == "__main__":
    Milter.factory = Nothing if len(sys.argv) > 2 else Noop
    Milter.runmilter("noop", sys.argv[1], ALIVE_SECONDS)
