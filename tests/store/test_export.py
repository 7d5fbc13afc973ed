"""What is handed out of the trail: whole, verifiable, and harmless in a table program."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.store.export import csv_lines, json_lines
from gateway.store.open import Stores, open_store
from tests.store.families import START, record


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[Stores]:
    opened = await open_store(tmp_path)
    yield opened
    await opened.close()


async def test_json_lines_prove_the_chain_by_themselves(stores: Stores) -> None:
    """The arithmetic is written out: it is what an auditor would write from the description in `chain.py`."""
    old = START - timedelta(days=400)
    await stores.trail.append([record(moment=old, retention="evidence"), record(moment=old)])
    await stores.trail.append([record(subject="Thư \udce9", number=number) for number in range(600)])
    await stores.trail.expire(START)
    lines = [json.loads(line) async for line in json_lines(stores.trail.rows())]
    previous = bytes(32)
    for line in lines:
        if line["record"] is not None:
            canonical = json.dumps(line["record"], sort_keys=True, separators=(",", ":")).encode()
            assert hashlib.sha256(canonical).hexdigest() == line["digest"]
        link = json.dumps([line["number"], line["moment"], line["retention"], line["digest"]], separators=(",", ":"))
        previous = hashlib.sha256(previous + link.encode()).digest()
        assert previous.hex() == line["hash"]
    assert [line["number"] for line in lines] == list(range(1, 604))
    assert [line["number"] for line in lines if line["record"] is None] == [2]


CELLS = {
    "=1+1": "'=1+1",
    "+84 901": "'+84 901",
    "-1": "'-1",
    "@sum(a1)": "'@sum(a1)",
    "\tx": "'\tx",
    "\rx": "'\rx",
    "x=1": "x=1",
    'a,"b"\r\nc': 'a,"b"\r\nc',
}


@pytest.mark.parametrize(("given", "shown"), CELLS.items(), ids=repr)
async def test_csv_cells_do_not_run(stores: Stores, given: str, shown: str) -> None:
    await stores.trail.append([record(sender=given, id=given, rules=[given])])
    text = "".join([line async for line in csv_lines(stores.trail.rows())])
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert (row["sender"], row["id"], row["rules"]) == (shown, shown, shown)
    assert json.loads(row["facts"])["sender"] == given
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row.values())


async def test_a_period_is_handed_out_and_expired_records_are_shown_as_such(stores: Stores) -> None:
    old = START - timedelta(days=400)
    await stores.trail.append([record(moment=old, retention="evidence"), record(moment=old), record(id="NEW")])
    await stores.trail.expire(START)
    text = "".join([line async for line in csv_lines(stores.trail.rows(since=old, until=START))])
    rows = [*csv.DictReader(io.StringIO(text))]
    assert [(row["number"], row["event"], row["retention"]) for row in rows] == [
        ("1", "message", "evidence"),
        ("2", "", "decision"),
    ]
