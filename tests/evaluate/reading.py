"""What a filter that reads finds in mails of a corpus; a helper of the modules beside it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gateway.extract.opener import Opener
from gateway.limits import FileReading
from gateway.metrics import Metrics
from gateway.pipeline import examine
from gateway.policy.model import Policy
from gateway.specimen import specimen
from gateway.verdict import Filter, Report

PATIENCE = 60.0
"""Seconds for one mail."""

Entry = dict[str, Any]


def entries(corpus: Path, groups: dict[str, set[str]]) -> Iterator[Entry]:
    """The manifest's lines of these groups, by label."""
    manifest = corpus / "manifest.jsonl"
    for line in manifest.read_text(encoding="utf-8").splitlines() if manifest.exists() else ():
        entry = json.loads(line)
        if entry["label"] in groups.get(entry["group"], ()):
            yield entry


def reports(corpus: Path, name: str, judge: Filter, chosen: Sequence[Entry]) -> list[tuple[Entry, Report]]:
    """The filter's report on each mail, opened as the gateway opens it."""
    return asyncio.run(_reports(corpus, name, judge, chosen))


async def _reports(corpus: Path, name: str, judge: Filter, chosen: Sequence[Entry]) -> list[tuple[Entry, Report]]:
    nobody, observe = Policy(digest="", rules=(), filters={}), Metrics().examined
    loop, found = asyncio.get_running_loop(), []
    async with Opener(FileReading()) as opener:
        for entry in chosen:
            mail = specimen(nobody, (corpus / entry["file"]).read_bytes())
            [report] = await examine(
                {name: judge}, mail, deadline=loop.time() + PATIENCE, observe=observe, open_mail=opener.open
            )
            found.append((entry, report))
    return found
