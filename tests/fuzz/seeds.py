"""Where the fuzzer begins: messages, fields, files and commands built by the code of the tests."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Iterator

from tricks import B64, BODIES, BOUNDARIES, ENCODINGS, PAYLOAD, QP, TRICKS, TYPES  # tests/mime, by way of targets

from gateway.extract.frames import Done, Marked, Told, encoded
from gateway.mime.enclosed import enclosures, readings
from gateway.mime.parse import parse
from gateway.reading import Blind, File, Link, Reason, Text, Trait, Zone
from tests.extract import archives


def seeds(target: str) -> Iterator[bytes]:
    """The seeds of a target."""
    if target in ("mime", "edit"):
        yield from TRICKS.values()
    elif target == "header":
        yield from (*TYPES.values(), *BOUNDARIES.values(), *ENCODINGS.values())
        yield b"Subject: =?utf-8?q?B=C3=A1o?=\r\n =?utf-8?b?Y8Ohbw==?=\r\n"
        yield b"attachment; filename*0*=utf-8'vi'a; filename*1=\"b\""
    elif target == "codecs":
        yield from (B64, QP, PAYLOAD, *BODIES.values())
        for raw in TRICKS.values():
            for part in parse(raw).walk():
                yield from (one.content for one in (*readings(raw, part), *enclosures(raw, part)))
    elif target == "text":
        for charset, page in enumerate(_PAGES):
            yield from (bytes([charset, *page.encode(name, "replace")]) for name in ("utf-8", "cp1258", "utf-16"))
    elif target == "archives":
        yield from _archives()
    elif target == "frames":
        yield from (b"".join(map(encoded, told)) for told in _TOLD)
    elif target == "milter":
        yield b"".join(_PACKETS)
        yield from _PACKETS
    elif target == "senders":
        yield from _SENDERS
    else:
        yield from _COMMANDS


def _packet(data: bytes) -> bytes:
    return len(data).to_bytes(4) + data


_PACKETS = tuple(
    _packet(data)
    for data in (
        b"O\0\0\0\6\0\0\1\xff\0\x1f\xff\xff",
        b"Cclient.example.org\x004\x10\xe1198.51.100.7\0",
        b"DMi\x004XyZ\0{auth_authen}\0an\0",
        b"M<an@example.org>\0SIZE=5\0",
        b"R<binh@example.gov.vn>\0NOTIFY=NEVER\0",
        b"LSubject\0 a\n\tb\0",
        b"N",
        b"Btext\r\n",
        b"E",
        b"Q",
    )
)


def _archives() -> Iterator[bytes]:
    files = {"a.txt": b"text " * 20, "b/c.exe": b"MZ" + bytes(80)}
    yield from (make(files) for make in (archives.zipped, archives.rar_4, archives.rar_5, archives.arj))
    yield archives.rar_5(files, encrypted=True)
    yield archives.quoted_overlap(4, 1000)
    yield archives.zip_of(archives.Piece(b"a", b"x", central_name=b"b"), prefix=b"MZ", count=0)
    yield archives.zipped({"a.zip": archives.zipped(files, comment=b"PK\5\6")})
    yield from (pack(b"text " * 20) for pack in (gzip.compress, bz2.compress, lzma.compress))


_SENDERS = (
    b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=example.org; s=s; h=from:to; l=5; bh=AAAA; b=AAAA\r\n"
    b'From: "A, B" <a@example.org>, =?utf-8?q?C?= (c) <c@xn--th-e0a.vn>\r\n\r\nx \t y\r\n\r\n',
    b"ARC-Seal: i=1; a=rsa-sha256; cv=none; d=example.org; s=s; b=AAAA\r\n"
    b"ARC-Authentication-Results: i=1; a; dmarc=pass\r\n"
    b"ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed; d=b.example; s=s; h=from; bh=AA==; b=AA==\r\n\r\nx",
    b"v=spf1 a:%{d1r-}.b.example/24//64 mx ptr include:b.example exists:%{ir}.%{v} ip4:192.0.2.0/24 ~all redirect=c.d",
    b"v=DMARC1; p=reject; sp=none; pct=30; adkim=s; rua=mailto:a@example.org",
    b"v=DKIM1; k=ed25519; t=y:s; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    b"mx.example.org 1 (c); spf=pass (x) smtp.mailfrom=a@example.org; dkim=fail header.d=example.org",
    b"https://vidu.gov.vn@xn--80ak6aa92e.com:443/x",
)
_TOLD: tuple[tuple[Told, ...], ...] = (
    (File(place="a", names=("b",), start=b"x", digest="0", content=b"y"), Marked(0, Trait(word="macro")), Done(1, 2)),
    (Text(place="a", zone=Zone.BODY, content="x"), Link(place="a", target="b"), Blind(place="a", reason=Reason.BOMB)),
)
_PAGES = (
    "<html><body>Kính gửi <a href='https://example.org/a'>các đồng chí</a><p hidden>x</p></body></html>",
    "<!doctype html><style>.a{display:none}</style><div class=a>ẩn</div><form action='/x'><input type=submit></form>",
    "Ca'c d-o^`ng chi' ki'nh me^'n, v i a g r a, m\u200bật khẩu: https://example.org/?a=b",
    "<!-- <b> --><script>x='</b>'</script><svg><title>a</title></svg><base href=//example.org>&nbsp;&#x1F600;",
)
_COMMANDS = (
    b"MAIL FROM:<a@example.org> SIZE=1 BODY=8BITMIME SMTPUTF8\r\n",
    b"FROM:<a@example.org> RET=HDRS ENVID=a+20b AUTH=<>",
    b"TO:<@a,@b:\"x y\"@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a@b",
    "TO:<người@ví-dụ.vn>".encode(),
    b"NAME=mail.example.org ADDR=IPV6:2001:db8::1 PORT=25 PROTO=ESMTP HELO=x LOGIN=a+40b",
    b"EHLO [192.0.2.1]\r\n",
)
