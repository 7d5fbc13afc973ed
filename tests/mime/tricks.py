"""Messages that hide a payload, each by one trick with a name: what programs read in different ways.

`TRICKS` are for tests and for the fuzzer, which begins from them.
"""

from __future__ import annotations

import base64
import binascii
import bz2
import struct
import zlib

PAYLOAD = b"MZ\x90\x00" + b"the payload that must be seen \xff\x00" * 4
B64 = base64.encodebytes(PAYLOAD).replace(b"\n", b"\r\n")
QP = b"the =\r\npayload that must be s=65en"
TYPE = b"Content-Type: application/octet-stream; name=x.bin\r\n"
FILE = TYPE + b"Content-Transfer-Encoding: base64\r\n\r\n" + B64
TEXT = b"Content-Type: text/plain\r\n\r\nhello\r\n"
NEEDLE = b"the payload that must be seen"


def mixed(*parts: bytes, boundary: bytes = b"b", head: bytes = b"boundary=b") -> bytes:
    body = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    return b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; " + head + b"\r\n\r\n" + body + b"--b--\r\n"


def single(head: bytes, body: bytes) -> bytes:
    return b"Subject: x\r\n" + head + b"\r\n\r\n" + body


def uu(data: bytes) -> bytes:
    lines = [binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45)]
    return b"begin 644 x.bin\n" + b"".join(lines) + b"`\nend\n"


def xx(data: bytes) -> bytes:
    table = bytes.maketrans(bytes(range(32, 97)), b"+-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+")
    lines = [binascii.b2a_uu(data[at : at + 45]).rstrip(b"\n").translate(table) for at in range(0, len(data), 45)]
    return b"begin 644 x.bin\n" + b"\n".join(lines) + b"\n+\nend\n"


def yenc(data: bytes) -> bytes:
    body = b""
    for byte in data:
        value = (byte + 42) % 256
        body += b"=" + bytes([(value + 64) % 256]) if value in b"\0\r\n=" else bytes([value])
    return b"=ybegin line=128 size=%d name=x y.bin\r\n%s\r\n=yend size=%d\r\n" % (len(data), body, len(data))


def binhex(data: bytes) -> bytes:
    packed = b"\x05x.bin\0TYPECREA\0\0" + struct.pack(">II", len(data), 0) + b"\0\0" + data + b"\0\0\0\0"
    return binhex_of(packed.replace(b"\x90", b"\x90\0"))


def binhex_of(packed: bytes) -> bytes:
    alphabet = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
    usual = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    coded = base64.b64encode(packed).rstrip(b"=").translate(bytes.maketrans(usual, alphabet))
    lines = [coded[at : at + 64] for at in range(0, len(coded), 64)]
    return b"(This file must be converted with BinHex 4.0)\r\n\r\n:" + b"\r\n".join(lines) + b":\r\n"


def attribute(level: int, tag: int, value: bytes) -> bytes:
    return bytes([level]) + struct.pack("<II", tag, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def property_(number: int, kind: int, value: bytes) -> bytes:
    return struct.pack("<HHII", kind, number, 1, len(value)) + value + b"\0" * (-len(value) % 4)


def tnef(*attributes: bytes) -> bytes:
    return b"\x78\x9f\x3e\x22\x01\x00" + b"".join(attributes)


def winmail(data: bytes) -> bytes:
    name = property_(0x3707, 0x1F, "báo cáo.exe".encode("utf-16-le") + b"\0\0")
    return tnef(
        attribute(
            1, 0x69003, struct.pack("<I", 2) + property_(0x1013, 0x102, b"<b>hi</b>") + property_(0x1000, 0x1E, b"hi\0")
        ),
        attribute(2, 0x69002, b"\0" * 14),
        attribute(2, 0x18010, b"BAOCAO~1.EXE\0"),
        attribute(2, 0x6800F, data),
        attribute(2, 0x69005, struct.pack("<I", 1) + name),
    )


def embedded(data: bytes) -> bytes:
    value = b"\x07\x03\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46" + winmail(data)
    return tnef(
        attribute(2, 0x69002, b"\0" * 14),
        attribute(2, 0x69005, struct.pack("<I", 1) + property_(0x3701, 0x0D, value)),
    )


def der(tag: int, *values: bytes) -> bytes:
    body = b"".join(values)
    length = bytes([len(body)]) if len(body) < 128 else b"\x82" + struct.pack(">H", len(body))
    return bytes([tag]) + length + body


def ber(tag: int, *values: bytes) -> bytes:
    return bytes([tag, 0x80]) + b"".join(values) + b"\0\0"


SIGNED, DATA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
ENVELOPED, COMPRESSED = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09"


def signed(content: bytes, kind: bytes = SIGNED) -> bytes:
    inner = der(0x30, der(0x06, DATA), der(0xA0, der(0x04, content)))
    return der(0x30, der(0x06, kind), der(0xA0, der(0x30, der(0x02, b"\1"), der(0x31), inner, der(0x31))))


def signed_in_pieces(content: bytes) -> bytes:
    pieces = ber(0x24, *(der(0x04, content[at : at + 100]) for at in range(0, len(content), 100)))
    inner = ber(0x30, der(0x06, DATA), ber(0xA0, pieces))
    certificates = ber(0xA0, der(0x30, der(0x04, b"certificate")))
    return ber(
        0x30, der(0x06, SIGNED), ber(0xA0, ber(0x30, der(0x02, b"\1"), ber(0x31), inner, certificates, der(0x31)))
    )


def packet(tag: int, body: bytes) -> bytes:
    return bytes([0xC0 | tag, 0xFF]) + struct.pack(">I", len(body)) + body


LITERAL = packet(11, b"b\x05x.bin\0\0\0\0" + PAYLOAD)


def armour(data: bytes) -> bytes:
    coded = base64.encodebytes(data).replace(b"\n", b"\r\n")
    return b"-----BEGIN PGP MESSAGE-----\r\nVersion: 1\r\n\r\n" + coded + b"=abcd\r\n-----END PGP MESSAGE-----\r\n"


def apple_single(data: bytes) -> bytes:
    entries = struct.pack(">III", 3, 50, 5) + struct.pack(">III", 1, 55, len(data))
    return b"\0\5\x16\0\0\2\0\0" + b"\0" * 16 + struct.pack(">H", 2) + entries + b"x.bin" + data


def calendar(data: bytes) -> bytes:
    line = b"ATTACH;VALUE=BINARY;ENCODING=BASE64;FMTTYPE=application/x;X-FILENAME=x.bin:" + base64.b64encode(data)
    folded = b"\r\n ".join(line[at : at + 70] for at in range(0, len(line), 70))
    return b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + folded + b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"


def urlsafe(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data)


def in_text(text: bytes) -> bytes:
    return single(b"Content-Type: text/plain", b"see below\r\n\r\n" + text)


def attached(content: bytes, head: bytes) -> bytes:
    return mixed(TEXT, head + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(content))


CTE = b"Content-Transfer-Encoding: "
ENCODINGS = {
    "in capitals": b"BASE64",
    "with a comment before": b"(say) base64",
    "with a comment behind": b"base64 (7bit)",
    "in nested comments": b"(a (b) 7bit) base64",
    "with a comment that does not end": b"base64 (",
    "in quotes": b'"base64"',
    "with a semicolon": b"base64;",
    "with a parameter": b"base64; charset=x",
    "with a comma": b"base64, 7bit",
    "second in a list": b"7bit, base64",
    "with a word before": b"x base64",
    "with a word behind": b"base64 encoding",
    "with a NUL inside": b"base\x0064",
    "with a NUL behind": b"base64\x007bit",
    "with a tab": b"\tbase64\t",
    "folded": b"\r\n base64",
    "folded with an empty fold": b"\r\n \r\n base64",
    "as an encoded word": b"=?us-ascii?q?base64?=",
    "as a base64 word": b"=?utf-8?b?YmFzZTY0?=",
    "nobody knows": b"base-64",
    "of another world": b"x-base64",
    "empty": b"",
    "wrong: 7bit": b"7bit",
    "wrong: quoted-printable": b"quoted-printable",
}
FIELDS = {
    "twice, the first counts": CTE + b"base64\r\n" + CTE + b"7bit",
    "twice, the last counts": CTE + b"7bit\r\n" + CTE + b"base64",
    "thrice": CTE + b"7bit\r\n" + CTE + b"8bit\r\n" + CTE + b"base64",
    "quoted-printable, then base64": CTE + b"quoted-printable\r\n" + CTE + b"base64",
    "missing": b"X-Nothing: here",
    "with a space before the colon": b"Content-Transfer-Encoding : base64",
    "under another name": b"Content-Encoding: base64",
    "with a letter missing": b"Content-Transfer-Encodin: base64",
    "with a NUL in its name": b"Content-Transfer\0-Encoding: base64",
    "behind a bare CR": b"X-A: b\rContent-Transfer-Encoding: base64",
    "behind a line that is no field": b"no field here\r\n" + CTE + b"base64",
    "behind a line of spaces": b"X-A: b\r\n   \r\n" + CTE + b"base64",
    "behind an empty line": b"X-A: b\r\n\r\n" + CTE + b"base64",
}
BODIES = {
    "in short lines": b"\r\n".join(B64[at : at + 5].strip() for at in range(0, len(B64), 5)),
    "in one line": B64.replace(b"\r\n", b""),
    "with foreign characters": B64.replace(b"T", b"!T*").replace(b"Z", b"Z\x80 "),
    "with a foreign line": b"This is no base64.\r\n\r\n" + B64,
    "without padding": B64.replace(b"=", b""),
    "with a padding sign inside": B64[:8] + b"=" + B64[8:],
    "with padding inside a group": B64[:6] + b"=" + B64[6:],
    "with padding in every line": b"".join(
        base64.b64encode(PAYLOAD[at : at + 40]) + b"\r\n" for at in range(0, 136, 40)
    ),
    "in the alphabet for URLs": urlsafe(PAYLOAD),
    "with bare CR line ends": B64.replace(b"\r\n", b"\r"),
    "with NUL bytes": B64.replace(b"\r\n", b"\0\r\n\0"),
    "with a dash line inside": B64[:40] + b"\r\n--x\r\n" + B64[40:],
}
TYPES = {
    "in capitals": b"MULTIPART/MIXED; BOUNDARY=b",
    "with spaces": b"multipart / mixed ; boundary = b",
    "without a subtype": b"multipart; boundary=b",
    "in quotes": b'"multipart/mixed"; boundary=b',
    "in a list": b"text/plain, multipart/mixed; boundary=b",
    "behind another": b"text/plain; multipart/mixed; boundary=b",
    "with a comment before": b"(text/plain) multipart/mixed; boundary=b",
    "with a comment inside": b"multipart/(say)mixed; boundary=b",
    "with a comment that holds a parameter": b"multipart/mixed (; boundary=x) ; boundary=b",
    "with a comment in a comment": b"multipart/mixed (a (b) boundary=x); boundary=b",
    "with a comment that does not end": b"multipart/mixed; boundary=b (",
    "as an encoded word": b"=?us-ascii?q?multipart/mixed?=; boundary=b",
    "with a NUL": b"multi\0part/mixed; boundary=b",
    "cut by a NUL for some": b"text/plain\0; x=y\r\nContent-Type: multipart/mixed; boundary=b",
    "with many semicolons": b"multipart/mixed;;; ;boundary=b",
    "without a semicolon": b"multipart/mixed boundary=b",
    "with a colon": b": multipart/mixed; boundary=b",
    "folded before": b"\r\n multipart/mixed;\r\n\tboundary=b",
    "folded within": b"multipart/mixed; boundary=\r\n b",
    "of a kind nobody knows": b"multipart/x-strange; boundary=b",
    "that is none": b"mixed; boundary=b",
    "twice, the last a multipart": b"text/plain\r\nContent-Type: multipart/mixed; boundary=b",
    "twice, the first a multipart": b"multipart/mixed; boundary=b\r\nContent-Type: text/plain",
    "missing": b"",
    "of a text": b"text/plain",
    "of a message": b"message/rfc822",
    "of a file": b"application/octet-stream",
}
BOUNDARIES = {
    "twice": b"boundary=x; boundary=b",
    "twice, the first counts": b"boundary=b; boundary=x",
    "in RFC 2231 form": b"boundary*=us-ascii''b",
    "in RFC 2231 form with a language": b"boundary*=us-ascii'en'%62",
    "in RFC 2231 pieces": b"boundary*0=b; boundary*1=",
    "in both forms, the plain one counts": b"boundary=b; boundary*=us-ascii''x",
    "in both forms, the other counts": b"boundary=x; boundary*=us-ascii''b",
    "as an encoded word": b'boundary="=?us-ascii?q?b?="',
    "as a base64 word": b'boundary="=?us-ascii?b?Yg==?="',
    "in quotes": b'boundary="b"',
    "in single quotes": b"boundary='b'",
    "with a quoted sign": rb'boundary="\b"',
    "in quotes that do not close": b'boundary="b',
    "with spaces inside the quotes": b'boundary=" b "',
    "with a space behind": b'boundary="b "',
    "with junk behind the quotes": b'boundary="b"x',
    "with a comment": b"boundary=b (x)",
    "with a comment before": b"boundary=(x)b",
    "with a nested comment": b"(a(b)c) boundary=b",
    "behind a broken parameter": b'x="; boundary=b',
    "behind a parameter without a value": b"x; boundary=b",
    "behind an empty parameter": b"=; boundary=b",
    "behind a parameter with a NUL": b"x=\0; boundary=b",
    "with a NUL behind": b"boundary=b\0x",
    "in capitals": b"BOUNDARY=b",
    "with spaces around the sign": b"boundary = b",
    "empty": b'boundary=""',
    "missing": b"charset=x",
    "that never comes": b"boundary=zzz",
    "too long": b"boundary=" + b"b" * 2_000,
    "in a comment only": b"(boundary=b)",
    "under another name": b"xboundary=b",
    "in 8-bit": b"boundary=\xff; boundary=b",
}
STRUCTURES = {
    "a part before the first boundary": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + FILE + b"\r\n--b--\r\n",
    "a part in the preamble, by another boundary": mixed(TEXT).replace(
        b"\r\n\r\n--b", b"\r\n\r\n--c\r\n" + FILE + b"\r\n--c--\r\n--b", 1
    ),
    "uuencode in the preamble": mixed(TEXT).replace(b"\r\n\r\n--b", b"\r\n\r\n" + uu(PAYLOAD) + b"--b", 1),
    "uuencode in the epilogue": mixed(TEXT) + uu(PAYLOAD),
    "base64 in the epilogue": mixed(TEXT) + b"\r\n" + B64,
    "a part behind the end": mixed(TEXT) + b"--b\r\n" + FILE,
    "a part behind the end, by another boundary": mixed(TEXT) + b"--c\r\n" + FILE + b"\r\n--c--\r\n",
    "no closing boundary": mixed(TEXT, FILE)[:-7],
    "a boundary with spaces behind": mixed(TEXT, FILE).replace(b"--b\r\n", b"--b   \t\r\n"),
    "a boundary with 200 spaces behind": mixed(TEXT, FILE).replace(b"--b\r\n", b"--b" + b" " * 200 + b"\r\n"),
    "a boundary with text behind": mixed(TEXT, FILE).replace(b"--b\r\n", b"--b and more\r\n"),
    "one boundary with text behind": mixed(TEXT, b"\r\nhi\r\n--b and more\r\n" + FILE),
    "an end with text behind": mixed(TEXT, b"\r\nhi\r\n--b-- and more\r\n" + FILE),
    "boundaries behind bare CR": mixed(TEXT, FILE).replace(b"\r\n--b", b"\r--b"),
    "all lines ended by bare CR": mixed(TEXT, FILE).replace(b"\r\n", b"\r"),
    "all lines ended by bare LF": mixed(TEXT, FILE).replace(b"\r\n", b"\n"),
    "line ends mixed": mixed(TEXT, FILE).replace(b"\r\n\r\n", b"\n\r\n"),
    "lines ended by CR CR LF": mixed(TEXT, FILE).replace(b"\r\n", b"\r\r\n"),
    "a NUL before every boundary": mixed(TEXT, FILE).replace(b"\r\n--b", b"\r\n\0--b"),
    "the inner boundary that of the outer": mixed(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + FILE),
    "an inner boundary that begins like the outer": mixed(
        b"Content-Type: multipart/mixed; boundary=bb\r\n\r\n--bb\r\n" + FILE + b"\r\n--bb--\r\n"
    ),
    "an outer boundary that begins like the inner": mixed(
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + FILE, boundary=b"bb", head=b"boundary=bb"
    ),
    "a multipart in base64": single(
        b"Content-Type: multipart/mixed; boundary=b\r\n" + CTE + b"base64",
        base64.encodebytes(b"--b\r\n" + FILE + b"\r\n--b--"),
    ),
    "a multipart in quoted-printable": single(
        b"Content-Type: multipart/mixed; boundary=b\r\n" + CTE + b"quoted-printable",
        b"=2D=2Db\r\n" + FILE.replace(b"=", b"=3D") + b"\r\n=2D-b--",
    ),
    "a message in base64": attached(single(b"X: y", b"") + mixed(FILE), b"Content-Type: message/rfc822"),
    "a message in quoted-printable": mixed(
        b"Content-Type: message/rfc822\r\n" + CTE + b"quoted-printable\r\n\r\n" + FILE.replace(b"=", b"=3D")
    ),
    "a message as a file": attached(mixed(TEXT, FILE), b"Content-Type: application/octet-stream; name=x.eml"),
    "a message as a nameless file": attached(mixed(TEXT, FILE), b"Content-Type: application/octet-stream"),
    "a message in a message in base64": attached(
        attached(mixed(TEXT, FILE), b"Content-Type: message/rfc822"), b"Content-Type: message/rfc822"
    ),
    "a message that a bounce quotes": single(b"Content-Type: text/plain", b"Returned:\r\n\r\n" + mixed(TEXT, FILE)),
    "a message that a bounce quotes, its head first": single(b"Content-Type: text/plain", mixed(TEXT, FILE)),
    "a head behind an empty line": b"\r\n" + mixed(TEXT, FILE),
    "a head behind a line of text": b"hello you\r\n" + mixed(TEXT, FILE),
    "a head behind the line of a mailbox": b"From me Mon Jan  1\r\n" + mixed(TEXT, FILE),
    "a head that begins with a continued line": b" hello\r\n" + mixed(TEXT, FILE),
    "a part's head behind an empty line": mixed(TEXT, b"\r\n" + FILE),
    "a part without an empty line": mixed(TEXT, TYPE + CTE + b"base64\r\n" + B64),
    "message/partial": single(b"Content-Type: message/partial; id=a; number=1; total=2", b"Subject: y\r\n" + FILE),
    "message/external-body": single(b"Content-Type: message/external-body; access-type=URL", FILE),
    "multipart/encrypted": single(b"Content-Type: multipart/encrypted; boundary=b", b"--b\r\n\r\nx\r\n--b--"),
    "multipart/signed": mixed(TEXT, FILE).replace(b"mixed", b"signed"),
    "multipart/digest": b"Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n" + FILE + b"\r\n--b--",
    "multipart/appledouble": mixed(TEXT, FILE).replace(b"mixed", b"appledouble"),
}
CONTAINERS = {
    "uuencode": in_text(uu(PAYLOAD)),
    "uuencode with CRLF": in_text(uu(PAYLOAD).replace(b"\n", b"\r\n")),
    "uuencode without an end": in_text(uu(PAYLOAD)[:-6]),
    "uuencode at the very start": single(b"Content-Type: text/plain", uu(PAYLOAD)),
    "uuencode without a mode": in_text(uu(PAYLOAD).replace(b"644 ", b" ")),
    "uuencode without trailing spaces": in_text(uu(PAYLOAD.replace(b"\0", b" ")).replace(b" \n", b"\n")),
    "uuencode in HTML": single(b"Content-Type: text/html", b"<p>see</p>\r\n" + uu(PAYLOAD)),
    "uuencode in a text in base64": single(
        b"Content-Type: text/plain\r\n" + CTE + b"base64", base64.b64encode(uu(PAYLOAD))
    ),
    "uuencode behind another": in_text(uu(b"something else") + uu(PAYLOAD)),
    "uuencode within another": in_text(b"begin 644 a\r\n" + uu(PAYLOAD)),
    "uuencode by its field": single(TYPE + CTE + b"x-uuencode", uu(PAYLOAD)),
    "uuencode by its field, text before": single(TYPE + CTE + b"uuencode", b"hello\r\n" + uu(PAYLOAD)),
    "uuencode in base64": in_text(b"begin-base64 644 x.bin\n" + B64 + b"====\n"),
    "xxencode": in_text(xx(PAYLOAD)),
    "yEnc": in_text(yenc(PAYLOAD)),
    "yEnc, a part of many": in_text(yenc(PAYLOAD).replace(b"y.bin\r\n", b"y.bin\r\n=ypart begin=1 end=2\r\n")),
    "BinHex": in_text(binhex(PAYLOAD)),
    "BinHex by its type": single(b"Content-Type: application/mac-binhex40", binhex(PAYLOAD)),
    "base64 without a head": in_text(B64),
    "base64 without MIME": b"Subject: x\r\n\r\n" + B64,
    "winmail.dat": attached(winmail(PAYLOAD), b"Content-Type: application/ms-tnef; name=winmail.dat"),
    "winmail.dat under another name": attached(winmail(PAYLOAD), b"Content-Type: application/octet-stream; name=a"),
    "a message in winmail.dat": attached(embedded(PAYLOAD), b"Content-Type: application/ms-tnef"),
    "winmail.dat cut off": attached(winmail(PAYLOAD)[:-30], b"Content-Type: application/ms-tnef"),
    "S/MIME signed": attached(signed(FILE), b"Content-Type: application/pkcs7-mime; smime-type=signed-data"),
    "S/MIME signed, in pieces": attached(signed_in_pieces(FILE), b"Content-Type: application/x-pkcs7-mime"),
    "S/MIME signed twice": attached(signed(signed(FILE)), b"Content-Type: application/pkcs7-mime"),
    "S/MIME signed, as a file": attached(signed(FILE), b"Content-Type: application/octet-stream; name=smime.p7m"),
    "S/MIME signed, nameless": attached(signed(FILE), b"Content-Type: application/octet-stream"),
    "S/MIME compressed": attached(signed(zlib.compress(FILE), COMPRESSED), b"Content-Type: application/pkcs7-mime"),
    "S/MIME in PEM": in_text(b"").replace(b"see below\r\n\r\n", b"-----BEGIN PKCS7-----\r\n")
    + base64.encodebytes(signed(FILE))
    + b"-----END PKCS7-----\r\n",
    "S/MIME encrypted": attached(signed(FILE, ENVELOPED), b"Content-Type: application/pkcs7-mime"),
    "PGP armour": in_text(armour(LITERAL)),
    "PGP armour, compressed": in_text(armour(packet(8, b"\1" + zlib.compress(LITERAL)[2:-4]))),
    "PGP armour, by zlib": in_text(armour(packet(8, b"\2" + zlib.compress(LITERAL)))),
    "PGP armour, by bzip2": in_text(armour(packet(8, b"\3" + bz2.compress(LITERAL)))),
    "PGP armour, encrypted": in_text(armour(packet(1, b"key") + packet(18, b"secret"))),
    "PGP in binary": attached(LITERAL, b"Content-Type: application/octet-stream; name=x.pgp"),
    "AppleSingle": attached(apple_single(PAYLOAD), b"Content-Type: application/applefile"),
    "MacBinary": attached(
        b"\0\5x.bin" + b"\0" * 76 + struct.pack(">I", len(PAYLOAD)) + b"\0" * 41 + PAYLOAD,
        b"Content-Type: application/macbinary",
    ),
    "a calendar": single(b"Content-Type: text/calendar", calendar(PAYLOAD)),
    "a card": single(
        b"Content-Type: text/vcard", calendar(PAYLOAD).replace(b"CALENDAR", b"CARD").replace(b"ATTACH", b"PHOTO")
    ),
}
TRICKS = {
    **{f"an encoding {name}": single(TYPE + CTE + value, B64) for name, value in ENCODINGS.items()},
    **{f"an encoding {name}, of a text": single(CTE + value, B64) for name, value in ENCODINGS.items()},
    **{f"the field of the encoding {name}": single(TYPE + value, B64) for name, value in FIELDS.items()},
    **{f"base64 {name}": single(TYPE + CTE + b"base64", body) for name, body in BODIES.items()},
    **{
        f"base64 {name}, in a part": mixed(TEXT, TYPE + CTE + b"base64\r\n\r\n" + body) for name, body in BODIES.items()
    },
    **{
        f"a type {name}": b"Content-Type: " + value + b"\r\n\r\n" + mixed(TEXT, FILE).partition(b"\r\n\r\n")[2]
        for name, value in TYPES.items()
    },
    **{f"a boundary {name}": mixed(TEXT, FILE, head=value) for name, value in BOUNDARIES.items()},
    **STRUCTURES,
    **CONTAINERS,
    "quoted-printable with spaces behind the word": single(CTE + b"quoted-printable  ", QP),
    "quoted-printable under an unknown name": single(CTE + b"quoted printable", QP),
    "quoted-printable that is not declared": single(b"Content-Type: text/html", QP),
}
