"""The seal on our own canaries: by it the gateway knows that a message is one, and nobody else can make it.

A message that bears it is decided as every other and never goes on, so a stranger who could make one could have mail
thrown away, and one who could lift it off a canary too. It is a code over the whole message and the listener, with a
key that is in the state folder alone; it counts for a minute; and it is never sent anywhere but to ourselves.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.canary import Canary
from gateway.mail import Raw
from gateway.reply import Reply
from gateway.verdict import Action, Truth, Verdict

FIELD = b"X-Mailwarden-Probe: "
"""It is the very first line: whoever hands mail on puts his own in front, and then it is no canary any more."""

FRESH = 60
"""Seconds for which it counts: a message's own deadline."""

SIZE_LIMIT = 16 * 1024
"""Octets of a canary: others are not even looked at, so that a stranger's imitation costs nothing."""

KNOWN = "Probe"

_SEAL = re.compile(rb"X-Mailwarden-Probe: ([a-z]{1,16}); t=([0-9]{1,12}); mac=([0-9a-f]{64})\r\n")
_ANSWER = re.compile(rf"{KNOWN} action=([a-z]+) sure=(yes|no)")


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided of a canary. `sure`: by what was found, and not because somebody could not look."""

    action: Action
    sure: bool


@dataclass(frozen=True, slots=True)
class Seals:
    """Makes and knows seals with a key; with an empty one neither."""

    key: bytes = field(repr=False)

    def put_on(self, message: bytes, listener: str, canary: Canary, moment: float) -> bytes:
        """The message with our seal in front, for this listener."""
        seconds = int(moment)
        mac = self._mac(listener, canary.value, seconds, message).hex()
        return b"%s%s; t=%d; mac=%s\r\n%s" % (FIELD, canary.value.encode(), seconds, mac.encode(), message)

    def reader(self, listener: str, clock: Callable[[], float] = time.time) -> Callable[[Raw], Canary | None]:
        """What tells of a message at this listener which canary of ours it is; None for all other mail."""
        return lambda raw: self.canary_of(raw, listener, clock())

    def canary_of(self, raw: Raw, listener: str, moment: float) -> Canary | None:
        """Which canary of ours the message is; None for all other mail, whatever it says of itself."""
        if not self.key or len(raw) > SIZE_LIMIT or raw[: len(FIELD)] != FIELD:
            return None
        whole = raw[:]
        found = _SEAL.match(whole)
        if found is None or abs(moment - int(found[2])) > FRESH:
            return None
        name = found[1].decode()
        mac = self._mac(listener, name, int(found[2]), whole[found.end() :])
        return Canary(name) if hmac.compare_digest(mac, bytes.fromhex(found[3].decode())) else None

    def _mac(self, listener: str, name: str, seconds: int, message: bytes) -> bytes:
        about = repr((listener, name, seconds)).encode() + b"\n"
        return hmac.digest(self.key, about + hashlib.sha256(message).digest(), "sha256")


def nobody_seals(raw: Raw) -> Canary | None:
    """`canary_of` where there is no key: there are no canaries."""
    return None


def answer(verdict: Verdict) -> Reply:
    """What the client of a canary hears of the decision, which is all that becomes of it."""
    stops = [rule.result for rule, action in verdict.asked if rule.mode == "enforce" and action >= Action.HOLD]
    sure = not stops or Truth.MATCH in stops
    return Reply(250, "0.0", f"{KNOWN} action={verdict.action.word} sure={'yes' if sure else 'no'}")


def decided(reply: Reply) -> Decided | None:
    """What such an answer says; None for any other."""
    found = _ANSWER.match(reply.text) if reply.accepted else None
    if found is None or found[1].upper() not in Action.__members__:
        return None
    return Decided(Action[found[1].upper()], found[2] == "yes")

