"""Phrases of lexicons that spoke in mail that people let go on: what an officer may weaken or exclude."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.keeping import AuditRecord
from gateway.reports.released import Fates

FILTER = "content"


@dataclass(slots=True)
class Term:
    """One phrase of a category, with the ids of the messages in which it spoke, by what became of them."""

    category: str
    phrase: str
    released: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    @property
    def share(self) -> float:
        """How much of what people decided on they let go on."""
        return len(self.released) / max(len(self.released) + len(self.refused), 1)


def misleading(found: Iterable[AuditRecord], known: Fates) -> list[Term]:
    """The phrases of mail that was released, those first that misled most."""
    terms: dict[tuple[str, str], Term] = {}
    for record in found:
        if record.id not in known.released | known.refused:
            continue
        for finding in record.facts.get("findings", ()):
            if not str(finding["code"]).startswith(f"{FILTER}."):
                continue
            category = str(finding["fields"].get("category", ""))
            for phrase in finding["fields"].get("terms", ()):
                term = terms.setdefault((category, phrase), Term(category, phrase))
                (term.released if record.id in known.released else term.refused).add(record.id)
    return sorted(
        (term for term in terms.values() if term.released),
        key=lambda one: (-one.share, -len(one.released), one.category, one.phrase),
    )
