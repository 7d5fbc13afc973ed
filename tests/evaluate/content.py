"""Prohibited content: what the shipped lexicons find in vulgar mail, and what they take for it and is none."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from reading import Entry, entries, reports
from scoring import Score

from filters.content import Content
from gateway.verdict import Finding

GROUPS = {
    "vi_prohibited": {"prohibited"},
    "vi_text": {"clean"},
    "hardneg": {"not_signup"},
    "secret": {"secret_marked", "not_secret"},
    "spamham": {"ham"},
}

FOUND = 0.90
"""Of vulgar mail at least so much is found."""

FALSE = 0.005
"""Of a group of clean mail at most so much is found falsely; of `vi_text` nothing."""

FOR_REPORTS = frozenset({"private-business"})
"""Categories that no clause forbids: advertising in newsletters is what they find."""


def score(corpus: Path) -> Score:
    """Scores each group; what is missed or false is listed on stderr."""
    counts: dict[str, Counter[str]] = {group: Counter() for group in GROUPS}
    for entry, report in reports(corpus, "content", Content(), list(entries(corpus, GROUPS))):
        found = [one for one in report.findings if one.facts()["category"] not in FOR_REPORTS]
        count = counts[entry["group"]]
        count["mails"] += 1
        count["found"] += bool(found)
        count["strong"] += any(one.facts()["strength"] == "strong" for one in found)
        count["not looked at"] += bool(report.failure)
        if bool(found) != (entry["label"] == "prohibited"):
            print(_line(entry, found), file=sys.stderr)
    rows = tuple(
        (group, count["mails"], count["found"], f"{count['found'] / count['mails']:.1%}", count["strong"])
        for group, count in counts.items()
        if count["mails"]
    )
    return Score(
        title="Prohibited content",
        columns=("group", "mails", "found", "share", "of them strong"),
        rows=rows,
        note=f"Found should be all of vi_prohibited ({FOUND:.0%}) and none of the others ({FALSE:.1%}, vi_text none). "
        "The corpus has vulgar texts only: other categories rest on the texts in tests/filters/content_texts.yaml.",
        holds=all(_holds(group, count) for group, count in counts.items()),
    )


def _holds(group: str, count: Counter[str]) -> bool:
    if count["not looked at"]:
        return False
    if group == "vi_prohibited":
        return count["found"] >= FOUND * count["mails"]
    return count["found"] <= (0 if group == "vi_text" else FALSE * count["mails"])


def _line(entry: Entry, found: list[Finding]) -> str:
    told = "; ".join(f"{one.facts()['category']} {one.facts()['score']:g}: {one.detail[:160]}" for one in found)
    return f"{'false' if found else 'missed'} {entry['file']}: {told or entry['category']}"
