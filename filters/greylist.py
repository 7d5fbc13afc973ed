"""greylist: tell what a stranger sends for the first time; a policy defers it, and who is a mail server comes again.

The file before is `gateway/pipeline.py`, which runs this; the file after is `gateway/decide.py`. What is new is who
writes from where to whom (RFC 6647 section 2): the client's network, the sender and the recipient. Only real mail that
has its answer is remembered, so `explain`, `test` and `replay` teach it nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from filters._remembered import Remembered, key_of
from gateway.mail import Mail, belongs, domain_of
from gateway.origin import network_of, within
from gateway.reply import Reply
from gateway.schema.scalars import Duration, Network
from gateway.verdict import Finding

NETWORK_OF_V4, NETWORK_OF_V6 = 24, 64
"""Prefixes: a mail service tries again from a neighbouring machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class New(Finding):
    """Somebody of the recipients is written to from there by this sender for the first time, or it is too early.
    `seconds` is how long until it is not, `recipients` for how many of them."""

    code: ClassVar[str] = "new"
    seconds: int
    recipients: int


@dataclass(frozen=True, slots=True)
class _Memory:
    """`tried` has by triplet when it came first, `passed` by triplet when it was taken last, `proven` by network and
    sender's domain how often and when last. A flood of new triplets pushes out only what was merely tried."""

    tried: Remembered = field(default_factory=Remembered)
    passed: Remembered = field(default_factory=Remembered)
    proven: Remembered = field(default_factory=Remembered)

    @property
    def tables(self) -> dict[str, Remembered]:
        """Each with the name of its file."""
        return {"tried": self.tried, "passed": self.passed, "proven": self.proven}


@dataclass(frozen=True, kw_only=True)
class Greylist:
    """Looks at mail from outside only. Where the client's address is not known it has nothing to say."""

    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (New,)

    delay: Duration = Duration(300)
    """How long a first try must lie back."""

    retry_within: Duration = Duration(2 * 86_400)
    """How long a first try is remembered; who comes later begins anew."""

    keep: Duration = Duration(35 * 86_400)
    """How long what was taken is remembered, from its last mail: longer than a month, for monthly newsletters."""

    passes: int = 5
    """Mails of a sender's domain taken from a network, the delay apart, after which all its senders may write to
    anybody from there."""

    never_networks: tuple[Network, ...] = ()
    """Networks whose mail is not looked at: partners, and services that try again from anywhere."""

    never_clients: frozenset[str] = frozenset()
    """The same by domains of clients' verified host names, subdomains included: `google.com`."""

    never_recipients: frozenset[str] = frozenset()
    """Mailboxes that cannot wait, whole addresses: an emergency line."""

    _memory: _Memory = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 < self.delay < self.retry_within:
            raise ValueError("delay must be more than 0 and less than retry_within")
        if self.passes < 1:
            raise ValueError("passes must be at least 1")
        object.__setattr__(self, "_memory", _Memory())

    async def inspect(self, mail: Mail) -> AsyncIterator[Finding]:
        """One finding for the whole mail: SMTP has one answer for all its recipients."""
        if not self._concerned(mail) or self._is_proven(mail):
            return
        waits = [wait for triplet in self._triplets(mail) if (wait := self._wait(triplet, _now(mail))) > 0]
        if waits:
            yield New(seconds=int(max(waits) + 0.999), recipients=len(waits))

    async def answered(self, mail: Mail, reply: Reply, found: Iterable[Finding]) -> list[Any] | None:
        """A try that was deferred, for whatever reason, has been made; what was taken has passed."""
        if not self._concerned(mail) or not (reply.accepted or reply.temporary):
            return None
        triplets = [triplet.hex() for triplet in self._triplets(mail)]
        lesson = [_now(mail), reply.accepted, triplets, _origin(mail).hex()]
        self.heed(lesson)
        return lesson

    def heed(self, lesson: list[Any]) -> None:
        """The moment, whether the mail was taken, its triplets, and its origin."""
        now, taken, triplets, origin = lesson
        for triplet in map(bytes.fromhex, triplets):
            if taken:
                self._memory.passed.put(triplet, (now,))
            elif not self._has_passed(triplet, now) and self._first(triplet, now) is None:
                self._memory.tried.put(triplet, (now,))
        at, count = self._proof(bytes.fromhex(origin), now)
        if taken and now - at >= self.delay:
            self._memory.proven.put(bytes.fromhex(origin), (now, count + 1))

    def inherit(self, earlier: Greylist) -> None:
        """Go on with what is known."""
        object.__setattr__(self, "_memory", earlier._memory)

    def keep_in(self, folder: Path) -> None:
        """Keep what is known in a file for each table."""
        for name, table in self._memory.tables.items():
            table.keep_in(folder / f"{name}.sqlite")

    async def save(self) -> None:
        """Write down what has changed."""
        for table in self._memory.tables.values():
            await table.save()

    def close(self) -> None:
        """Write down the rest."""
        for table in self._memory.tables.values():
            table.save_now()

    def _concerned(self, mail: Mail) -> bool:
        client = mail.client
        if mail.inside or client.login or not _network(mail) or within(client.address, self.never_networks):
            return False
        return not (client.name and belongs(f"@{client.name}", self.never_clients))

    def _triplets(self, mail: Mail) -> Iterator[bytes]:
        sender = mail.envelope.sender.lower()
        for recipient in mail.envelope.recipients:
            if (address := recipient.address.lower()) not in self.never_recipients:
                yield key_of(_network(mail), sender, address)

    def _wait(self, triplet: bytes, now: float) -> float:
        """Seconds until this may pass; 0 or less if it may now."""
        if self._has_passed(triplet, now):
            return 0.0
        first = self._first(triplet, now)
        return self.delay if first is None else first + self.delay - now

    def _has_passed(self, triplet: bytes, now: float) -> bool:
        row = self._memory.passed.get(triplet)
        return row is not None and now - row[0] <= self.keep

    def _first(self, triplet: bytes, now: float) -> float | None:
        """When it was tried first; None where it was not, or too long ago."""
        row = self._memory.tried.get(triplet)
        return row[0] if row is not None and now - row[0] <= self.retry_within else None

    def _is_proven(self, mail: Mail) -> bool:
        return self._proof(_origin(mail), _now(mail))[1] >= self.passes

    def _proof(self, origin: bytes, now: float) -> tuple[float, float]:
        """When something from there was counted last, and how often."""
        row = self._memory.proven.get(origin)
        if row is None or len(row) != 2 or now - row[0] > self.keep:
            return 0.0, 0.0
        return row[0], row[1]


def _now(mail: Mail) -> float:
    return mail.received.timestamp()


def _network(mail: Mail) -> str:
    return network_of(mail.client.address, NETWORK_OF_V4, NETWORK_OF_V6)


def _origin(mail: Mail) -> bytes:
    return key_of(_network(mail), domain_of(mail.envelope.sender))
