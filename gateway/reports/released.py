"""What became of kept mail: what people let go on was a false alarm, what they refused or deleted was none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.keeping import AuditRecord


@dataclass(frozen=True, slots=True)
class Fates:
    """Mail that people decided on, by message id. What only ran out of time is neither."""

    released: frozenset[str]
    refused: frozenset[str]


def fates(decisions: Iterable[AuditRecord]) -> Fates:
    """The words of `action` are those of `gateway/custody/steps.py`."""
    steps: dict[str, set[str]] = defaultdict(set)
    for record in decisions:
        steps[record.id].add(str(record.facts.get("action", "")))
    decided = {id: done for id, done in steps.items() if "expired" not in done}
    return Fates(
        released=frozenset(id for id, done in decided.items() if done & {"released", "approved", "confirmed"}),
        refused=frozenset(id for id, done in decided.items() if done & {"rejected", "deleted"}),
    )
