"""The public test suite for ARC, if the corpus has it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import yaml
from scoring import Score

from filters._sender_auth.arc import verify
from filters._sender_auth.signature import Line
from gateway.mime.header import fields
from gateway.mime.parse import parse
from tests.filters.zones import Zone

SUITE = "auth/arc-validation.yml"
FLOOR = 0.95


def score(corpus: Path) -> Score:
    """Each scenario's tests: whether the chain's state is the one that the suite gives."""
    path = corpus / SUITE
    rows: list[tuple[object, ...]] = []
    total = good = 0
    for scenario in yaml.safe_load_all(path.read_text()) if path.exists() else ():
        zone = Zone({name.lower(): {"TXT": [text]} for name, text in scenario["txt-records"].items()})
        wrong = [why for name, test in scenario["tests"].items() if (why := asyncio.run(_wrong(zone, name, test)))]
        tests = len(scenario["tests"])
        total, good = total + tests, good + tests - len(wrong)
        rows.append((scenario["description"], tests, tests - len(wrong), "; ".join(wrong)))
    rows.append(("all", total, good, ""))
    return Score(
        title="ARC test suite",
        columns=("scenario", "tests", "as expected", "not"),
        rows=tuple(rows),
        note="" if path.exists() else f"The corpus has no {SUITE}.",
        holds=good >= FLOOR * total,
    )


async def _wrong(zone: Zone, name: str, test: dict[str, Any]) -> str:
    raw = test["message"].replace("\r\n", "\n").replace("\n", "\r\n").encode()
    root = parse(raw)
    block = raw[root.head.start : root.head.stop]
    chain = await verify(zone, raw, root.body, [Line.of(block, field) for field in fields(block, 0)])
    wanted = test["cv"].lower()
    return "" if chain.result == wanted else f"{name}: {chain.result} ({chain.reason}), not {wanted}"
