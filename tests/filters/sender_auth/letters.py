"""Letters that are signed and sealed by dkimpy, and the keys for it."""

from __future__ import annotations

import base64
from functools import lru_cache

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from filters._sender_auth.signature import Line
from gateway.mail import Part
from gateway.mime.header import fields
from gateway.mime.parse import parse

HEAD = (
    b"Received: from a by b; Mon, 5 Jan 2026 10:00:00 +0700\r\n"
    b"From: =?utf-8?q?H=C6=B0=C6=A1ng?= <huong@example.org>\r\n"
    b"To: an@example.gov.vn,\r\n\tbinh@example.gov.vn\r\n"
    b"Subject:  V/v  hop   giao ban \r\n"
    b"Date: Mon, 5 Jan 2026 10:00:00 +0700\r\n"
    b"Message-ID: <1@example.org>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n"
)
BODY = b"Kinh gui anh,\r\n\r\nMoi anh  hop.\t \r\n \r\nTran trong\r\n\r\n\r\n"
LETTER = HEAD + b"\r\n" + BODY


def rsa_key(bits: int = 2048) -> tuple[bytes, str]:
    """A private key as dkimpy wants it and the record for it; the same each time."""
    return _rsa_key(bits)


@lru_cache
def _rsa_key(bits: int) -> tuple[bytes, str]:
    key = rsa.generate_private_key(65537, bits)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private, f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


@lru_cache
def ed25519_key() -> tuple[ed25519.Ed25519PrivateKey, str]:
    """The same of the other kind, which dkimpy signs with a library that we have not."""
    key = ed25519.Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return key, f"v=DKIM1; k=ed25519; p={base64.b64encode(public).decode()}"


def signed(
    letter: bytes = LETTER,
    *,
    form: str = "relaxed/relaxed",
    names: bytes = b"from to subject date message-id",
    bits: int = 2048,
    domain: bytes = b"example.org",
    length: bool = False,
) -> bytes:
    """The letter with a signature on top."""
    head, body = form.encode().split(b"/")
    private, _ = rsa_key(bits)
    field = dkim.sign(
        letter, b"s", domain, private, canonicalize=(head, body), include_headers=names.split(), length=length
    )
    return bytes(field) + letter


def lines_of(raw: bytes) -> tuple[Part, list[Line]]:
    """The letter's tree and the lines of its head."""
    root = parse(raw)
    block = raw[root.head.start : root.head.stop]
    return root, [Line.of(block, field) for field in fields(block, 0)]
