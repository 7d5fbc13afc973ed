"""What the milter is measured against: a filter on pymilter, which is Sendmail's libmilter, that does nothing.

`/usr/bin/python3 noop.py SOCKET`, with Debian's python3-milter. It has a callback for each step that a content filter
must hear of, and each says "go on"; to the head and the body, of which a message has many pieces, no answer is awaited.
"""

from __future__ import annotations

import sys

import Milter

PATIENCE = 600
"""Seconds that it waits for the MTA."""


class Noop(Milter.Base):
    """libmilter asks the MTA for those steps that have a method here."""

    def connect(self, host: str, family: int, address: object) -> int:
        """A client."""
        return Milter.CONTINUE

    def hello(self, name: str) -> int:
        """Its greeting."""
        return Milter.CONTINUE

    def envfrom(self, sender: str, *parameters: str) -> int:
        """A message begins."""
        return Milter.CONTINUE

    def envrcpt(self, recipient: str, *parameters: str) -> int:
        """A recipient."""
        return Milter.CONTINUE

    @Milter.noreply
    def header(self, name: str, value: str) -> int:
        """A field."""
        return Milter.CONTINUE

    @Milter.noreply
    def eoh(self) -> int:
        """The end of the head."""
        return Milter.CONTINUE

    @Milter.noreply
    def body(self, piece: bytes) -> int:
        """A piece of the body."""
        return Milter.CONTINUE

    def eom(self) -> int:
        """The end."""
        return Milter.ACCEPT


if __name__ == "__main__":
    Milter.factory = Noop
    Milter.runmilter("noop", sys.argv[1], PATIENCE)
