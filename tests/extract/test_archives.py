"""Archives: a program and a phrase in them are found, in every format, or it is told why they were not."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable

import pytest

from gateway.extract.room import Room
from tests.extract.archives import (
    EXE,
    SECRET,
    arj,
    cab,
    lzh,
    packed,
    quoted_overlap,
    rar_4,
    rar_5,
    tower,
    zipped,
)
from tests.extract.reading import blind, kinds, opened

FILES = {"thư mục/chạy.exe": EXE, "mật.txt": SECRET}
Make = Callable[[dict[str, bytes]], bytes]

FORMATS: dict[str, Make] = {
    "zip, deflated": zipped,
    "zip, stored": lambda files: zipped(files, zipfile.ZIP_STORED),
    "zip, bzip2": lambda files: zipped(files, zipfile.ZIP_BZIP2),
    "zip, LZMA": lambda files: zipped(files, zipfile.ZIP_LZMA),
    "7z": lambda files: packed("7zip", files),
    "rar of version 4": rar_4,
    "rar of version 5": rar_5,
    "tar": lambda files: packed("ustar", files),
    "tar of GNU": lambda files: packed("gnutar", files),
    "tar of POSIX": lambda files: packed("pax", files),
    "tar of 1979, known by its name only": lambda files: packed("v7tar", files),
    "tar.gz": lambda files: packed("ustar", files, "gzip"),
    "tar.bz2": lambda files: packed("ustar", files, "bzip2"),
    "tar.xz": lambda files: packed("ustar", files, "xz"),
    "tar.zst": lambda files: packed("ustar", files, "zstd"),
    "tar.lz": lambda files: packed("ustar", files, "lzip"),
    "tar.lz4": lambda files: packed("ustar", files, "lz4"),
    "tar.Z": lambda files: packed("ustar", files, "compress"),
    "cab": cab,
    "iso": lambda files: packed("iso9660", files),
    "cpio": lambda files: packed("cpio_newc", files),
    "cpio of 1988": lambda files: packed("cpio", files),
    "xar": lambda files: packed("xar", files),
    "lzh": lzh,
    "arj": arj,
}


@pytest.mark.parametrize("make", FORMATS.values(), ids=FORMATS)
def test_a_program_and_a_phrase_in_it_are_found(make: Make) -> None:
    reading = opened(make(FILES), "archive.tar")
    assert set(kinds(reading).values()) >= {"pe", "text"}
    assert any(SECRET.decode() in text.content for text in reading.texts)
    assert any(file.names[0].endswith("chạy.exe") for file in reading.files if file.kind == "pe")
    assert reading.blind == ()


@pytest.mark.parametrize("outer", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize(
    "inner", [zipped, rar_5, lambda files: packed("ustar", files, "gzip")], ids=["zip", "rar", "tgz"]
)
def test_so_are_those_in_an_archive_in_it(outer: Make, inner: Make) -> None:
    reading = opened(outer({"trong.dat": inner(FILES)}), "archive.tar")
    assert {"pe", "text"} <= set(kinds(reading).values())
    assert reading.blind == ()


STUBS = {
    "a program that unpacks itself": EXE,
    "a picture": b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(2000) + b"\xff\xd9",
    "a PDF's head": b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n",
    "a GIF": b"GIF89a" + bytes(1500),
    "text": b"nothing to see here\n" * 100,
    "noise": bytes(range(128, 256)) * 20,
}


@pytest.mark.parametrize("stub", STUBS.values(), ids=STUBS)
@pytest.mark.parametrize(
    "make", [zipped, rar_4, rar_5, lambda files: packed("7zip", files), cab], ids=["zip", "rar4", "rar5", "7z", "cab"]
)
def test_an_archive_behind_something_else_is_found(stub: bytes, make: Make) -> None:
    reading = opened(stub + make(FILES), "x.bin")
    assert {"pe", "text"} <= set(kinds(reading).values())


def test_an_archive_behind_an_archive_is_found() -> None:
    reading = opened(zipped({"a.txt": b"harmless"}) + rar_5(FILES), "x.zip")
    assert {"pe", "text"} <= set(kinds(reading).values())


LOCKED: dict[str, bytes] = {
    "rar of version 4": rar_4(FILES, flags=4),
    "rar of version 5": rar_5(FILES, encrypted=True),
    "arj": arj(FILES, flags=1),
}


@pytest.mark.parametrize("data", LOCKED.values(), ids=LOCKED)
def test_what_is_encrypted_is_listed_by_name(data: bytes) -> None:
    reading = opened(data)
    assert blind(reading) == {(name, "encrypted") for name in FILES}
    assert {name for file in reading.files for name in file.names} >= set(FILES)


def test_an_archive_whose_names_are_encrypted_is_told_of() -> None:
    assert blind(opened(rar_4(FILES, head_flags=0x80))) == {("", "encrypted")}


def test_members_packed_in_a_way_that_nobody_reads_are_listed() -> None:
    assert blind(opened(arj({"a.exe": EXE}, method=1))) == {("a.exe", "unsupported")}


CUT = {name: make for name, make in FORMATS.items() if not name.startswith(("iso", "xar"))}


@pytest.mark.parametrize("make", CUT.values(), ids=CUT)
def test_half_an_archive_is_no_clean_one(make: Make) -> None:
    whole = make({"first.txt": SECRET, "noise.bin": bytes(zlib.crc32(bytes([n % 251])) & 0xFF for n in range(5000))})
    reading = opened(whole[: len(whole) // 2], "archive.tar")
    assert reading.blind


STREAMS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("pack", STREAMS.values(), ids=STREAMS)
def test_streams_one_after_the_other_are_one_file(pack: Callable[[bytes], bytes]) -> None:
    reading = opened(pack(SECRET[:7]) + pack(SECRET[7:]))
    assert any(SECRET.decode() == text.content for text in reading.texts)


@pytest.mark.parametrize("pack", STREAMS.values(), ids=STREAMS)
def test_what_stands_behind_a_stream_is_looked_at_too(pack: Callable[[bytes], bytes]) -> None:
    reading = opened(pack(b"harmless") + EXE)
    assert "pe" in kinds(reading).values()
    assert any(trait.word == "ambiguous-archive" for trait in reading.files[0].traits)


def test_a_tar_names_its_links_and_devices_and_follows_none() -> None:
    header = b"evil".ljust(100, b"\0") + b"0000777\0" + b"0000000\0" * 2 + b"00000000000\0" * 2
    body = header + b"        2" + b"/etc/passwd".ljust(100, b"\0") + b"ustar\x0000"
    body = body.ljust(512, b"\0")
    checksum = f"{sum(body):06o}\0 ".encode()
    reading = opened(body[:148] + checksum + body[156:] + bytes(1024))
    assert [(trait.word, trait.detail) for trait in reading.files[0].traits] == [
        ("archive-link", "evil -> /etc/passwd")
    ]
    assert len(reading.files) == 1


BOMBS: dict[str, tuple[bytes, str]] = {
    "ten million zeros for each byte, by gzip in gzip": (gzip.compress(gzip.compress(bytes(200 << 20), 1), 9), "bomb"),
    "one file of zeros": (zipped({"0": bytes(100 << 20)}), "bomb"),
    "a file of zeros that says it is small": (
        zipped({"0": bytes(100 << 20)}).replace((100 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little")),
        "bomb",
    ),
    "files that share their bytes": (quoted_overlap(250, 1 << 20), "bomb"),
    "bzip2": (bz2.compress(bytes(100 << 20)), "bomb"),
    "xz": (lzma.compress(bytes(100 << 20), preset=0), "bomb"),
    "tar.zst": (packed("ustar", {"0": bytes(100 << 20)}, "zstd"), "bomb"),
    "zips of zips of zips": (tower(3, 16, 1 << 28), "bomb"),
    "more levels than are opened": (tower(12, 1, 10), "too-deep"),
    "more files than are opened": (zipped({str(number): b"" for number in range(3000)}), "too-many"),
}


@pytest.mark.parametrize(("data", "reason"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_told_of_and_not_unfolded(data: bytes, reason: str) -> None:
    room = Room()
    before = room.unfolded
    assert reason in {each.reason.value for each in opened(data, room=room).blind}
    assert before - room.unfolded <= 24 << 20


def test_all_files_of_a_message_share_one_room() -> None:
    room = Room(unfolded=100_000)
    reading = opened(zipped({f"{n}.txt": bytes([65 + n, 32]) * 10_000 for n in range(10)}), room=room)
    assert {reason for _, reason in blind(reading)} == {"too-big"}
    assert {text.place for text in reading.texts} == {f"{n}.txt" for n in range(5)}


def test_a_deep_file_is_listed_where_it_is_not_opened_any_more() -> None:
    reading = opened(tower(3, 1, 10), room=Room(depth=2))
    assert max(file.depth for file in reading.files) == 3
    assert {reason for _, reason in blind(reading)} == {"too-deep"}


def test_content_of_inner_files_is_given_back_as_far_as_there_is_room() -> None:
    reading = opened(zipped({"a": EXE, "b": EXE + b"2"}), room=Room(keep=len(EXE) + 10))
    assert [file.content for file in reading.files] == [None, EXE, None]
