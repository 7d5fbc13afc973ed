"""Services that the catalogue does not know and whose sign-up mail came: what could be put into it, from the trail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.keeping import AuditRecord

FILTER = "signup"

ACCOUNT_MAIL = frozenset(
    {"verification", "welcome", "one_time_code", "password_reset", "security_notice", "newsletter_confirmation"}
)


@dataclass(slots=True)
class Stranger:
    """One domain that sends sign-up mail and is in no catalogue: messages, to how many addresses, what kinds, what
    category its names suggest, and when."""

    domain: str
    first: datetime
    last: datetime
    messages: int = 0
    recipients: set[str] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)
    category: str = "unknown"

    @property
    def mail(self) -> str:
        """What it sends, in the words of the catalogue."""
        account = any(kind in ACCOUNT_MAIL for kind in self.kinds)
        other = [kind for kind in self.kinds if kind not in ACCOUNT_MAIL]
        if account:
            return "any" if other else "account"
        return "promo" if set(other) == {"newsletter"} else "notify"

    def entry(self) -> str:
        """An entry of the catalogue to start from, as YAML."""
        name = self.domain.partition(".")[0]
        category = self.category if self.category != "unknown" else "saas"
        guess = "" if self.category != "unknown" else "  # a guess"
        return (
            f"  {name}: {{name: {self.domain}, category: {category}, web: [{self.domain}],\n"
            f"    from: [{{domain: {self.domain}, mail: {self.mail}, confidence: high}}]}}{guess}"
        )


def strangers(records: Iterable[AuditRecord]) -> list[Stranger]:
    """The domains of the records, most messages first."""
    found: dict[str, Stranger] = {}
    for record in records:
        for finding in record.facts.get("findings", ()):
            fields = _unknown(finding)
            if fields is None or not (domain := str(fields.get("service") or "")):
                continue
            each = found.setdefault(domain, Stranger(domain, record.moment, record.moment))
            each.messages += 1
            each.first, each.last = min(each.first, record.moment), max(each.last, record.moment)
            each.recipients.add(str(record.facts.get("recipient", "")))
            each.kinds[str(finding["code"]).partition(".")[2]] += 1
            if each.category == "unknown":
                each.category = str(fields.get("category") or "unknown")
    return sorted(found.values(), key=lambda each: (-each.messages, each.domain))


def _unknown(finding: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The fields of a finding about a service that is in no catalogue; None for any other."""
    fields: Mapping[str, Any] = finding.get("fields", {})
    return fields if str(finding["code"]).startswith(f"{FILTER}.") and fields.get("known") is False else None
