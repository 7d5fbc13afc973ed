"""The public test suite for SPF, if the corpus has it."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import yaml
from scoring import Score

from filters._sender_auth.spf import check
from gateway.dns.answers import Kind
from tests.filters.zones import Zone

SUITE = "auth/rfc4408-tests.yml"


def score(corpus: Path) -> Score:
    """Each scenario's tests: whether the result is one of those that the suite allows."""
    path = corpus / SUITE
    rows: list[tuple[object, ...]] = []
    total = Counter[bool]()
    for scenario in yaml.safe_load_all(path.read_text()) if path.exists() else ():
        zone = Zone(_zone(scenario["zonedata"]))
        done = {name: asyncio.run(_wrong(zone, test)) for name, test in scenario["tests"].items()}
        wrong = [f"{name}: {why}" for name, why in done.items() if why]
        total.update(not why for why in done.values())
        rows.append((scenario["description"], len(done), len(done) - len(wrong), "; ".join(wrong)))
    rows.append(("all", total.total(), total[True], ""))
    return Score(
        title="SPF test suite",
        columns=("scenario", "tests", "as expected", "not"),
        rows=tuple(rows),
        note="" if path.exists() else f"The corpus has no {SUITE}.",
        holds=not total[False],
    )


async def _wrong(zone: Zone, test: dict[str, Any]) -> str:
    result = await check(zone, client=test["host"], sender=test["mailfrom"], helo=test["helo"], explain=True)
    wanted = test["result"] if isinstance(test["result"], list) else [test["result"]]
    if result.result not in wanted:
        return f"{result.result} ({result.reason}), not {' or '.join(wanted)}"
    explanation = test.get("explanation", "DEFAULT")
    if explanation != "DEFAULT" and result.explanation != explanation:
        return f"explains {result.explanation!r}, not {explanation!r}"
    return ""


def _zone(data: dict[str, list[Any]]) -> dict[str, dict[str, list[str]]]:
    """The suite's records; those of the old type SPF are TXT records, unless the name has its own."""
    zone: dict[str, dict[str, list[str]]] = {}
    for name, entries in data.items():
        records: dict[str, list[str]] = {}
        old: list[str] = []
        preferences: list[tuple[int, str]] = []
        for entry in entries:
            if entry == "TIMEOUT":
                records["TIMEOUT"] = []
                continue
            [(kind, value)] = entry.items()
            if kind == "MX":
                preferences.append((value[0], value[1].rstrip(".").lower()))
            elif kind == "SPF":
                old.append(_text(value))
            elif kind == "TXT":
                records.setdefault("TXT", []).extend([] if value == "NONE" else [_text(value)])
            else:
                records.setdefault(kind, []).append(str(value).rstrip(".").lower())
        if not records.get("TXT") and "TIMEOUT" in records:
            records.pop("TXT", None)
        elif old and "TXT" not in records:
            records["TXT"] = old
        if preferences:
            records["MX"] = [host for _, host in sorted(preferences)]
        zone[name.lower()] = records
    assert set(Kind) >= {kind for records in zone.values() for kind in records} - {"TIMEOUT", "CNAME"}
    return zone


def _text(value: Any) -> str:
    parts = value if isinstance(value, list) else [value]
    return b"".join(str(part).encode("utf-8") for part in parts).decode("latin-1")
