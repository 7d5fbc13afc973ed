"""Names and their records in a table, in the place of the DNS; and a letter to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.dns.answers import NOTHING, Answer, Kind, LookupFailed
from gateway.dns.names import is_name

Records = Mapping[str, Sequence[str]]
"""The records of one name by kind; "TIMEOUT" as a kind: whatever else is asked of it, nobody answers."""


@dataclass
class Zone:
    """A resolver that knows these names and no other; `asked` is what it was asked."""

    names: Mapping[str, Records]
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def lookup(self, name: str, kind: Kind) -> Answer:
        name = name.lower().rstrip(".")
        self.asked.append((name, kind.value))
        if not is_name(name):
            return NOTHING
        for _ in range(8):
            records = self.names.get(name)
            if records is None or "CNAME" not in records:
                break
            [name] = records["CNAME"]
        if records is None:
            below = any(each.endswith(f".{name}") for each in self.names)
            return Answer(exists=below)
        if kind not in records and "TIMEOUT" in records:
            raise LookupFailed(f"{kind} {name}: no answer in time")
        return Answer(tuple(records.get(kind, ())))


def txt(**names: str) -> dict[str, Records]:
    """A zone of TXT records; underscores before a label stay, two inside a name are a dot."""
    return {name.replace("__", "."): {"TXT": [text]} for name, text in names.items()}
