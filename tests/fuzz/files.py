"""Targets for what reads attached files by code of our own. (The C libraries are behind the sandbox's walls.)"""

from __future__ import annotations

from contextlib import suppress
from typing import get_args

from gateway.extract.formats import Fact, Member, archived, arj, messages, streams, zipped
from gateway.extract.frames import Broken, Decoder, Told, assembled
from gateway.extract.room import Full, Room
from gateway.extract.witness import natures
from gateway.extract.zips import listing
from gateway.mime.kinds import SNIFFED, kind_of

ROOM = {"unfolded": 1 << 20, "member": 1 << 19, "files": 100}
"""Small enough that no input takes long."""

OURS = (zipped.read, arj.read, streams.read_gzip, streams.read_bzip2, streams.read_xz)
STOPS = (Full, ValueError, IndexError, ArithmeticError)
"""What a reader may be stopped by; `opening.py` makes a Blind of each."""


def archives(data: bytes) -> None:
    """Headers, members and their content; what the file is besides."""
    found = listing(data, Room(**ROOM))
    assert len(found.entries) <= ROOM["files"]
    for entry in found.entries:
        assert 0 <= entry.start <= len(data)
        assert 0 <= entry.packed <= len(data) - entry.start
    assert all(0 <= one.start < max(len(data), 1) for one in natures(data, kind_of(data[:SNIFFED]), ("a.zip",), ""))
    for reader in OURS:
        room = Room(**ROOM)
        with suppress(*STOPS):
            for fact in reader(data, "", room):
                assert isinstance(fact, get_args(Fact))
                assert not isinstance(fact, Member) or len(fact.content or b"") <= ROOM["unfolded"] + len(data)
    with suppress(archived.Locked):
        archived.locked_names(data)
    with suppress(Full):
        for number, _ in enumerate(messages.read(data, "", Room(**ROOM))):
            assert number < 100_000


def frames(data: bytes) -> None:
    """Frames that a process sends that may be a stranger's by now."""
    cut = data[0] if data else 1
    decoder, told = Decoder(1 << 20), list[Told]()
    with suppress(Broken):
        for at in range(0, len(data), cut + 1):
            told += decoder.feed(data[at : at + cut + 1])
        assembled(told)
