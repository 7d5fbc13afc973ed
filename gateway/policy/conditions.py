"""The questions a policy can ask of a message, one class each: what it looks at, and what it answers in words.

The file before is `when.py`, which reads them from YAML; the file after is `logic.py`, which combines their answers.
Envelope questions can be answered before the content is sent; a question about the content, or about findings,
is unknown until then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum
from functools import lru_cache
from typing import ClassVar, Literal, get_args
from zoneinfo import ZoneInfo

from gateway.mail import Account, Direction, Transaction
from gateway.policy.logic import HOME_ZONE, MATCH, NO_MATCH, UNKNOWN, Answer, Known, Leaf, Scope
from gateway.policy.matchers import Matcher, shown

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Weekday, ...] = get_args(Weekday)
"""Days of the week as policies write them, in the order of `datetime.weekday`."""

NO_ACCOUNT = "none"
"""The account state of somebody whom the directory does not have."""


def _is(what: str, seen: object, wanted: object, holds: bool) -> Answer:
    """A definite answer in the words all leaves use."""
    return Answer(MATCH, f"{what} is {seen}") if holds else Answer(NO_MATCH, f"{what} is {seen}, wanted {wanted}")


def _meets(what: str, seen: object, wanted: Matcher, holds: bool) -> Answer:
    """The same where what is wanted is more than the value that is seen."""
    return Answer(MATCH, f"{what} is {seen} ({wanted})") if holds else _is(what, seen, wanted, False)


def _words(wanted: Iterable[str]) -> str:
    return " or ".join(sorted(wanted))


@dataclass(frozen=True, slots=True)
class DirectionIs(Leaf):
    """Where the mail goes, for this recipient."""

    wanted: frozenset[Direction]
    scope: ClassVar[Scope] = Scope.DIRECTION

    def test(self, known: Known) -> Answer:
        if known.direction is None:
            return Answer(UNKNOWN, "the direction depends on the recipient")
        return _direction_answer(self.wanted, known.direction)


@lru_cache(maxsize=64)
def _direction_answer(wanted: frozenset[Direction], direction: Direction) -> Answer:
    """Asked by most rules, of every message."""
    return _is("direction", direction, _words(wanted), direction in wanted)


@dataclass(frozen=True, slots=True)
class ListenerIs(Leaf):
    """By which listener the mail came in."""

    wanted: frozenset[str]

    def test(self, known: Known) -> Answer:
        return _is("listener", known.mail.listener, _words(self.wanted), known.mail.listener in self.wanted)


class ClientFact(Enum):
    """What is known of who handed the message in. A fact that is missing matches nothing but `not_in`."""

    ADDRESS = "address"
    NAME = "name"
    HELO = "helo"
    LOGIN = "login"

    def of(self, mail: Transaction) -> str:
        """The fact's text, "" where it is not known."""
        return str(getattr(mail.client, self.value))


@dataclass(frozen=True, slots=True)
class ClientIs(Leaf):
    """One fact of the client that handed the message in."""

    fact: ClientFact
    wanted: Matcher

    def test(self, known: Known) -> Answer:
        value = self.fact.of(known.mail)
        holds = self.wanted.matches((value,) if value else (), known.day)
        return _meets(f"client {self.fact.value}", shown(value) if value else "not known", self.wanted, holds)


@dataclass(frozen=True, slots=True)
class ClientUsedTls(Leaf):
    """Whether the connection was encrypted."""

    wanted: bool

    def test(self, known: Known) -> Answer:
        return _is("TLS", "on" if known.mail.client.tls else "off", "the other", known.mail.client.tls == self.wanted)


@dataclass(frozen=True, slots=True)
class ClientLoggedIn(Leaf):
    """Whether somebody logged in."""

    wanted: bool

    def test(self, known: Known) -> Answer:
        login = known.mail.client.login
        return _is("login", shown(login) if login else "none", "the other", bool(login) == self.wanted)


@dataclass(frozen=True, slots=True)
class SenderIs(Leaf):
    """The envelope's sender, MAIL FROM."""

    wanted: Matcher

    def test(self, known: Known) -> Answer:
        sender = known.mail.envelope.sender
        holds = self.wanted.matches((sender,), known.day)
        return _meets("sender", shown(sender) if sender else "<>", self.wanted, holds)


@dataclass(frozen=True, slots=True)
class RecipientIs(Leaf):
    """The recipient that is decided on. Its address is not in the words, so that recipients can share an answer."""

    wanted: Matcher
    yes: Answer = field(init=False, compare=False, repr=False)
    no: Answer = field(init=False, compare=False, repr=False)
    scope: ClassVar[Scope] = Scope.RECIPIENT

    def __post_init__(self) -> None:
        object.__setattr__(self, "yes", Answer(MATCH, f"recipient is {self.wanted}"))
        object.__setattr__(self, "no", Answer(NO_MATCH, f"recipient is not as wanted: {self.wanted}"))

    def test(self, known: Known) -> Answer:
        if known.recipient is None:
            return Answer(UNKNOWN, "the recipient is not named yet")
        return self.yes if self.wanted.matches((known.recipient.address,), known.day) else self.no


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What an account must be. What is empty is not asked."""

    state: frozenset[str] = frozenset()
    kind: frozenset[str] = frozenset()
    unit: frozenset[str] = frozenset()

    def answer(self, whose: str, account: Account | None) -> Answer:
        """Whether the account is so; somebody without one has the state `none` and neither kind nor unit."""
        if account is None:
            return _account_answer(self, whose, NO_ACCOUNT, "", "")
        return _account_answer(self, whose, account.state, account.kind, account.unit)


@lru_cache(maxsize=4096)
def _account_answer(wanted: AccountFacts, whose: str, state: str, kind: str, unit: str) -> Answer:
    """Many recipients, few kinds of accounts: one answer for all that are alike."""
    for name, value, words in (
        ("state", state, wanted.state),
        ("kind", kind, wanted.kind),
        ("unit", unit, wanted.unit),
    ):
        if words and value not in words:
            return _is(f"{whose} account {name}", value or NO_ACCOUNT, _words(words), False)
    return Answer(MATCH, f"{whose} account is {state}")


@dataclass(frozen=True, slots=True)
class AccountIs(Leaf):
    """The account of the one who sends: the login's, else the sender's if the mail was handed in from inside."""

    wanted: AccountFacts

    def test(self, known: Known) -> Answer:
        mail = known.mail
        if mail.client.login:
            return self.wanted.answer("the login's", account_of(mail, mail.client.login))
        if mail.inside and mail.envelope.sender:
            return self.wanted.answer("the sender's", account_of(mail, mail.envelope.sender))
        return Answer(NO_MATCH, "no account of ours sends this")


@dataclass(frozen=True, slots=True)
class RecipientAccountIs(Leaf):
    """The recipient's account. For recipients elsewhere there is none to speak of, and nothing matches."""

    wanted: AccountFacts
    scope: ClassVar[Scope] = Scope.RECIPIENT

    def test(self, known: Known) -> Answer:
        if known.direction is Direction.OUTBOUND:
            return Answer(NO_MATCH, "the recipient is elsewhere")
        if known.recipient is None:
            return Answer(UNKNOWN, "the recipient is not named yet")
        return self.wanted.answer("the recipient's", account_of(known.mail, known.recipient.address))


def account_of(mail: Transaction, address: str) -> Account | None:
    """The directory's entry for an address."""
    return mail.accounts.get(address.lower())


@dataclass(frozen=True, slots=True)
class SizeIs(Leaf):
    """Octets of the whole message as it arrived, encoded attachments and all."""

    wanted: Matcher
    needs_content: ClassVar[bool] = True

    def test(self, known: Known) -> Answer:
        if (mail := known.content) is None:
            return Answer(UNKNOWN, "the size is not known yet")
        return _meets("size", f"{mail.size} octets", self.wanted, self.wanted.matches((mail.size,), known.day))


@dataclass(frozen=True, slots=True)
class RecipientsAre(Leaf):
    """The number of recipients in the envelope, which is complete when the content comes."""

    wanted: Matcher
    needs_content: ClassVar[bool] = True

    def test(self, known: Known) -> Answer:
        if known.content is None:
            return Answer(UNKNOWN, "the number of recipients is not known yet")
        count = len(known.mail.envelope.recipients)
        return _meets("number of recipients", count, self.wanted, self.wanted.matches((count,), known.day))


@dataclass(frozen=True, slots=True)
class TimeIs(Leaf):
    """The hour and day at which the message came. A window past midnight belongs to the day on which it begins."""

    days: frozenset[int] = frozenset(range(7))
    start: time = time(0)
    end: time = time(0)
    zone: ZoneInfo = HOME_ZONE

    def test(self, known: Known) -> Answer:
        local = known.mail.received.astimezone(self.zone)
        return _is("time", f"{local:%a %H:%M}", self._window(), self._holds(local))

    def _holds(self, local: datetime) -> bool:
        now, today = local.time(), local.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= now < self.end
        yesterday = (local - timedelta(days=1)).weekday()
        return (today in self.days and now >= self.start) or (yesterday in self.days and now < self.end)

    def _window(self) -> str:
        days = " ".join(DAYS[day] for day in sorted(self.days))
        return f"{days} {self.start:%H:%M} to {self.end:%H:%M} {self.zone.key}"


@dataclass(frozen=True, slots=True)
class HeaderIs(Leaf):
    """The header fields of one name: whether there are any, or whether one of them has a value."""

    name: str
    wanted: Matcher | None = None
    present: bool = True
    needs_content: ClassVar[bool] = True

    def test(self, known: Known) -> Answer:
        if (mail := known.content) is None:
            return Answer(UNKNOWN, f"header {self.name} is not known yet")
        values = tuple(h.value for h in mail.root.headers if h.name.lower() == self.name.lower())
        seen = ", ".join(shown(value) for value in values[:3]) if values else "missing"
        if self.wanted is None:
            return _is(f"header {self.name}", seen, "any" if self.present else "none", bool(values) == self.present)
        return _meets(f"header {self.name}", seen, self.wanted, self.wanted.matches(values, known.day))


@dataclass(frozen=True, slots=True)
class Until(Leaf):
    """The days on which a dated entry counts."""

    last: date

    def test(self, known: Known) -> Answer:
        return Answer(MATCH if known.day <= self.last else NO_MATCH, f"it counts until {self.last}")
