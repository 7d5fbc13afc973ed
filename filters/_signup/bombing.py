"""Which mailbox is being bombed with sign-up mail: how many services wrote to it of late, one row for each mailbox.

Somebody types an address into hundreds of forms, and each service does what it does for everybody. No single mail is
odd; that so many services write to one mailbox is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from filters._remembered import Row, key_of
from gateway.mail import Direction, Mail

MAILBOXES = 10_000
"""Mailboxes that are remembered, those that got sign-up mail last: more than get any in an hour. 43 MB if all of them
are bombed at once, 3 MB where each has one service an hour."""

EACH = 32
"""Services of one mailbox that are remembered of each sort, the latest. More are a bombing by any measure."""

A_NEWSLETTER_IS = 1 / 3
"""How much a service that has sent newsletters only counts: many a mailbox has a dozen of them each morning."""

MOST_RECIPIENTS = 20
"""A service answers to the one address that was typed into its form: mail to more recipients is not looked at."""


Sort = Literal["registration", "newsletter"]


def mailboxes(mail: Mail) -> Iterator[tuple[str, bytes]]:
    """The organisation's recipients as they stand in the envelope, with the keys of their mailboxes.

    What is behind a "+" leads to the same mailbox (RFC 5233).
    """
    recipients = mail.envelope.recipients
    for recipient in recipients if len(recipients) <= MOST_RECIPIENTS else ():
        if recipient.address and mail.direction(recipient) is Direction.INBOUND:
            local, at, domain = recipient.address.lower().rpartition("@")
            yield recipient.address, key_of(local.partition("+")[0] + at + domain)


@dataclass(frozen=True, slots=True)
class Recent:
    """The services that wrote to one mailbox within `window` seconds, by number, each with when it did last: about a
    registration, or with newsletters only."""

    window: float
    registrations: Mapping[float, float] = field(default_factory=dict)
    newsletters: Mapping[float, float] = field(default_factory=dict)

    @classmethod
    def at(cls, row: Row | None, window: float, now: float) -> Recent:
        """What a row says now. In a row each number is followed by its time; negative ones have sent newsletters."""
        pairs = zip(row[::2], row[1::2], strict=False) if row is not None else ()
        # A clock that was set back leaves what was just now before it.
        recent = [(service, at) for service, at in pairs if abs(now - at) < window]
        return cls(
            window,
            {service: at for service, at in recent if service > 0},
            {-service: at for service, at in recent if service < 0},
        )

    def after(self, sort: Sort, number: float, now: float) -> Recent:
        """The same with a mail of the service with this number, now. Who has sent a registration is known for that."""
        registrations, newsletters = dict(self.registrations), dict(self.newsletters)
        newsletters.pop(number, None)
        before = registrations.pop(number, None)
        (newsletters if sort == "newsletter" and before is None else registrations)[number] = now
        return Recent(self.window, registrations, newsletters)

    @property
    def services(self) -> int:
        """How many there are."""
        return len(self.registrations) + len(self.newsletters)

    @property
    def weight(self) -> float:
        """How many there are, newsletters counted as what they tell."""
        return len(self.registrations) + len(self.newsletters) * A_NEWSLETTER_IS

    @property
    def row(self) -> Row:
        """The row."""
        kept = list(self.registrations.items())[-EACH:]
        kept += [(-service, at) for service, at in list(self.newsletters.items())[-EACH:]]
        return tuple(value for pair in kept for value in pair)


def number_of(service: str) -> float:
    """A number for a service, above 0, that a float holds exactly."""
    return float(int.from_bytes(hashlib.blake2b(service.encode("utf-8", "replace"), digest_size=6).digest()) + 1)
