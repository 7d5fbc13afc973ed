"""What filters remember: bounded, written in batches, read again, and lost without harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from filters._remembered import Remembered, key_of


def kept(file: Path, most: int = 100) -> Remembered:
    table = Remembered(most)
    table.keep_in(file)
    return table


async def test_rows_are_read_again(tmp_path: Path) -> None:
    table = kept(tmp_path / "deep" / "a.sqlite")
    table.put(key_of("x"), (1.0, 2.5))
    await table.save()
    assert kept(tmp_path / "deep" / "a.sqlite").get(key_of("x")) == (1.0, 2.5)


async def test_oldest_is_forgotten_also_in_the_file(tmp_path: Path) -> None:
    table = kept(tmp_path / "a.sqlite", most=2)
    for word in "abcab":
        table.put(key_of(word), (1.0,))
    await table.save()
    again = kept(tmp_path / "a.sqlite")
    assert set(again.rows) == set(table.rows) == {key_of("a"), key_of("b")}


async def test_smaller_table_reads_the_newest(tmp_path: Path) -> None:
    table = kept(tmp_path / "a.sqlite")
    for number, word in enumerate("abc"):
        table.put(key_of(word), (float(number),))
        await table.save()
    assert set(kept(tmp_path / "a.sqlite", most=2).rows) == {key_of("b"), key_of("c")}
    assert set(kept(tmp_path / "a.sqlite").rows) == {key_of("b"), key_of("c")}


def test_foreign_file_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_bytes(b"this is no database" * 100)
    table = kept(tmp_path / "a.sqlite")
    table.put(key_of("x"), (1.0,))
    table.save_now()
    assert (tmp_path / "a.broken").exists()
    assert kept(tmp_path / "a.sqlite").get(key_of("x")) == (1.0,)


async def test_what_could_not_be_written_is_written_the_next_time(tmp_path: Path) -> None:
    table = kept(tmp_path / "folder" / "a.sqlite")
    table.put(key_of("x"), (1.0,))
    (tmp_path / "folder").rename(tmp_path / "away")
    with pytest.raises(OSError, match=r"a\.sqlite"):
        await table.save()
    (tmp_path / "away").rename(tmp_path / "folder")
    await table.save()
    assert kept(tmp_path / "folder" / "a.sqlite").get(key_of("x")) == (1.0,)


def test_without_a_file_nothing_waits_to_be_written() -> None:
    table = Remembered(2)
    for word in "abc":
        table.put(key_of(word), (1.0,))
    assert not table.changed


def test_parts_of_a_key_do_not_run_together() -> None:
    assert key_of("a", "bc") != key_of("ab", "c")
