"""How conditions are written: the file before is the policy, the file after `questions.py`, which reads them.

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
from gateway.policy.logic import HOME_ZONE
from gateway.policy.names import FindingName
from gateway.policy.values import Addresses, Amount, Hosts, NetworkValues, Words
from gateway.schema.nodes import MapNode, Node, ScalarNode
from gateway.schema.pattern import Pattern
from gateway.schema.reader import Invalid, Reader
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
    exists: bool = ABSENT
    """Whether there is such a field."""
    missing: bool = ABSENT
    """Whether there is none."""

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
