"""Markings of State secrets: whether each is found with its level, and whether unmarked mail has none."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from reading import entries, reports
from scoring import Score

from filters.secret_marks import SecretMarks

GROUPS = {
    "secret": {"secret_marked", "not_secret"},
    "vi_text": {"clean"},
    "vi_prohibited": {"prohibited"},
    "hardneg": {"not_signup"},
    "spamham": {"ham"},
}

FOUND = 0.99
"""Of marked mail at least so much is found; of other mail nothing."""


def score(corpus: Path) -> Score:
    """Scores each label; what is missed, false or of another level is listed on stderr."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for entry, report in reports(corpus, "secret_marks", SecretMarks(), list(entries(corpus, GROUPS))):
        levels = {one.facts()["level"] for one in report.findings if one.code == "marking"}
        wanted = entry.get("level", "").lower() if entry["label"] == "secret_marked" else ""
        count = counts.setdefault((entry["group"], entry["label"]), Counter())
        count["mails"] += 1
        count["found"] += bool(levels)
        count["level"] += wanted in levels
        if bool(levels) != bool(wanted) or (wanted and wanted not in levels) or report.failure:
            print(f"{entry['file']}: {', '.join(sorted(levels)) or 'none'}, not {wanted or 'none'}", file=sys.stderr)
        count["not looked at"] += bool(report.failure)
    return Score(
        title="Markings of State secrets",
        columns=("group", "label", "mails", "found", "with its level"),
        rows=tuple(
            (*key, count["mails"], count["found"], count["level"] if key[1] == "secret_marked" else "")
            for key, count in sorted(counts.items())
        ),
        note=f"At least {FOUND:.0%} of what is marked should be found, and nothing else.",
        holds=all(
            not count["not looked at"]
            and (count["found"] >= FOUND * count["mails"] if label == "secret_marked" else not count["found"])
            for (_, label), count in counts.items()
        ),
    )
