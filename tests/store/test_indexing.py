"""Records that no index has yet are found all the same, are no secret to `verify`, and get their indexes in the end."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from gateway.store.database import create_file
from gateway.store.open import open_store
from gateway.store.schema import STEPS
from gateway.store.tables import RECORDS
from tests.store.families import START, record


def fresh(state: Path) -> tuple[int, int, int]:
    """How many records are fresh, and how many the head says that there are and that the indexes have."""
    connection = sqlite3.connect(state / "trail.db")
    (count,) = connection.execute("SELECT count(*) FROM records WHERE fresh").fetchone()
    number, indexed = connection.execute("SELECT number, indexed FROM head").fetchone()
    connection.close()
    return count, number, indexed


async def test_records_are_fresh_first_and_indexed_when_the_trail_is_closed(tmp_path: Path) -> None:
    stores = await open_store(tmp_path)
    await stores.trail.append([record(number=number) for number in range(7)])
    assert fresh(tmp_path) == (7, 7, 0)
    assert len([each async for each in stores.trail.search(sender="sender@example.com")]) == 7
    assert await stores.trail.verify() == []
    await stores.close()
    assert fresh(tmp_path) == (0, 7, 7)


async def test_they_are_indexed_when_it_is_quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.indexing.QUIET", 0.02)
    stores = await open_store(tmp_path)
    await stores.trail.append([record(number=number) for number in range(7)])
    await until_indexed(tmp_path)
    await stores.trail.append([record(number=7)])
    await until_indexed(tmp_path)
    await stores.close()


async def test_they_are_indexed_when_they_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.indexing.QUIET", 3600)
    monkeypatch.setattr("gateway.store.indexing.MANY", 10)
    monkeypatch.setattr("gateway.store.indexing.LEAST", 3)
    stores = await open_store(tmp_path)
    await asyncio.gather(*(stores.trail.append([record(number=number)] * 3) for number in range(20)))
    async with asyncio.timeout(20):
        while fresh(tmp_path)[0] >= 10:
            await asyncio.sleep(0.01)
    assert len([each async for each in stores.trail.search(direction="inbound")]) == 60
    await stores.close()


async def test_what_a_crash_left_fresh_is_found_and_then_indexed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = await open_store(tmp_path / "first")
    await stores.trail.append([record(number=number) for number in range(7)])
    shutil.copytree(tmp_path / "first", tmp_path / "second")
    await stores.close()
    stores = await open_store(tmp_path / "second")
    assert len([each async for each in stores.trail.search(action="hold")]) == 7
    await stores.close()
    assert fresh(tmp_path / "second") == (7, 7, 0)  # who only reads does not write
    monkeypatch.setattr("gateway.store.indexing.QUIET", 0.02)
    stores = await open_store(tmp_path / "second")
    await until_indexed(tmp_path / "second")
    await stores.close()


async def until_indexed(state: Path) -> None:
    """Wait until nothing is fresh."""
    async with asyncio.timeout(20):
        while fresh(state)[0]:
            await asyncio.sleep(0.01)


HIDING = {
    "a record hidden from searches": "UPDATE records SET fresh = 1 WHERE number = 3",
    "a fresh record said to be indexed": "UPDATE head SET indexed = 7",
    "an indexed record said to be fresh": "UPDATE head SET indexed = 2",
}


@pytest.mark.parametrize("harm", HIDING.values(), ids=HIDING)
async def test_verify_finds_records_that_a_search_does_not(tmp_path: Path, harm: str) -> None:
    stores = await open_store(tmp_path)
    await stores.trail.append([record(number=number) for number in range(5)])
    await stores.trail.expire(START, {"decision": timedelta(days=366)})  # which indexes what there is
    await stores.trail.append([record(number=number) for number in range(2)])
    assert await stores.trail.verify() == []
    with sqlite3.connect(tmp_path / "trail.db") as connection:
        connection.execute(harm)
    connection.close()
    assert any("is not where a search looks" in problem for problem in await stores.trail.verify())
    await stores.close()


async def test_a_trail_of_the_first_schema_is_found_whole(tmp_path: Path) -> None:
    stores = await open_store(tmp_path / "new")
    await stores.trail.append([record(number=number) for number in range(5)])
    await stores.close()
    old = tmp_path / "old"
    shutil.copytree(tmp_path / "new", old)
    (old / "trail.db").unlink()
    create_file(old / "trail.db")
    engine = create_engine(f"sqlite:///{old / 'trail.db'}")
    with engine.connect() as connection, connection.begin():
        config = Config()
        config.set_main_option("script_location", str(STEPS))
        config.set_main_option("version_locations", str(STEPS / "trail"))
        config.set_main_option("path_separator", "newline")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        names = ", ".join(column.name for column in RECORDS.columns if column.name != "fresh")
        connection.exec_driver_sql(f"ATTACH '{tmp_path / 'new' / 'trail.db'}' AS new")
        for table, columns in (("records", names), ("record_rules", "rule, moment, number")):
            connection.exec_driver_sql(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM new.{table}")
        connection.exec_driver_sql("UPDATE head SET (number, hash) = (SELECT number, hash FROM new.head)")
    engine.dispose()
    stores = await open_store(old)
    assert fresh(old) == (0, 5, 5)
    await stores.trail.append([record(number=5)])
    found = [each.facts["number"] async for each in stores.trail.search(recipient="mot@example.gov.vn")]
    assert found == list(range(6))
    assert await stores.trail.verify() == []
    await stores.close()
