"""Zip files in which programs disagree: every reading of every member is looked at, and the disagreement is told."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.extract.room import Room
from gateway.extract.zips import listing
from tests.extract.archives import EXE, SECRET, Piece, zip_of, zipped
from tests.extract.reading import blind, opened

PLAIN = Piece(b"a.txt", b"harmless words " * 10)
INNER = zip_of(Piece(b"evil.exe", EXE))


def unicode_path(name: bytes, shown: bytes) -> bytes:
    field = b"\x01" + struct.pack("<L", zlib.crc32(name)) + shown
    return struct.pack("<HH", 0x7075, len(field)) + field


TRICKS: dict[str, tuple[bytes, str]] = {
    "a member that the directory leaves out": (zip_of(PLAIN, Piece(b"evil.exe", EXE, listed=False)), "evil.exe"),
    "a name that is harmless in the directory": (zip_of(Piece(b"evil.exe", EXE, central_name=b"a.txt")), "evil.exe"),
    "a name that is harmless in the member's own header": (
        zip_of(Piece(b"a.txt", EXE, central_name=b"evil.exe")),
        "evil.exe",
    ),
    "a name in the unicode field only": (
        zip_of(Piece(b"a.txt", EXE, extra=unicode_path(b"a.txt", b"evil.exe"))),
        "evil.exe",
    ),
    "stored for the directory, deflated for the member": (
        zip_of(Piece(b"evil.exe", EXE, central_method=0)),
        "evil.exe",
    ),
    "encrypted for the directory only": (zip_of(Piece(b"evil.exe", EXE, central_flags=1)), "evil.exe"),
    "a size that is too small": (zip_of(Piece(b"evil.exe", EXE, size=3)), "evil.exe"),
    "a directory that counts no member": (zip_of(PLAIN, Piece(b"evil.exe", EXE), count=0), "evil.exe"),
    "no end": (zip_of(PLAIN, Piece(b"evil.exe", EXE), end=False), "evil.exe"),
    "neither end nor directory": (zip_of(Piece(b"evil.exe", EXE, listed=False), end=False), "evil.exe"),
    "something in front of it": (zip_of(Piece(b"evil.exe", EXE), prefix=b"\x7fnoise" * 200), "evil.exe"),
    "something in front of it that the directory counts": (
        zip_of(Piece(b"evil.exe", EXE), prefix=b"#!" * 99, offset=198),
        "evil.exe",
    ),
    "another zip behind it": (zip_of(PLAIN) + INNER, "evil.exe"),
    "another zip in front of it": (INNER + zip_of(PLAIN), "evil.exe"),
    "another zip in its comment": (zipped({"a.txt": b"x"}, comment=INNER), "evil.exe"),
    "another zip stored in it": (zip_of(Piece(b"b.dat", INNER, deflated=False)), "evil.exe"),
    "another zip between two members": (
        zip_of(PLAIN, Piece(b"", INNER, deflated=False, has_local=False, listed=False), PLAIN, prefix=INNER),
        "evil.exe",
    ),
    "a name with a NUL in it": (zip_of(Piece(b"evil.exe\0.txt", EXE)), "evil.exe"),
    "a program stored behind the end of a member's data": (
        zip_of(Piece(b"a.txt", b"", deflated=False, packed=0), Piece(b"evil.exe", EXE, deflated=False)),
        "evil.exe",
    ),
}


@pytest.mark.parametrize(("data", "name"), TRICKS.values(), ids=TRICKS)
def test_the_program_is_found_by_the_name_that_some_program_shows(data: bytes, name: str) -> None:
    found = opened(data, "x.zip")
    named = [file for file in found.files if name in file.names and file.kind == "pe"]
    assert named, [(file.names, file.kind) for file in found.files]


def test_more_data_than_a_member_takes_is_looked_at() -> None:
    data = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = data.compress(b"harmless") + data.flush()
    fields = (20, 0, 8, 0, 0, zlib.crc32(b"harmless"), len(packed) + len(EXE), 8, 5, 0)
    whole = struct.pack("<4s5H3L2H", b"PK\x03\x04", *fields) + b"a.txt" + packed + EXE
    found = opened(whole)
    assert "pe" in {file.kind for file in found.files}


ODD: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "an honest zip": (zipped({"a": b"x", "b/c": b"y"}), ()),
    "a zip in a zip": (zip_of(Piece(b"b.zip", INNER, deflated=False)), ()),
    "two names": (zip_of(Piece(b"a", b"x", central_name=b"b")), ("headers-differ",)),
    "a hidden member": (zip_of(PLAIN, Piece(b"b", b"x", listed=False)), ("hidden-member",)),
    "two directories": (INNER + zip_of(PLAIN), ("two-directories",)),
    "a member in the directory only": (
        zip_of(PLAIN, Piece(b"b", b"x", has_local=False), offset=0),
        ("missing-member",),
    ),
    "no directory": (zip_of(Piece(b"a", b"x", listed=False), end=False), ("no-directory",)),
}


@pytest.mark.parametrize(("data", "odd"), ODD.values(), ids=ODD)
def test_what_is_odd_is_named(data: bytes, odd: tuple[str, ...]) -> None:
    assert set(odd) <= set(listing(data, Room()).odd)
    assert bool(odd) == bool(listing(data, Room()).odd)


def test_an_encrypted_member_is_listed_by_name() -> None:
    found = opened(zip_of(PLAIN, Piece("mật.docx".encode(), SECRET, flags=0x801)))
    assert blind(found) == {("mật.docx", "encrypted")}
    assert [file.names for file in found.files[1:]] == [("a.txt",), ("mật.docx",)]


def test_a_wrong_checksum_is_told_and_the_content_looked_at_all_the_same() -> None:
    whole = bytearray(zip_of(Piece(b"evil.exe", EXE)))
    whole[14:18] = b"\0\0\0\0"
    at = whole.rindex(b"PK\x01\x02")
    whole[at + 16 : at + 20] = b"\0\0\0\0"
    found = opened(bytes(whole))
    assert (found.files[1].kind, blind(found)) == ("pe", {("evil.exe", "corrupt")})


NAMES = {
    "UTF-8 with its flag": ("tài liệu.doc".encode(), 0x800, "tài liệu.doc"),
    "UTF-8 without": ("tài liệu.doc".encode(), 0, "tài liệu.doc"),
    "Windows in Vietnam": ("đơn.doc".encode("cp1258"), 0, "đơn.doc"),
    "DOS": ("Größe.doc".encode("cp437"), 0, "Größe.doc"),
}


@pytest.mark.parametrize(("raw", "flags", "name"), NAMES.values(), ids=NAMES)
def test_names_are_read_in_each_charset_that_they_may_be_in(raw: bytes, flags: int, name: str) -> None:
    [entry] = listing(zip_of(Piece(raw, b"x", flags=flags)), Room()).entries
    assert name in entry.names


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.sampled_from([b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", INNER]) | st.binary(max_size=60)
    )
)
def test_anything_is_read_without_a_fault(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    found = listing(data, Room())
    assert all(0 <= entry.start <= len(data) and entry.packed >= 0 for entry in found.entries)
    opened(data, "x.zip", room=Room(unfolded=1 << 20))


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_so_is_a_zip_with_some_bytes_changed(at: int, change: bytes) -> None:
    whole = bytearray(zip_of(PLAIN, Piece(b"evil.exe", EXE)))
    at %= len(whole)
    whole[at : at + len(change)] = change
    opened(bytes(whole), "x.zip")


FOUND_BY_FUZZING = {
    "a directory that begins before the file": zip_of(Piece(b"a", b"x"), offset=0)[:-10]
    + struct.pack("<LLH", 2**31, 2**31, 0),
    "an offset far behind the file": zip_of(Piece(b"a", b"x"), offset=2**31),
    "a header that reaches into the directory": zip_of(
        Piece(b"a", b"x", flags=8, packed=0, listed=False), PLAIN
    ).replace(b"\x01\0\0\0a", b"\xff\xff\0\0a"),
    "a header that is cut": zip_of(Piece(b"a", b"x"))[:35],
}


@pytest.mark.parametrize("data", FOUND_BY_FUZZING.values(), ids=FOUND_BY_FUZZING)
def test_a_reader_that_was_thrown_off_once_is_not_again(data: bytes) -> None:
    for entry in listing(data, Room()).entries:
        assert 0 <= entry.start <= entry.start + entry.packed <= len(data)
    assert not any("Error" in each.detail for each in opened(data, "x.zip").blind)
