"""Files out of what is no MIME: what they hold, what they are called, and where it ends."""

from __future__ import annotations

import base64
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mime.binhex import apple_files, binhexed
from gateway.mime.calendars import inline_files
from gateway.mime.cms import enveloped
from gateway.mime.enclosed import is_message, within
from gateway.mime.enclosure import ENCLOSURE_LIMIT, MAX_ENCLOSURES
from gateway.mime.mapi import properties
from gateway.mime.pgp import armoured, packets
from gateway.mime.rtf import RTF_LIMIT, uncompressed
from gateway.mime.stray import base64_in, message_in, multipart_in
from gateway.mime.tnef import unwrapped
from gateway.mime.uuencode import uuencoded
from gateway.mime.yenc import yencoded
from gateway.reading import Reason

from .tricks import (
    COMPRESSED,
    ENVELOPED,
    FILE,
    LITERAL,
    PAYLOAD,
    apple_single,
    armour,
    attribute,
    binhex,
    binhex_of,
    calendar,
    embedded,
    mixed,
    packet,
    property_,
    signed,
    signed_in_pieces,
    tnef,
    uu,
    winmail,
    xx,
    yenc,
)


def binhex_bomb() -> bytes:
    """A run of zeros that is longer than what is unpacked."""
    runs = ENCLOSURE_LIMIT // 254 + 2
    return binhex_of(b"\x05x.bin\0TYPECREA\0\0" + struct.pack(">II", 255 * runs, 0) + b"\0\0" + b"\0\x90\xff" * runs)


QUOTED_PART = b'--a"b\\\nX: y\nContent-Type: text/plain\n\nhi'
UNWRAPPED = {
    "uuencode": (uuencoded, uu(PAYLOAD), [("uuencode-1", ("x.bin",), "", PAYLOAD)]),
    "uuencode, two files": (
        uuencoded,
        uu(b"one") + uu(b"two"),
        [("uuencode-1", ("x.bin",), "", b"one"), ("uuencode-2", ("x.bin",), "", b"two")],
    ),
    "uuencode, a file that begins in another": (
        uuencoded,
        b"begin 644 a\n#86)C\n" + uu(b"two"),
        [("uuencode-1", ("a",), "", b"abc"), ("uuencode-2", ("x.bin",), "", b"two")],
    ),
    "a sentence that begins with begin": (uuencoded, b"begin with this\nand that", []),
    "xxencode": (uuencoded, xx(PAYLOAD), [("uuencode-1", ("x.bin",), "", PAYLOAD)]),
    "yEnc": (yencoded, yenc(PAYLOAD), [("yenc-1", ("x y.bin",), "", PAYLOAD)]),
    "BinHex": (binhexed, binhex(PAYLOAD), [("binhex", ("x.bin",), "", PAYLOAD)]),
    "AppleSingle": (lambda data: apple_files(data, ""), apple_single(PAYLOAD), [("apple", ("x.bin",), "", PAYLOAD)]),
    "a calendar": (inline_files, calendar(PAYLOAD), [("calendar-1", ("x.bin",), "application/x", PAYLOAD)]),
    "a text that is no calendar": (inline_files, calendar(PAYLOAD)[18:], []),
    "winmail.dat": (
        unwrapped,
        winmail(PAYLOAD),
        [
            ("html", (), "text/html", b"<b>hi</b>"),
            ("body", (), "text/plain", b"hi"),
            ("tnef-1", ("báo cáo.exe", "BAOCAO~1.EXE"), "", PAYLOAD),
        ],
    ),
    "a message in winmail.dat": (
        unwrapped,
        embedded(PAYLOAD),
        [("tnef-1", (), "application/ms-tnef", winmail(PAYLOAD))],
    ),
    "a subject in winmail.dat": (
        unwrapped,
        tnef(attribute(1, 0x69007, struct.pack("<II", 1258, 0)), attribute(1, 0x18004, b"b\xe1o\0")),
        [("subject", (), "text/plain", b"b\xe1o")],
    ),
    "S/MIME": (enveloped, signed(FILE), [("cms", (), "message/rfc822", FILE)]),
    "S/MIME in pieces": (enveloped, signed_in_pieces(FILE), [("cms", (), "message/rfc822", FILE)]),
    "S/MIME with a signature only": (enveloped, signed(b""), []),
    "S/MIME, compressed": (enveloped, signed(zlib.compress(FILE), COMPRESSED), [("cms", (), "message/rfc822", FILE)]),
    "S/MIME, compressed badly": (enveloped, signed(b"no zlib", COMPRESSED), []),
    "PGP": (armoured, armour(LITERAL), [("pgp-1", ("x.bin",), "", PAYLOAD)]),
    "PGP in pieces": (
        packets,
        bytes([0xCB, 0xE0 + 6]) + b"b\0\0\0\0\0" + b"x" * 58 + b"\x05after",
        [("pgp", (), "", b"x" * 58 + b"after")],
    ),
    "PGP in the old form": (packets, bytes([0x80 | 11 << 2 | 3]) + b"b\0\0\0\0\0old", [("pgp", (), "", b"old")]),
    "PGP with a signature in front": (
        packets,
        packet(4, b"x") + LITERAL + packet(2, b"x"),
        [("pgp", ("x.bin",), "", PAYLOAD)],
    ),
    "base64 of a program": (base64_in, b"see\n" + base64.encodebytes(PAYLOAD), [("base64-1", (), "", PAYLOAD)]),
    "base64 of nothing known": (base64_in, base64.encodebytes(bytes(range(1, 200))), []),
    "a quoted multipart": (
        multipart_in,
        b"Returned:\n--b\nContent-Type: text/plain\n\nhi",
        [
            (
                "parts",
                (),
                "message/rfc822",
                b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\nContent-Type: text/plain\n\nhi',
            )
        ],
    ),
    "a boundary with quotes": (
        multipart_in,
        QUOTED_PART,
        [
            (
                "parts",
                (),
                "message/rfc822",
                b'Content-Type: multipart/mixed; boundary="a\\"b\\\\"\r\n\r\n' + QUOTED_PART,
            )
        ],
    ),
    "a signature of a letter": (multipart_in, b"hello\n-- \nPhone: 1\n", []),
    "a head in a text": (
        message_in,
        b"\n\nSubject: a\nMIME-Version: 1.0\n\nhi",
        [("message", (), "message/rfc822", b"Subject: a\nMIME-Version: 1.0\n\nhi")],
    ),
    "a letter that begins like a head": (message_in, b"Note: bring this\nPlace: here\n", []),
}


@pytest.mark.parametrize(("unwrap", "data", "expected"), UNWRAPPED.values(), ids=UNWRAPPED)
def test_unwrapped(unwrap, data: bytes, expected: list[tuple[str, tuple[str, ...], str, bytes]]) -> None:
    found = list(unwrap(data))
    assert [(one.suffix, one.names, one.media_type, one.content) for one in found] == expected
    assert all(one.blind is None for one in found)


BLIND = {
    "S/MIME, encrypted": (enveloped, signed(FILE, ENVELOPED), Reason.ENCRYPTED),
    "S/MIME, signed and encrypted": (enveloped, signed(signed(FILE, ENVELOPED)), Reason.ENCRYPTED),
    "S/MIME, a bomb": (enveloped, signed(zlib.compress(bytes(ENCLOSURE_LIMIT + 1)), COMPRESSED), Reason.TOO_BIG),
    "PGP, encrypted": (armoured, armour(packet(1, b"x")), Reason.ENCRYPTED),
    "PGP, a bomb": (packets, packet(8, b"\2" + zlib.compress(bytes(ENCLOSURE_LIMIT + 1))), Reason.TOO_BIG),
    "PGP, too deep": (
        packets,
        packet(8, b"\0" + packet(8, b"\0" + packet(8, b"\0" + packet(8, b"\0" + LITERAL)))),
        Reason.TOO_DEEP,
    ),
    "BinHex, a bomb": (binhexed, binhex_bomb(), Reason.TOO_BIG),
    "too many files": (uuencoded, uu(b"x") * (MAX_ENCLOSURES + 1), Reason.TOO_MANY),
    "too many files of Usenet": (yencoded, yenc(b"x") * (MAX_ENCLOSURES + 1), Reason.TOO_MANY),
    "too many in a calendar": (inline_files, b"BEGIN:VCALENDAR\n" + b"ATTACH:AAAAAAAA\n" * 201, Reason.TOO_MANY),
    "too many in winmail.dat": (
        unwrapped,
        tnef(*[attribute(2, 0x69002, b""), attribute(2, 0x18010, b"x\0")] * (MAX_ENCLOSURES + 1)),
        Reason.TOO_MANY,
    ),
    "too long a text in winmail.dat": (
        unwrapped,
        tnef(
            attribute(
                1,
                0x69003,
                struct.pack("<I", 1) + property_(0x1009, 0x102, b"\0" * 8 + b"MELA\0\0\0\0" + b"x" * (RTF_LIMIT + 1)),
            )
        ),
        Reason.TOO_BIG,
    ),
}


@pytest.mark.parametrize(("unwrap", "data", "reason"), BLIND.values(), ids=BLIND)
def test_what_is_out_of_sight_is_said(unwrap, data: bytes, reason: Reason) -> None:
    found = list(unwrap(data))
    assert reason in {one.blind for one in found}
    assert len(found) <= MAX_ENCLOSURES + 1
    assert all(len(one.content) <= ENCLOSURE_LIMIT for one in found)


def test_compressed_rtf_as_the_standard_shows_it() -> None:
    """[MS-OXRTFCP] section 3.2.1 and 3.2.2: text with references to the dictionary, and to itself."""
    simple = "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    assert uncompressed(bytes.fromhex(simple)) == (b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n", False)
    crossing = "1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0"
    assert uncompressed(bytes.fromhex(crossing)) == (b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}", False)


MESSAGES = {
    "by its type": (b"x", "message/rfc822", (), True),
    "by its name": (b"x", "application/octet-stream", ("a.eml",), True),
    "by its bytes": (b"Received: from x\n", "application/octet-stream", (), True),
    "a letter that begins with From": (b"From: the minister\n", "text/plain", (), False),
    "a file": (b"%PDF-", "application/pdf", ("a.pdf",), False),
}


@pytest.mark.parametrize(("data", "media_type", "names", "expected"), MESSAGES.values(), ids=MESSAGES)
def test_what_is_a_message(data: bytes, media_type: str, names: tuple[str, ...], expected: bool) -> None:
    assert is_message(data, media_type, names) is expected


def test_nothing_is_searched_in_a_message_for_its_parts_tell() -> None:
    assert not list(within(mixed(FILE), "message/rfc822"))


@given(st.binary(max_size=300))
def test_files_come_out_as_they_went_in(data: bytes) -> None:
    for unwrap, wrapped in (
        (uuencoded, uu(data)),
        (uuencoded, xx(data)),
        (yencoded, yenc(data)),
        (binhexed, binhex(data)),
    ):
        assert [one.content for one in unwrap(b"a text\n" + wrapped)] == [data]
    assert [one.content for one in packets(packet(11, b"b\0\0\0\0\0" + data))] == [data]


@given(st.binary(max_size=200), st.data())
def test_broken_files_raise_nothing(junk: bytes, data: st.DataObject) -> None:
    whole = data.draw(
        st.sampled_from([winmail(PAYLOAD), embedded(PAYLOAD), signed(FILE), signed_in_pieces(FILE), LITERAL])
    )
    at = data.draw(st.integers(0, len(whole)))
    broken = whole[:at] + junk + whole[at + len(junk) // 2 :]
    for unwrap in (unwrapped, enveloped, packets, properties):
        list(unwrap(broken))
