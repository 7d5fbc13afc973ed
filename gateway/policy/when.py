"""How conditions are written, and the conditions they become: the file before is the policy, the next `conditions.py`.

Each class here is one mapping of the policy language: its fields are the keys, the text below a field is its line in
the reference. Keys of one mapping all have to hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import time
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.mail import Direction
from gateway.policy import conditions as ask
from gateway.policy.fields import read_field
from gateway.policy.found import Found
from gateway.policy.logic import ALWAYS, HOME_ZONE, All, Condition, Not, Some
from gateway.policy.matchers import Contains, Matcher, Matching
from gateway.policy.names import FindingName, PolicyReader
from gateway.policy.values import Addresses, Amount, Hosts, NetworkValues, Words
from gateway.schema.nodes import MapNode, Node, ScalarNode
from gateway.schema.pattern import Pattern
from gateway.schema.reader import INVALID, Invalid, Reader
from gateway.schema.shapes import Position

ABSENT: Any = None
"""The default of a key that may be left out. Its type does not take None, so that an empty key is a problem."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone of the IANA database."""

    info: ZoneInfo
    NODES: ClassVar = (ScalarNode,)
    EXPECTED: ClassVar = 'a time zone such as "Asia/Ho_Chi_Minh"'

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> Zone | Invalid:
        """The zone of that name."""
        assert isinstance(node, ScalarNode)
        try:
            return cls(ZoneInfo(node.text))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return reader.wrong(node, cls.EXPECTED)

    def __str__(self) -> str:
        return self.info.key


@dataclass(frozen=True, slots=True)
class HeaderName:
    """The name of a header field (RFC 5322 section 2.2), without the colon."""

    text: str
    NODES: ClassVar = (ScalarNode,)
    EXPECTED: ClassVar = 'the name of a header field such as "X-Spam-Flag"'

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> HeaderName | Invalid:
        """Printable US-ASCII but the colon."""
        assert isinstance(node, ScalarNode)
        good = node.text and all("!" <= char <= "~" and char != ":" for char in node.text)
        return cls(node.text) if good else reader.wrong(node, cls.EXPECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientWanted:
    """Who hands the message in: the client that a trusted peer named, else the peer itself."""

    address: NetworkValues = ABSENT
    """Its IP address."""
    name: Hosts = ABSENT
    """Its verified host name."""
    helo: Hosts = ABSENT
    """What it called itself in HELO or EHLO."""
    login: Words = ABSENT
    """The user who logged in."""
    logged_in: bool = ABSENT
    """Whether anybody logged in."""
    tls: bool = ABSENT
    """Whether the connection is encrypted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountWanted:
    """A mailbox of the organisation, as the directory has it."""

    state: frozenset[Literal["active", "locked", "revoked", "none"]] = frozenset()
    """The state of the account; `none` is an address that the directory does not have."""
    kind: frozenset[str] = frozenset()
    """What sort of account it is, in the directory's own words."""
    unit: frozenset[str] = frozenset()
    """The unit it belongs to, in the directory's own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWanted:
    """Days and hours at which the message comes. A window past midnight belongs to the day on which it begins."""

    days: frozenset[ask.Weekday] = field(default=frozenset(ask.DAYS), metadata={"default": "all"})
    """Days of the week."""
    start: time = field(default=time(0), metadata={"key": "from"})
    """The first minute."""
    end: time = field(default=time(0), metadata={"key": "to"})
    """The minute at which the window is over."""
    zone: Zone = Zone(HOME_ZONE)
    """The time zone of days and hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderWanted:
    """The header fields of one name: exactly one of the four questions beside `name`."""

    name: HeaderName
    """The field's name, in any case."""
    matches: Pattern = ABSENT
    """One of the fields has a value in which this RE2 pattern is found."""
    contains: str = ABSENT
    """One of the fields has a value with this text in it, in any case."""
    exists: Literal["yes", "true"] = ABSENT
    """There is such a field."""
    missing: Literal["yes", "true"] = ABSENT
    """There is no such field."""

    def __post_init__(self) -> None:
        asked = sum(value is not None for value in (self.matches, self.contains, self.exists, self.missing))
        if asked != 1:
            raise ValueError('must have "name" and one of "matches", "contains", "exists", "missing"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What must be so. All keys of one mapping have to hold; `any` and `not` are for the rest."""

    direction: frozenset[Direction] = ABSENT
    """Where the mail goes: from outside to us, from us to outside, among us. Decided for each recipient."""
    listener: frozenset[str] = ABSENT
    """The name of the listener it came in by."""
    client: ClientWanted = ABSENT
    """Who hands it in."""
    sender: Addresses = ABSENT
    """The envelope's sender (MAIL FROM)."""
    recipient: Addresses = ABSENT
    """The recipient that is decided on (RCPT TO)."""
    account: AccountWanted = ABSENT
    """The account of the one who sends: the login's, else the sender's if the mail was handed in from inside."""
    recipient_account: AccountWanted = ABSENT
    """The recipient's account. Recipients outside have none that matches."""
    size: Amount = ABSENT
    """Octets of the whole message as it arrives. Encoded attachments are a third larger than their files."""
    recipients: Amount = ABSENT
    """The number of recipients."""
    time: TimeWanted = ABSENT
    """When it comes."""
    header: HeaderWanted = ABSENT
    """A header field of the message."""
    found: tuple[FindingName, ...] = ABSENT
    """What a filter must have found: one kind of finding, or one of several. Unknown if the filter could not look."""
    where: MapNode = ABSENT
    """Fields of the finding, each with what is wanted of it; one finding must meet them all. Needs `found`."""
    min_count: int = ABSENT
    """How many such findings there must be; 1 if left out. Needs `found`."""
    all: tuple[Conditions, ...] = ABSENT
    """Every one of these."""
    any: tuple[Conditions, ...] = ABSENT
    """At least one of these."""
    not_: Conditions = field(default=ABSENT, metadata={"key": "not"})
    """The opposite of this. What is unknown stays unknown."""
    position: Position


When = Literal["always"] | Conditions
"""The conditions of a rule, or the word `always`."""


def condition_of(written: When, reader: PolicyReader) -> Condition | Invalid:
    """The condition that is written, with every problem of its findings' fields noted."""
    if not isinstance(written, Conditions):
        return ALWAYS
    parts = list(_parts(written, reader))
    if not parts:
        return reader.problem_at(
            written.position, 'no condition is written here; a rule for all mail says "when: always"'
        )
    good = [part for part in parts if not isinstance(part, Invalid)]
    if len(good) < len(parts):
        return INVALID
    return good[0] if len(good) == 1 else All(tuple(good))


def directions_of(written: When) -> frozenset[Direction]:
    """The directions that a condition can hold for, as far as its own words tell."""
    if not isinstance(written, Conditions):
        return frozenset(Direction)
    possible = frozenset(Direction) if written.direction is None else written.direction
    for part in written.all or ():
        possible &= directions_of(part)
    if written.any:
        possible &= frozenset().union(*(directions_of(part) for part in written.any))
    return possible


def finding_names(written: When) -> frozenset[FindingName]:
    """The findings that can make a condition hold; those it denies are not among them."""
    if not isinstance(written, Conditions):
        return frozenset()
    below = (finding_names(part) for part in (*(written.all or ()), *(written.any or ())))
    return frozenset(written.found or ()).union(*below)


def mappings_of(written: When) -> Iterator[Conditions]:
    """The mapping of a condition and every one inside it."""
    if isinstance(written, Conditions):
        yield written
        inner = (*(written.all or ()), *(written.any or ()), *((written.not_,) if written.not_ else ()))
        for part in inner:
            yield from mappings_of(part)


def _parts(written: Conditions, reader: PolicyReader) -> Iterator[Condition | Invalid]:
    """The conditions of one mapping, the cheap ones first."""
    for name in ("direction", "listener", "found", "all", "any"):
        if getattr(written, name) in ((), frozenset()):
            yield reader.problem_at(written.position, f'"{name}" is an empty list: it would never hold')
    if written.direction:
        yield ask.DirectionIs(written.direction)
    if written.listener:
        yield ask.ListenerIs(written.listener)
    if written.client is not None:
        yield from _client(written.client, written.position, reader)
    if written.sender is not None:
        yield ask.SenderIs(written.sender.matcher)
    if written.account is not None:
        yield _account(written.account, ask.AccountIs, written.position, reader)
    if written.recipient is not None:
        yield ask.RecipientIs(written.recipient.matcher)
    if written.recipient_account is not None:
        yield _account(written.recipient_account, ask.RecipientAccountIs, written.position, reader)
    if written.size is not None:
        yield ask.SizeIs(written.size.matcher)
    if written.recipients is not None:
        yield ask.RecipientsAre(written.recipients.matcher)
    if written.time is not None:
        yield _time(written.time, written.position, reader)
    if written.header is not None:
        yield _header(written.header)
    yield from _found(written, reader)
    for kind, several in ((All, written.all), (Some, written.any)):
        if several:
            inner = [condition_of(part, reader) for part in several]
            good = tuple(part for part in inner if not isinstance(part, Invalid))
            yield kind(good) if len(good) == len(inner) else INVALID
    if written.not_ is not None:
        denied = condition_of(written.not_, reader)
        yield INVALID if isinstance(denied, Invalid) else Not(denied)


def _client(written: ClientWanted, position: Position, reader: PolicyReader) -> Iterator[Condition | Invalid]:
    if written == ClientWanted():
        yield reader.problem_at(position, '"client" is empty: it asks nothing')
    for fact in ask.ClientFact:
        if (wanted := getattr(written, fact.value)) is not None:
            yield ask.ClientIs(fact, wanted.matcher)
    if written.logged_in is not None:
        yield ask.ClientLoggedIn(written.logged_in)
    if written.tls is not None:
        yield ask.ClientUsedTls(written.tls)


def _account(
    written: AccountWanted,
    kind: type[ask.AccountIs] | type[ask.RecipientAccountIs],
    position: Position,
    reader: PolicyReader,
) -> Condition | Invalid:
    if written == AccountWanted():
        return reader.problem_at(position, "an account condition is empty: it asks nothing")
    return kind(ask.AccountFacts(frozenset(written.state), written.kind, written.unit))


def _time(written: TimeWanted, position: Position, reader: PolicyReader) -> Condition | Invalid:
    if not written.days:
        return reader.problem_at(position, '"days" is an empty list: it would never hold')
    days = frozenset(ask.DAYS.index(day) for day in written.days)
    return ask.TimeIs(days, written.start, written.end, written.zone.info)


def _header(written: HeaderWanted) -> Condition:
    if written.matches is not None:
        return ask.HeaderIs(written.name.text, Matching(written.matches))
    if written.contains is not None:
        return ask.HeaderIs(written.name.text, Contains(written.contains))
    return ask.HeaderIs(written.name.text, present=written.exists is not None)


def _found(written: Conditions, reader: PolicyReader) -> Iterator[Condition | Invalid]:
    if not written.found:
        for name in ("where", "min_count"):
            if getattr(written, name) is not None:
                yield reader.problem_at(written.position, f'"{name}" needs "found" beside it')
        return
    count = 1 if written.min_count is None else written.min_count
    if count < 1:
        yield reader.problem_at(written.position, '"min_count" must be 1 or more')
    where: dict[str, Matcher] = {}
    for key, node in written.where.entries if written.where is not None else ():
        matcher = read_field(key, node, written.found, reader)
        if isinstance(matcher, Invalid):
            yield INVALID
        else:
            where[key.text] = matcher
    yield Found(tuple((name.filter, name.code) for name in written.found), where, count)
