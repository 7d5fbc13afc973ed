"""What the findings of a mail are worth together."""

from __future__ import annotations

from filters._impersonation.findings import DeceptiveLink, DisplayName, LinkMismatch, Lookalike, LureText, ReplyTo
from gateway.verdict import Finding

WEIGHTS = {
    "lookalike-own": 6.0,
    "lookalike-own-suffix": 3.0,
    "lookalike": 4.0,
    "lookalike-suffix": 1.5,
    "display_name-address": 4.0,
    "display_name-domain": 3.0,
    "display_name-organisation": 5.0,
    "display_name-person": 5.0,
    "display_name-official": 4.0,
    "display_name-support": 3.0,
    "display_name-brand": 4.0,
    "reply_to-private": 2.0,
    "reply_to": 0.5,
    "link_mismatch-official": 6.0,
    "link_mismatch-brand": 5.0,
    "link_mismatch": 1.0,
    "deceptive_link-address": 3.0,
    "deceptive_link-userinfo": 4.0,
    "deceptive_link-homograph": 5.0,
    "deceptive_link-script": 4.0,
    "deceptive_link-form": 1.5,
    "deceptive_link-shortener": 1.0,
    "deceptive_link-hosting": 1.5,
    "password_form": 5.0,
}
"""What each trick is worth, once for a mail."""

UNLINKED = 0.5
"""The share that a lure counts with nothing to click on."""


def weights(found: list[Finding]) -> dict[str, float]:
    """What the findings of a mail are worth: the heaviest of each kind counts, and of lures the heaviest theme."""
    parts: dict[str, float] = {}
    for finding in found:
        match finding:
            case LureText():
                name, weight = finding.code, finding.weight * (1 if finding.linked else UNLINKED)
            case _:
                name, weight = finding.code, WEIGHTS.get(_key(finding), 0.0)
        if weight > parts.get(name, 0.0):
            parts[name] = weight
    return parts


def _key(finding: Finding) -> str:
    """The words by which a finding is weighed."""
    match finding:
        case Lookalike():
            words = ["own"] * finding.own + ["suffix"] * (finding.by == "suffix")
        case DisplayName():
            words = [finding.shows]
        case ReplyTo():
            words = ["private"] * finding.private
        case LinkMismatch():
            words = ["official"] if finding.official else ["brand"] if finding.brand else []
        case DeceptiveLink():
            words = [finding.trick]
        case _:
            words = []
    return "-".join([finding.code, *words])
