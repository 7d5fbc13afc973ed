"""ARC beside dkimpy: chains hold, and break at any of their links; `make evaluate` runs the public suite."""

from __future__ import annotations

import base64

import dkim
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from filters._sender_auth import arc
from filters._sender_auth.arc import Chain, verify
from filters._sender_auth.canonical import Form, body_hashes
from filters._sender_auth.signature import parse, signed_bytes
from tests.filters.sender_auth.letters import LETTER, lines_of, rsa_key
from tests.filters.zones import Zone

SEALERS = (b"lists.example", b"forward.example")


def sealed(letter: bytes = LETTER, sealers: tuple[bytes, ...] = SEALERS) -> bytes:
    """The letter, passed on by each of the hosts in turn; dkimpy seals with a library that we have not."""
    for number, sealer in enumerate(sealers, 1):
        letter = (
            b"ARC-Authentication-Results: i=%d; %s; dmarc=pass header.from=example.org\r\n" % (number, sealer) + letter
        )
        form = Form(True, "sha256")
        root, _ = lines_of(letter)
        digest = base64.b64encode(body_hashes(letter, root.body, [form])[form].digest)
        message = (
            b"ARC-Message-Signature: i=%d; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=s; h=from:subject:date; bh=%s; b="
        )
        message %= (number, sealer, digest)
        _, lines = lines_of(message + b"AA==\r\n" + letter)
        letter = message + signature_of(signed_bytes(lines, parse(lines, 0))) + b"\r\n" + letter
        state = b"pass" if number > 1 else b"none"
        seal = b"ARC-Seal: i=%d; a=rsa-sha256; t=1; cv=%s; d=%s; s=s; b=" % (number, state, sealer)
        _, lines = lines_of(seal + b"\r\n" + letter)
        letter = seal + signature_of(arc._sealed(lines, arc._sets(lines))) + b"\r\n" + letter
    return letter


def signature_of(text: bytes) -> bytes:
    key = serialization.load_pem_private_key(rsa_key()[0], None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return base64.b64encode(key.sign(text, padding.PKCS1v15(), hashes.SHA256()))


def zone() -> Zone:
    return Zone({f"s._domainkey.{sealer.decode()}": {"TXT": [rsa_key()[1]]} for sealer in SEALERS})


async def chain(raw: bytes, asked: Zone | None = None) -> Chain:
    root, lines = lines_of(raw)
    return await verify(asked or zone(), raw, root.body, lines)


@pytest.mark.parametrize("hosts", [1, 2])
async def test_what_dkimpy_calls_good_is_good(hosts: int) -> None:
    found = await chain(sealed(sealers=SEALERS[:hosts]))
    assert found.result == "pass", found.reason
    assert [one.sealer for one in found.sets] == [sealer.decode() for sealer in SEALERS[:hosts]]
    assert "dmarc=pass" in found.sets[0].results
    theirs, _, reason = dkim.arc_verify(
        sealed(sealers=SEALERS[:hosts]), dnsfunc=lambda name, timeout=5: rsa_key()[1].encode()
    )
    assert theirs == b"pass", reason


async def test_no_chain() -> None:
    assert (await chain(LETTER)).result == "none"


BROKEN = {
    "the text": (b"Moi anh", b"Moi bnh"),
    "the sender": (b"huong@", b"huang@"),
    "what the first host saw": (b"i=1; lists.example; dmarc=pass", b"i=1; lists.example; dmarc=fail"),
    "a seal": (b"cv=none", b"cv=pass"),
    "a number": (b"ARC-Seal: i=1;", b"ARC-Seal: i=3;"),
    "a number that is none": (b"ARC-Seal: i=1;", b"ARC-Seal: i=x;"),
    "an algorithm that must not be used": (b"a=rsa-sha256", b"a=rsa-sha1"),
}


@pytest.mark.parametrize(("old", "new"), BROKEN.values(), ids=BROKEN)
async def test_broken(old: bytes, new: bytes) -> None:
    raw = sealed()
    assert old in raw
    assert (await chain(raw.replace(old, new))).result == "fail"
    theirs, _, _ = dkim.arc_verify(raw.replace(old, new), dnsfunc=lambda name, timeout=5: rsa_key()[1].encode())
    assert theirs == b"fail"


async def test_a_field_of_a_set_that_is_missing_or_there_twice() -> None:
    raw = sealed(sealers=SEALERS[:1])
    seal = raw[: raw.index(b"\r\nARC-Message") + 2]
    assert seal.startswith(b"ARC-Seal")
    assert (await chain(raw.removeprefix(seal))).result == "fail"
    assert (await chain(seal + raw)).result == "fail"


async def test_more_sets_than_there_may_be() -> None:
    many = b"".join(b"ARC-Seal: i=%d; a=rsa-sha256\r\n" % number for number in range(1, 60))
    assert (await chain(many + LETTER)).result == "fail"


async def test_nobody_answers() -> None:
    names = {f"s._domainkey.{sealer.decode()}": {"TIMEOUT": []} for sealer in SEALERS}
    assert (await chain(sealed(), Zone(names))).result == "temperror"
