"""The spool: small in memory, large on disk, room given back, and no room said in time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.spool import IN_MEMORY, Spool, SpoolFile, SpoolFull

MB = 1024 * 1024


def spool(folder: Path, *, disk: int = 10 * MB, memory: int = 10 * MB) -> Spool:
    return Spool(folder, disk_limit=disk, memory_limit=memory)


async def test_a_small_message_never_touches_the_disk(tmp_path: Path) -> None:
    message = spool(tmp_path).new()
    await message.write(b"a" * IN_MEMORY)
    assert await message.finish() == b"a" * IN_MEMORY
    message.close()


async def test_a_large_message_is_read_back_from_a_file_without_a_name(tmp_path: Path) -> None:
    room = spool(tmp_path)
    message = room.new()
    content = os.urandom(3 * MB)
    for start in range(0, len(content), 100_000):
        await message.write(content[start : start + 100_000])
    raw = await message.finish()
    assert isinstance(raw, SpoolFile)
    assert (len(raw), raw[:], raw[MB : MB + 10], raw[-5:]) == (
        len(content),
        content,
        content[MB : MB + 10],
        content[-5:],
    )
    assert (list(tmp_path.iterdir()), room.in_memory, room.on_disk) == ([], 0, len(content))
    message.close()
    message.close()
    assert (room.in_memory, room.on_disk) == (0, 0)


async def test_when_memory_is_short_small_messages_go_to_disk_too(tmp_path: Path) -> None:
    room = spool(tmp_path, memory=1000)
    message = room.new()
    await message.write(b"a" * 2000)
    assert (room.in_memory, room.on_disk) == (0, 2000)
    message.close()


async def test_the_budget_is_kept_over_all_messages(tmp_path: Path) -> None:
    room = spool(tmp_path, disk=3 * MB)
    first, second = room.new(), room.new()
    await first.write(b"a" * 2 * MB)
    with pytest.raises(SpoolFull):
        await second.write(b"b" * 2 * MB)
    second.close()
    first.close()
    third = room.new()
    await third.write(b"c" * 2 * MB)
    third.close()
    assert room.on_disk == 0


async def test_a_folder_that_is_gone_means_no_room_for_large_mail(tmp_path: Path) -> None:
    room = spool(tmp_path / "missing")
    assert room.has_room(1000)
    assert not room.has_room(MB)


@given(st.lists(st.tuples(st.integers(-50, 400), st.integers(-50, 400)), max_size=8))
def test_slices_are_those_of_bytes(slices: list[tuple[int, int]]) -> None:
    content = bytes(range(256))
    with open(os.memfd_create("spool"), "w+b") as file:
        file.write(content)
        file.flush()
        raw = SpoolFile(file.fileno(), len(content))
        for start, stop in slices:
            assert raw[start:stop] == content[start:stop]
