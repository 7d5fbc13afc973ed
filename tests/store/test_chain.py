"""A trail that somebody has touched does not verify: each way of touching it is a case."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.store.chain import FIRST_FOLLOWS, Forgotten, Head, Inspection, digest_of, link
from gateway.store.open import open_store
from gateway.store.records import Stored, columns_of, content_of, record_of
from gateway.store.text import microseconds
from tests.store.families import START, record

Harm = Callable[[sqlite3.Connection], None]
COUNT = 40


def sql(*statements: str) -> Harm:
    """Harm done with statements."""

    def work(connection: sqlite3.Connection) -> None:
        for statement in statements:
            assert connection.execute(statement).rowcount

    return work


def flip_a_byte(connection: sqlite3.Connection) -> None:
    (content,) = connection.execute("SELECT content FROM records WHERE number = 7").fetchone()
    place = content.index("Th")
    flipped = content[:place] + "U" + content[place + 1 :]
    connection.execute("UPDATE records SET content = ? WHERE number = 7", (flipped,))


def swap(connection: sqlite3.Connection) -> None:
    for before, after in ((7, -1), (8, 7), (-1, 8)):
        connection.execute("UPDATE records SET number = ? WHERE number = ?", (after, before))


def swap_contents(connection: sqlite3.Connection) -> None:
    rows = connection.execute("SELECT content, digest FROM records WHERE number IN (7, 8) ORDER BY number").fetchall()
    for number, (content, digest) in zip((8, 7), rows, strict=True):
        connection.execute("UPDATE records SET content = ?, digest = ? WHERE number = ?", (content, digest, number))


def take_out_and_renumber(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM records WHERE number = 7")
    for number in range(8, COUNT + 1):
        connection.execute("UPDATE records SET number = ? WHERE number = ?", (number - 1, number))
    connection.execute("UPDATE head SET number = number - 1")


def write_the_chain_anew(connection: sqlite3.Connection) -> None:
    """Without record 7, every link right, the head too."""
    connection.execute("DELETE FROM records WHERE number = 7")
    rows = connection.execute("SELECT number, moment, retention, digest FROM records ORDER BY number").fetchall()
    previous = FIRST_FOLLOWS
    for new, (old, moment, retention, digest) in enumerate(rows, 1):
        previous = link(previous, new, moment, retention, digest)
        connection.execute("UPDATE records SET number = ?, hash = ? WHERE number = ?", (new, previous, old))
    connection.execute("DELETE FROM record_rules")
    for number, content in connection.execute("SELECT number, content FROM records").fetchall():
        made = record_of(content)
        moment = microseconds(made.moment)
        connection.executemany(
            "INSERT INTO record_rules VALUES (?, ?, ?)", [(rule, moment, number) for rule in columns_of(made)[1]]
        )
    connection.execute("UPDATE head SET number = ?, hash = ?", (len(rows), previous))


FOLLOW, CONTENT, INDEXED = (
    f"record 7 {what}" for what in ("does not follow", "has another content", "is indexed by other values")
)
HARMS: dict[str, tuple[Harm, str]] = {
    "a flipped byte": (flip_a_byte, CONTENT),
    "another sender to be found by": (sql("UPDATE records SET sender = 'x' WHERE number = 7"), INDEXED),
    "a sender that is not found": (sql("UPDATE records SET sender = NULL WHERE number = 7"), INDEXED),
    "another moment": (sql("UPDATE records SET moment = moment + 1 WHERE number = 7"), FOLLOW),
    "another class": (sql("UPDATE records SET retention = 'short' WHERE number = 7"), FOLLOW),
    "another digest": (sql("UPDATE records SET digest = zeroblob(32) WHERE number = 7"), CONTENT),
    "another hash": (sql("UPDATE records SET hash = zeroblob(32) WHERE number = 7"), FOLLOW),
    "a rule more": (sql("INSERT INTO record_rules VALUES ('x', 0, 7)"), INDEXED),
    "a rule less": (sql("DELETE FROM record_rules WHERE number = 7 AND rule = 'spam'"), INDEXED),
    "a row taken out": (sql("DELETE FROM records WHERE number = 7"), "record 7 is missing"),
    "rows taken out": (sql("DELETE FROM records WHERE number BETWEEN 7 AND 9"), "records 7 to 9 are missing"),
    "the first taken out": (sql("DELETE FROM records WHERE number <= 2"), "records 1 to 2 are missing"),
    "an emptied record": (sql("UPDATE records SET content = NULL WHERE number = 7"), "record 7 is empty"),
    "two swapped": (swap, FOLLOW),
    "two contents swapped": (swap_contents, FOLLOW),
    "one taken out and the rest renumbered": (take_out_and_renumber, FOLLOW),
    "the end cut off": (sql("DELETE FROM records WHERE number > 37"), "records 38 to 40 are missing at the end"),
    "the end cut off and the head put back": (
        sql(
            "DELETE FROM records WHERE number > 37",
            "UPDATE head SET (number, hash) = (SELECT number, hash FROM records WHERE number = 37)",
        ),
        "records 38 to 40 are missing at the end, as noted in trail.head",
    ),
    "all of it cut off": (sql("DELETE FROM records", "UPDATE head SET number = 0"), "records 1 to 40 are missing"),
    "the chain written anew": (write_the_chain_anew, "record 40 is missing at the end, as noted in trail.head"),
}


async def made(state: Path, count: int = COUNT) -> Head:
    stores = await open_store(state)
    minutes = [timedelta(minutes=number) for number in range(count)]
    await stores.trail.append([record(moment=START + each) for each in minutes])
    head = await stores.trail.head()
    await stores.close()
    return head


async def verified(state: Path, *noted: Head) -> list[str]:
    stores = await open_store(state)
    problems = await stores.trail.verify(*noted)
    await stores.close()
    return [*problems]


def harmed(state: Path, harm: Callable[[sqlite3.Connection], Any]) -> None:
    connection = sqlite3.connect(state / "trail.db")
    harm(connection)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(("harm", "said"), HARMS.values(), ids=HARMS)
async def test_verify_finds(tmp_path: Path, harm: Harm, said: str) -> None:
    head = await made(tmp_path)
    assert await verified(tmp_path, head) == []
    harmed(tmp_path, harm)
    problems = await verified(tmp_path)
    assert any(said in problem for problem in problems), problems


async def test_a_chain_and_a_head_written_anew_do_not_fit_the_head_that_was_noted(tmp_path: Path) -> None:
    early = await made(tmp_path, 20)
    await made(tmp_path, 20)
    harmed(tmp_path, write_the_chain_anew)
    (tmp_path / "trail.head").unlink()
    stores = await open_store(tmp_path)
    await stores.trail.append([record()])
    assert await stores.trail.verify() == []
    (problem,) = await stores.trail.verify(early)
    assert problem == "record 20 is not the one noted elsewhere: the chain was written anew"
    await stores.close()


async def test_records_behind_a_cut_leave_the_gap_to_be_seen(tmp_path: Path) -> None:
    await made(tmp_path)
    harmed(tmp_path, HARMS["the end cut off and the head put back"][0])
    stores = await open_store(tmp_path)
    await stores.trail.append([record()])
    assert await stores.trail.verify() == ["records 38 to 40 are missing"]
    await stores.close()


async def test_a_second_place_that_is_gone_is_told(tmp_path: Path) -> None:
    await made(tmp_path)
    (tmp_path / "trail.head").write_text("garbage")
    assert await verified(tmp_path) == ["trail.head is gone or cannot be read"]


async def test_the_second_place_may_be_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    stores = await open_store(tmp_path / "state", head=tmp_path / "disk" / "head")
    await stores.trail.append([record()])
    assert await stores.trail.verify() == []
    await stores.close()
    assert (tmp_path / "disk" / "head").read_text().startswith("000000000000000001 ")


@pytest.mark.parametrize(
    "harm",
    {
        "a cleared record taken out behind the beginning": "DELETE FROM records WHERE number = 3",
        "a kept record cleared": "UPDATE records SET content = NULL WHERE number = 4",
        "the note of what was cleared taken out": "DELETE FROM records WHERE event = 'expired'",
        "the note of what was cleared changed": "UPDATE records SET content = replace(content, '2025', '2029') "
        "WHERE event = 'expired'",
    }.items(),
    ids=lambda item: item[0],
)
async def test_expiry_is_no_cloak(tmp_path: Path, harm: tuple[str, str]) -> None:
    old = START - timedelta(days=400)
    classes = ["evidence", "decision", "decision", "evidence", "decision"]
    stores = await open_store(tmp_path)
    await stores.trail.append([record(moment=old, retention=name) for name in classes])
    assert await stores.trail.expire(START) == 3
    await stores.close()
    assert await verified(tmp_path) == []
    harmed(tmp_path, lambda connection: connection.execute(harm[1]))
    assert await verified(tmp_path)


async def test_what_expired_is_not_in_the_file_any_more(tmp_path: Path) -> None:
    stores = await open_store(tmp_path)
    mark = "người-cần-quên@example.com"
    await stores.trail.append([record(sender=mark, moment=START - timedelta(days=400)), record()])
    await stores.trail.append([record(moment=START - timedelta(days=400), retention="evidence")])
    await stores.trail.expire(START)
    await stores.close()
    written = b"".join(path.read_bytes() for path in tmp_path.glob("trail*"))
    assert mark.encode() not in written
    assert json.dumps(mark).encode() not in written


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
records = st.builds(
    lambda id, days, event, retention, facts: record_of(
        content_of(record(id=id, moment=START + timedelta(days=days), event=event, retention=retention, **facts))
    ),
    st.text(),
    st.integers(-3000, 3000),
    st.text(),
    st.text(),
    st.fixed_dictionaries({}, optional=dict.fromkeys(("sender", "rules", "action", "x"), json_values)),
)


def stored(several: list[Any]) -> list[Stored]:
    """The rows of a chain."""
    rows, previous = [], FIRST_FOLLOWS
    for number, each in enumerate(several, 1):
        content, moment = content_of(each), microseconds(each.moment)
        digest = digest_of(content)
        previous = link(previous, number, moment, each.retention, digest)
        rows.append(Stored(number, moment, each.retention, columns_of(each)[0], content, digest, previous))
    return rows


def inspected(rows: list[Stored], *anchors: tuple[str, Head]) -> list[str]:
    """What an inspection says of them."""
    inspection = Inspection(Forgotten(), anchors)
    rules = {row.number: columns_of(record_of(row.content or ""))[1] for row in rows}
    return [*(problem for row in rows for problem in inspection.see(row, rules[row.number])), *inspection.end()]


@given(records)
def test_a_record_survives_its_content(each: Any) -> None:
    assert content_of(record_of(content_of(each))) == content_of(each)
    assert content_of(each).isascii()


@given(st.lists(records, min_size=2, max_size=6), st.data())
def test_any_chain_is_whole_and_is_not_with_a_row_less(several: list[Any], data: st.DataObject) -> None:
    rows = stored(several)
    anchor = ("elsewhere", Head(rows[-1].number, rows[-1].hash))
    assert inspected(rows, anchor) == []
    gone = data.draw(st.sampled_from(rows))
    assert inspected([row for row in rows if row is not gone], anchor)
