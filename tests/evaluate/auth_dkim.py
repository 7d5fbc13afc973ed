"""Signed mail of the corpus with its zone file: whether each signature is called what it is."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from pathlib import Path

from scoring import Score

from filters._sender_auth.dkim import Verified, verify
from filters._sender_auth.signature import Line
from gateway.mime.header import fields
from gateway.mime.parse import parse
from tests.filters.zones import Zone

ZONE = "auth/dkim-dns.txt"
OF_TODAY = re.compile(rb"^dkim-signature:[^\0]*?\bv=1;", re.IGNORECASE | re.MULTILINE)

NOW = 1_200_000_000.0
"""The mails are of 2005 to 2007, those with ed25519 of 2023: at this time none has expired that is to pass."""


def score(corpus: Path) -> Score:
    """Compares with what the manifest expects."""
    manifest = corpus / "manifest.jsonl"
    entries = [json.loads(line) for line in manifest.read_text().splitlines()] if manifest.exists() else []
    zone = Zone(_zone(corpus / ZONE)) if (corpus / ZONE).exists() else Zone({})
    counts: dict[str, Counter[bool]] = {}
    odd = []
    for entry in entries:
        if entry["group"] != "auth" or entry["label"] != "dkim":
            continue
        raw = (corpus / entry["file"]).read_bytes()
        results = asyncio.run(_results(raw, zone))
        expect = entry["expect"]
        if expect == "pass" and not OF_TODAY.search(raw):
            expect = "pass by rules before RFC 4871: not today"
        good = _as_expected(expect, results)
        counts.setdefault(expect, Counter())[good] += 1
        if not good:
            said = ", ".join(f"{each.result} ({each.reason})" for each in results) or "none"
            odd.append(f"{Path(entry['file']).stem}: {said}")
    return Score(
        title="DKIM mails",
        columns=("expected", "mails", "as expected"),
        rows=tuple((expect, count.total(), count[True]) for expect, count in sorted(counts.items())),
        note="A good signature that must not count today (SHA-1, short key: RFC 8301) is `policy` and stands here as "
        "good. DomainKeys and drafts of DKIM are not looked at. Not as expected: " + ("; ".join(odd) or "none"),
        holds=not odd,
    )


async def _results(raw: bytes, zone: Zone) -> list[Verified]:
    root = parse(raw)
    block = raw[root.head.start : root.head.stop]
    lines = [Line.of(block, field) for field in fields(block, 0)]
    return await verify(zone, raw, root.body, lines, NOW)


def _as_expected(expect: str, results: list[Verified]) -> bool:
    found = {result.result for result in results}
    match expect:
        case "pass":
            return not found.isdisjoint({"pass", "policy"})
        case "not_pass":  # the key is bad: also where it was limited by g=, which RFC 6376 took away
            return "pass" not in found
        case "see name":
            return True
        case _:
            return found.isdisjoint({"pass", "policy"})


def _zone(path: Path) -> dict[str, dict[str, list[str]]]:
    names: dict[str, dict[str, list[str]]] = {}
    for line in path.read_text().splitlines():
        name, _, record = line.strip().partition(" ")
        record = record.strip()
        if not name or name.startswith("#") or record == "NXDOMAIN":
            continue
        names[name.lower()] = {"TIMEOUT": []} if record.startswith("~~") else {"TXT": [record.strip('"')]}
    return names
