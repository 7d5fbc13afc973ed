"""A policy file as it is written, and a policy as it is used: the file before is `load.py`, the next `decide.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

from gateway.errors import Problem
from gateway.mail import Account
from gateway.policy.cases import Case
from gateway.policy.custody import RETENTION, Delegate, RetentionClass
from gateway.policy.forms import Address, ListName, RuleId
from gateway.policy.names import Entry, FilterName, PolicyReader
from gateway.policy.rule import Mode, Rule, WrittenRule
from gateway.policy.when import ABSENT, Conditions
from gateway.schema.nodes import MapNode, Node, ScalarNode
from gateway.schema.reader import INVALID, Invalid, Reader
from gateway.schema.scalars import Duration, Network
from gateway.schema.shapes import Position, Record, shape_of
from gateway.verdict import Filter


class Mixed(StrEnum):
    """What happens to a message that some recipients may have and others may not: SMTP has one answer for all."""

    DELIVER_AND_QUARANTINE = "deliver-and-quarantine"
    STRICTEST = "strictest"


class Period(StrEnum):
    """How often recipients get a digest of what was kept of their mail."""

    HOURLY = "hourly"
    DAILY = "daily"


class Domain(str):
    """A domain of the organisation, in small letters."""

    NODES: ClassVar = (ScalarNode,)
    EXPECTED: ClassVar = 'a domain such as "example.gov.vn"'

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> Domain | Invalid:
        """Labels with dots between them."""
        assert isinstance(node, ScalarNode)
        text = node.text.lower()
        good = all(text.split(".")) and not any(char.isspace() or char in "@/*" for char in text)
        return cls(text) if good else reader.wrong(node, cls.EXPECTED)


class Version(str):
    """The version of the policy language: there is one so far."""

    NODES: ClassVar = (ScalarNode,)
    EXPECTED: ClassVar = "1"

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> Version | Invalid:
        """The number, as a text."""
        assert isinstance(node, ScalarNode)
        return cls(node.text) if node.text == cls.EXPECTED else reader.wrong(node, cls.EXPECTED)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """To an editor it is a number."""
        return {"enum": [int(cls.EXPECTED), cls.EXPECTED]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """Whose mail this is. A lower layer's key takes the place of the same key above."""

    domains: frozenset[Domain] = frozenset()
    """Its mail domains, with all their subdomains."""
    networks: tuple[Network, ...] = ()
    """From where it hands in mail itself."""
    directory: Path = ABSENT
    """Its accounts: a CSV file with the columns address, state (active, locked, revoked), kind, unit."""
    officers: tuple[Address, ...] = ()
    """Who gets the notices to `officer`, and who approves held mail where a rule names no approvers."""
    delegates: tuple[Delegate, ...] = ()
    """Who approves for an approver who is away, by approved dates."""
    holidays: frozenset[date] = frozenset()
    """Days without working hours."""
    digests: Period = ABSENT
    """How often recipients hear what was kept of their mail: `hourly`, `daily` (at 07:00); never if left out."""


@dataclass(frozen=True, slots=True)
class FilterOptions:
    """The options of filters, by filter and option; only those that are written."""

    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    places: Mapping[str, Position] = field(default_factory=dict)
    NODES: ClassVar = (MapNode,)
    EXPECTED: ClassVar = "a mapping of filters to their options"

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> FilterOptions | Invalid:
        """Each filter's options, by the types of the filter's own fields."""
        assert isinstance(node, MapNode)
        assert isinstance(reader, PolicyReader)
        options: dict[str, dict[str, Any] | Invalid] = {}
        for name, value in node.entries:
            if (kind := reader.names.filters.get(name.text)) is None:
                options[name.text] = reader.unknown(name, "filter", reader.names.filters)
            elif isinstance(value, ScalarNode) and value.empty:
                options[name.text] = {}
            else:
                options[name.text] = written_options(value, kind.cls, reader)
        good = {name: each for name, each in options.items() if not isinstance(each, Invalid)}
        if len(good) < len(options):
            return INVALID
        return cls(good, {name.text: reader.position(name) for name, _ in node.entries})

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """A mapping of mappings; which options a filter has is its own affair."""
        return {"type": "object", "additionalProperties": {"type": ["object", "null"]}}


def written_options(node: Node, cls: Any, reader: Reader) -> dict[str, Any] | Invalid:
    """The keys of a dataclass that are written, by field; the others may come from another layer."""
    record = shape_of(cls)
    assert isinstance(record, Record)
    if not isinstance(node, MapNode):
        return reader.wrong(node, "a mapping of options")
    values = {}
    for name, value in node.entries:
        if key := record.keys.get(name.text):
            values[key.name] = reader.read(value, key.type)
        else:
            values[name.text] = reader.unknown_key(name, node, record.keys)
    return INVALID if any(value is INVALID for value in values.values()) else values


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenException:
    """Somebody, or something, that a rule does not apply to for a time, by somebody's decision."""

    rule: RuleId
    """The rule that is not applied."""
    when: Conditions
    """For which mail."""
    approved_by: str
    """Who decided it, by role."""
    reason: str = ""
    """Why. This or `basis` must be written."""
    basis: str = ""
    """The document it rests on."""
    expires: date
    """The last day on which it counts."""
    note: str = ""
    """For people."""
    where: Position

    def __post_init__(self) -> None:
        if not self.approved_by.strip():
            raise ValueError("an exception needs somebody who approved it")
        if not (self.reason.strip() or self.basis.strip()):
            raise ValueError('an exception needs a "reason" or a "basis"')


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFile:
    """One file. The files it extends come before it; what is written here comes on top."""

    version: Version
    """The version of this language."""
    extends: tuple[Path, ...] = ()
    """The files this one builds on, relative to it, the uppermost first."""
    organisation: Organisation = field(default_factory=Organisation)
    """Whose mail this is."""
    filters: FilterOptions = field(default_factory=FilterOptions, metadata={"default": "{}"})
    """Options of filters; a filter that a rule needs and that is not named here has its defaults."""
    lists: Mapping[ListName, tuple[Entry, ...]] = field(default_factory=dict)
    """Values by the name of their list; lists of one name in several layers are one list."""
    rules: tuple[WrittenRule, ...] = ()
    """The rules, in the order in which they are told and their changes made. It decides nothing else."""
    modes: Mapping[RuleId, Mode] = field(default_factory=dict)
    """The mode of rules of this file or of those it extends, in the place of what they say themselves."""
    exceptions: tuple[WrittenException, ...] = ()
    """Who is exempt from a rule, by whose decision, until when."""
    retention: Mapping[RetentionClass, Duration] = field(default_factory=dict)
    """How long each class is kept: quarantine 30d, hold 7d, decision 366d, evidence 366d, and classes of your own."""
    rescan: tuple[FilterName, ...] = ABSENT
    """Filters that look again at kept mail before it is released; `virus` if left out and there is such a filter."""
    mixed: Mixed = ABSENT
    """A message that some may have and others not: `deliver-and-quarantine` (the default) or `strictest` for all."""
    tests: tuple[Case, ...] = ()
    """Messages and the verdict each must get. They may also stand in NAME.cases.yaml beside NAME.yaml, as a list."""


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class Policy:
    """All layers as one, checked. `digest` names exactly this content, the directory included.

    `rules` are those that are not off, in order, `early` those that may refuse before the content is sent, `unstored`
    the ids of those whose mail is kept nowhere; `filters` those that a rule may need or that have options; `retention`
    how long each class is kept; `rescan` the filters that look again before a release; `files` what was read;
    `warnings` what is no mistake yet. `bypassed` names what is suspended for a while, and `whole` is the policy without
    that (`gateway/bypass/effect.py`).
    """

    digest: str
    rules: tuple[Rule, ...]
    filters: Mapping[str, Filter]
    organisation: Organisation = field(default_factory=Organisation)
    accounts: Mapping[str, Account] = field(default_factory=dict)
    exceptions: tuple[WrittenException, ...] = ()
    mixed: Mixed = Mixed.DELIVER_AND_QUARANTINE
    retention: Mapping[str, Duration] = field(default_factory=lambda: dict(RETENTION))
    rescan: tuple[str, ...] = ()
    cases: tuple[Case, ...] = ()
    warnings: tuple[Problem, ...] = ()
    files: tuple[Path, ...] = ()
    bypassed: tuple[str, ...] = ()
    whole: Policy | None = None
    early: tuple[Rule, ...] = field(init=False)
    unstored: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "early", tuple(rule for rule in self.rules if rule.early))
        never = (rule.id.text for rule in self.rules if rule.with_.store == "never" and rule.enforced)
        object.__setattr__(self, "unstored", frozenset(never))
