"""What a rule says of mail that the gateway keeps: who approves it, how long it waits, what then becomes of it.

Each dataclass here is one mapping of the policy language. What is done with kept mail is in `gateway/custody/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, ClassVar, Literal

from gateway.policy.forms import Address, ListName
from gateway.policy.names import PolicyReader
from gateway.schema.nodes import ListNode, MapNode, Node, ScalarNode, quote
from gateway.schema.reader import INVALID, Invalid, Reader
from gateway.schema.scalars import Duration
from gateway.schema.shapes import Position

DAY = 86_400.0
"""Seconds of a day."""

RETENTION: Mapping[str, Duration] = {
    "quarantine": Duration(30 * DAY),
    "hold": Duration(7 * DAY),
    "decision": Duration(366 * DAY),
    "evidence": Duration(366 * DAY),
}
"""How long each class is kept if the policy says nothing: quarantine and hold are classes of kept mail, decision and
evidence of audit records (regulations 1.6: twelve months)."""

RECORDS = ("decision", "evidence")
"""The classes of audit records."""

LEAST_RECORD = Duration(184 * DAY)
"""Audit records are kept six months at least (gialai-2022 article 7.2); the longest six months of a year."""

LEAST_MAIL = Duration(3_600)
"""Kept mail waits an hour at least, so that somebody can be told of it."""

MOST_APPROVERS = 50
"""Approvers of one rule: each gets a notice of each message."""


class RetentionClass(ListName):
    """The name of a class of things that are kept for the same time."""

    __slots__ = ()
    EXPECTED = 'a class in small letters, digits and hyphens such as "quarantine"'


@dataclass(frozen=True, slots=True)
class RetentionName:
    """A class of retention that the policy has."""

    text: str
    NODES: ClassVar = (ScalarNode,)
    EXPECTED: ClassVar = "the name of a class of retention"

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> RetentionName | Invalid:
        """One of the built-in classes, or of those under `retention` in some layer."""
        assert isinstance(node, ScalarNode)
        assert isinstance(reader, PolicyReader)
        known = dict.fromkeys((*RETENTION, *reader.names.retention))
        return cls(node.text) if node.text in known else reader.unknown(node, "class of retention", known)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Which classes there are is the policy's own affair."""
        return {"type": "string"}

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Approvers:
    """Who may approve, in small letters, each with the last day on which he may."""

    until: Mapping[str, date] = field(hash=False)
    NODES: ClassVar = (ScalarNode, ListNode, MapNode)
    EXPECTED: ClassVar = "mail addresses, or {in: LIST}"

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> Approvers | Invalid:
        """One address, a list of addresses, or the list that is named."""
        assert isinstance(reader, PolicyReader)
        if isinstance(node, MapNode):
            until = _listed(node, reader)
        else:
            read = reader.read(node, tuple[Address, ...])
            until = read if isinstance(read, Invalid) else {each.text.lower(): date.max for each in read}
        if isinstance(until, Invalid):
            return INVALID
        if not until:
            return reader.problem(node, f"{node.place}: an empty list approves nothing")
        if len(until) > MOST_APPROVERS:
            return reader.problem(node, f"{node.place}: more than {MOST_APPROVERS} approvers")
        return cls(until)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The three ways, for editors."""
        listed = {"type": "array", "minItems": 1, "items": {"type": "string"}}
        named = {"type": "object", "required": ["in"], "maxProperties": 1, "properties": {"in": {"type": "string"}}}
        return {"anyOf": [{"type": "string"}, listed, named]}

    def on(self, day: date) -> tuple[str, ...]:
        """Those who may approve on that day."""
        return tuple(address for address, last in self.until.items() if day <= last)


def _listed(node: MapNode, reader: PolicyReader) -> Mapping[str, date] | Invalid:
    for key, _ in node.entries:
        if key.text != "in":
            return reader.unknown_key(key, node, ("in",))
    named = node.get("in")
    if named is None:
        return reader.missing_key(node, "in")
    if not isinstance(named, ScalarNode):
        return reader.wrong(named, "the name of a list")
    entries = reader.list_named(named)
    if isinstance(entries, Invalid):
        return INVALID
    until: dict[str, date] = {}
    for entry in entries:
        if not Address.FORM.fullmatch(entry.value):
            said = f"list {quote(named.text)} is used here for mail addresses, but has {quote(entry.value)}"
            return reader.problem(named, f"{said} at {entry.where}")
        until[entry.value.lower()] = max(entry.expires, until.get(entry.value.lower(), date.min))
    return until


@dataclass(frozen=True, slots=True, kw_only=True)
class Expires:
    """When a kept message has waited long enough, and what then becomes of it."""

    after: Duration
    """How long after it came. In working hours `3d` are three working days, `4h` four working hours."""
    then: Literal["reject", "release", "delete"]
    """`reject`: its inside sender is told that it was not sent. `release`: it goes on. `delete`: nobody is told."""
    working_hours: bool = False
    """Count Monday to Friday 08:00-17:00 in Asia/Ho_Chi_Minh only, without `organisation.holidays`."""
    where: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """A second notice about mail that nobody has decided on."""

    after: Duration
    """How long after it came."""
    to: tuple[Address, ...] = ()
    """Who is reminded; the approvers who have not answered if left out."""
    working_hours: bool = False
    """Count working hours only, as for `expires`."""
    where: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """Who is asked as well when the approvers have not answered."""

    after: Duration
    """How long after it came."""
    to: tuple[Address, ...]
    """Who may from then on approve in the place of an approver who has not."""
    working_hours: bool = False
    """Count working hours only, as for `expires`."""
    where: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegate:
    """Somebody who approves for an approver for a time; never his own mail, and never the approver's."""

    approver: Address
    """For whom."""
    delegate: Address
    """Who."""
    start: date = field(metadata={"key": "from"})
    """The first day."""
    until: date
    """The last day."""
    where: Position

    def __post_init__(self) -> None:
        if self.start > self.until:
            raise ValueError('"from" is after "until"')
        if self.approver.text.lower() == self.delegate.text.lower():
            raise ValueError("nobody is his own delegate")


def retention_problem(name: str, kept: Duration) -> str:
    """What is wrong with keeping a class for that long, "" if nothing is."""
    if name in RECORDS and kept < LEAST_RECORD:
        return f'class "{name}" is of audit records, which are kept {LEAST_RECORD / DAY:.0f}d at least'
    if kept < LEAST_MAIL:
        return f'class {quote(name)} must be kept {LEAST_MAIL / 3_600:.0f}h at least'
    return ""


def records_kept(retention: Mapping[str, Duration]) -> dict[str, timedelta]:
    """How long the audit records of each of their classes are kept."""
    return {name: timedelta(seconds=retention[name]) for name in RECORDS}


def active_delegates(delegates: Iterable[Delegate], day: date) -> dict[str, frozenset[str]]:
    """Those for whom each delegate may act on that day, by the delegate, all in small letters."""
    acting: dict[str, frozenset[str]] = {}
    for each in delegates:
        if each.start <= day <= each.until:
            name = each.delegate.text.lower()
            acting[name] = acting.get(name, frozenset()) | {each.approver.text.lower()}
    return acting
