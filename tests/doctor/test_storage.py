"""The doctor finds what is wrong with a state folder, and says what to do."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from gateway.doctor.clock import clock
from gateway.doctor.model import Line, State
from gateway.doctor.storage import storage
from gateway.store.open import open_store
from tests.doctor.conftest import NOW, Made, lines
from tests.store.families import content, kept, record

TAMPERED = "UPDATE records SET content = replace(content, 'sender@', 'other@') WHERE number = 3"


async def filled(folder: Path, count: int = 5) -> None:
    """A store with mail and records."""
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    stores = await open_store(folder)
    raw = content()
    await stores.mail.own(kept(raw), raw)
    for number in range(count):
        await stores.trail.append([record(moment=NOW - timedelta(minutes=count - number))])
    await stores.close()


def wrong(found: list[Line]) -> dict[str, Line]:
    assert all(line.advice for line in found if line.state is not State.OK)
    return {line.about: line for line in found if line.state is not State.OK}


async def test_a_sound_store_is_sound(patient: Made, tmp_path: Path) -> None:
    here = patient()
    assert list(wrong(await lines(storage, here))) == ["state folder"]
    (tmp_path / "state").mkdir(mode=0o700)
    assert list(wrong(await lines(storage, here))) == ["store"]
    await filled(tmp_path / "state" / "store")
    found = await lines(storage, here)
    assert wrong(found) == {}
    assert {"store trail.db", "audit chain", "permissions", "disk"} <= {line.about for line in found}
    assert list((tmp_path / "state").iterdir()) == [tmp_path / "state" / "store"]


async def test_others_may_read(patient: Made, tmp_path: Path) -> None:
    await filled(tmp_path / "state" / "store")
    (tmp_path / "state").chmod(0o755)
    assert "drwxr-xr-x" in wrong(await lines(storage, patient()))["permissions"].seen


async def test_a_changed_record_at_the_end_of_the_chain(patient: Made, tmp_path: Path) -> None:
    await filled(tmp_path / "state" / "store")
    with closing(sqlite3.connect(tmp_path / "state/store/trail.db")) as database, database:
        database.execute(TAMPERED)
    line = wrong(await lines(storage, patient()))["audit chain"]
    assert (line.state, "record 3" in line.seen) == (State.FAIL, True)


async def test_an_end_that_was_cut_off(patient: Made, tmp_path: Path) -> None:
    await filled(tmp_path / "state" / "store")
    with closing(sqlite3.connect(tmp_path / "state/store/trail.db")) as database, database:
        database.execute("DELETE FROM records WHERE number > 3")
    assert "missing at the end" in wrong(await lines(storage, patient()))["audit chain"].seen


async def test_a_broken_file(patient: Made, tmp_path: Path) -> None:
    await filled(tmp_path / "state" / "store", 200)
    path = tmp_path / "state" / "store" / "trail.db"
    whole = bytearray(path.read_bytes())
    whole[8192:20000] = b"\xff" * (20000 - 8192)
    path.write_bytes(bytes(whole))
    assert wrong(await lines(storage, patient()))["store trail.db"].state is State.FAIL


async def test_an_old_schema(patient: Made, tmp_path: Path) -> None:
    await filled(tmp_path / "state" / "store")
    with closing(sqlite3.connect(tmp_path / "state/store/trail.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '0001'")
    assert "has schema 0001" in wrong(await lines(storage, patient()))["store trail.db"].seen


async def test_a_disk_without_room_for_the_spool(patient: Made, tmp_path: Path) -> None:
    await filled(tmp_path / "state" / "store")
    here = patient(limits={"spool": "900TB"})
    assert wrong(await lines(storage, here))["disk"].state is State.WARN


async def test_a_clock_that_went_back(patient: Made, tmp_path: Path) -> None:
    await filled(tmp_path / "state" / "store")
    assert "not behind" in (await lines(clock, patient()))[-1].seen
    stores = await open_store(tmp_path / "state" / "store")
    await stores.trail.append([record(moment=NOW + timedelta(hours=1))])
    await stores.close()
    line = (await lines(clock, patient()))[-1]
    assert (line.state, "2026-03-10 06:00" in line.seen) == (State.FAIL, True)
