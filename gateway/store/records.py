"""An audit record as the trail keeps it: canonical JSON, and the columns by which it is found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.keeping import AuditRecord, Written, canonical
from gateway.store.text import clipped, folded

ADDRESSES = ("sender", "recipient", "account")
"""Facts with a column of their own that are compared without case."""

WORDS = ("direction", "action")
"""Facts with a column of their own that are words of ours."""

SHARED = "answers"
"""The fact that is most of a record and the same in very many. It stands beside the others, in front of everything, so
that its text can be put there without a look."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The values by which a record is found; "" where it has no such fact."""

    event: str
    id: str
    sender: str = ""
    recipient: str = ""
    account: str = ""
    direction: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """One row of the trail. `content` is None once it has expired; then `columns` is None too."""

    number: int
    moment: int
    retention: str
    columns: Columns | None
    content: str | None
    digest: bytes
    hash: bytes


def content_of(record: AuditRecord) -> str:
    """The record as canonical JSON: keys sorted, no spaces, ASCII, so that equal records are equal bytes.

    Raises TypeError or ValueError for facts that are not plain JSON values.
    """
    fields = {
        "id": record.id,
        "moment": record.moment.astimezone(UTC).isoformat(),
        "event": record.event,
        "retention": record.retention,
        "facts": record.facts,
    }
    if SHARED not in record.facts:
        return canonical(fields)
    fields["facts"] = {name: value for name, value in record.facts.items() if name != SHARED}
    shared = record.facts[SHARED]
    text = shared.text if isinstance(shared, Written) else canonical(shared)
    return f'{{"{SHARED}":{text},{canonical(fields)[1:]}'


def record_of(content: str) -> AuditRecord:
    """The record of that content. Raises KeyError, TypeError or ValueError for what is not one."""
    fields: dict[str, Any] = json.loads(content)
    if SHARED in fields:
        fields["facts"][SHARED] = fields.pop(SHARED)
    return AuditRecord(**fields | {"moment": datetime.fromisoformat(fields["moment"])})


def columns_of(record: AuditRecord) -> tuple[Columns, tuple[str, ...]]:
    """The record's columns, and its rules in order. `rules` of the facts are ids, or mappings with an `id`."""
    facts = record.facts
    columns = Columns(
        clipped(record.event),
        clipped(record.id),
        *[folded(_text(facts.get(name))) for name in ADDRESSES],
        *[clipped(_text(facts.get(name))) for name in WORDS],
    )
    rules = facts.get("rules")
    named = {_rule(rule) for rule in rules} if rules and isinstance(rules, (list, tuple)) else set()
    return columns, tuple(sorted(named - {""}))


def holds(record: AuditRecord, name: str, value: str) -> bool:
    """True if the record has that fact, for facts without a column; columns have been compared already."""
    if name in ("event", "id", "rule", *ADDRESSES, *WORDS):
        return True
    fact = record.facts.get(name)
    return fact == value if isinstance(fact, str) else name in record.facts and json.dumps(fact) == value


def _rule(rule: object) -> str:
    return clipped(_text(rule.get("id") if isinstance(rule, Mapping) else rule))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
