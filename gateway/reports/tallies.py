"""What reports ask of an audit trail: numbers and a few records, never the whole of it at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol

from gateway.keeping import AuditRecord
from gateway.mail import Direction

Source = Literal["domain", "client"]
"""Where mail comes from: the domain of its sender, or the address of the machine that handed it in."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` to before `until`, both with a zone."""

    since: datetime
    until: datetime


class Sent(NamedTuple):
    """Messages that one sender handed in from inside. `account` is the login, "" where nobody logged in."""

    account: str
    sender: str
    messages: int
    last: datetime


class Received(NamedTuple):
    """Messages that were handed on to one recipient of ours. Those without a sender (bounces) do not count."""

    recipient: str
    messages: int
    last: datetime


class Daily(NamedTuple):
    """Messages of one day, one recipient each, with what was done with them."""

    day: date
    action: str
    messages: int


class Hit(NamedTuple):
    """One rule that held for one recipient of one message, in this mode (enforce, shadow)."""

    rule: str
    mode: str
    record: AuditRecord


class Tallies(Protocol):
    """A trail as reports ask it. Addresses are as they are recorded: folded, or pseudonyms. Raises StoreUnavailable."""

    def sent(self, span: Span) -> Iterator[Sent]:
        """Who handed in mail from inside that was not refused or deferred."""
        ...

    def received(self, span: Span) -> Iterator[Received]:
        """To whom mail was handed on, from inside or outside."""
        ...

    def last_used(self, address: str) -> tuple[datetime | None, datetime | None]:
        """When an address last sent and last received, as far back as the trail goes."""
        ...

    def daily(self, span: Span, direction: Direction, rules: Collection[str] = ()) -> Iterator[Daily]:
        """Messages by day of Asia/Ho_Chi_Minh and action; with `rules` those for which one of them held in force."""
        ...

    def by_rule(self, span: Span, direction: Direction, rules: Sequence[str]) -> Sequence[int]:
        """For how many messages each of these rules, one at least, held in force."""
        ...

    def sources(
        self, span: Span, direction: Direction, rules: Collection[str], source: Source, limit: int
    ) -> Sequence[tuple[str, int]]:
        """From where most of the messages came for which one of the rules held in force."""
        ...

    def hits(self, span: Span) -> Iterator[Hit]:
        """Every rule that held, in force or in shadow, oldest first."""
        ...

    def decisions(self, span: Span) -> Iterator[AuditRecord]:
        """What became of kept mail, step by step, oldest first."""
        ...

    def found(self, span: Span, filter: str) -> Iterator[AuditRecord]:
        """Records of messages in which the filter found something, oldest first."""
        ...
