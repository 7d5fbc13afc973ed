"""DKIM beside dkimpy: what it signs is good, what is changed by an octet is not, and each rule of RFC 6376."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from dkim.canonicalization import Relaxed, Simple
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filters._sender_auth import canonical
from filters._sender_auth.canonical import Form, body_hashes, canonical_body
from filters._sender_auth.dkim import MOST_SIGNATURES, Verified, verify
from filters._sender_auth.signature import parse, signed_bytes
from gateway.mail import Span
from tests.filters.sender_auth.letters import BODY, HEAD, LETTER, ed25519_key, lines_of, rsa_key, signed
from tests.filters.zones import Records, Zone

NOW = 1_767_600_000.0
SHORT_PRIMES = (
    0xC2AC15505185A9AC429A1A17755416D0FC7FDC175BC4D0CB31BD1FDA17576151,
    0xE0EABA5F34946AB6A1A3E28D2FEBB2D3BD9565EC231522777459AC1232310619,
)
FORMS = ("simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed")


def zone(record: str | None = None, **more: Records) -> Zone:
    return Zone({"s._domainkey.example.org": {"TXT": [record or rsa_key()[1]]}, **more})


async def verified(raw: bytes, asked: Zone | None = None, now: float = NOW) -> list[Verified]:
    root, lines = lines_of(raw)
    return await verify(asked or zone(), raw, root.body, lines, now)


async def one(raw: bytes, asked: Zone | None = None, now: float = NOW) -> Verified:
    [result] = await verified(raw, asked, now)
    return result


@pytest.mark.parametrize("form", FORMS)
async def test_what_dkimpy_signs_is_good(form: str) -> None:
    result = await one(signed(form=form))
    assert (result.result, result.canonicalization, result.bits) == ("pass", form, 2048), result.reason
    assert dkim.verify(signed(form=form), dnsfunc=lambda name, timeout=5: rsa_key()[1].encode())


@pytest.mark.parametrize("form", FORMS)
async def test_changed_by_an_octet(form: str) -> None:
    raw = signed(form=form)
    for old, new in ((b"Moi anh", b"Moi bnh"), (b"hop   giao", b"hop   gieo"), (b"huong@", b"huang@")):
        assert (await one(raw.replace(old, new))).result == "fail"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), st.integers(1, 255), st.sampled_from(FORMS))
async def test_any_octet_of_what_was_signed(at: int, change: int, form: str) -> None:
    """It is never good where dkimpy does not think so; that may read no such head at all."""
    raw = bytearray(signed(form=form))
    at %= len(raw)
    raw[at] ^= change
    ours = [each.result for each in await verified(bytes(raw))]
    if "pass" in ours:
        with contextlib.suppress(dkim.MessageFormatError):
            assert dkim.verify(bytes(raw), dnsfunc=lambda name, timeout=5: rsa_key()[1].encode())


async def test_ed25519() -> None:
    key, record = ed25519_key()
    root, lines = lines_of(LETTER)
    form = Form(True, "sha256")
    digest = base64.b64encode(body_hashes(LETTER, root.body, [form])[form].digest).decode()
    field = (
        "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.org; s=s;"
        f"\r\n h=from:subject; bh={digest};"
        "\r\n b="
    )
    for value in ("AA==", ""):
        raw = field.encode() + value.encode() + b"\r\n" + LETTER
        _, lines = lines_of(raw)
        if value:
            to_sign = signed_bytes(lines, parse(lines, 0))
    signature = base64.b64encode(key.sign(hashlib.sha256(to_sign).digest())).decode()
    raw = f"{field}{signature}\r\n".encode() + LETTER
    result = await one(raw, zone(record))
    assert (result.result, result.algorithm, result.bits) == ("pass", "ed25519-sha256", 256), result.reason
    assert (await one(raw.replace(b"giao ban", b"giao bun"), zone(record))).result == "fail"


async def test_lone_line_feeds_of_a_file_are_line_endings() -> None:
    assert (await one(signed().replace(b"\r\n", b"\n"))).result == "pass"


async def test_extra_lines_at_the_end_do_not_count() -> None:
    assert (await one(signed() + b"\r\n" * 70_000)).result == "pass"


async def test_a_small_body_without_an_end() -> None:
    assert (await one(signed(HEAD + b"\r\nx"))).result == "pass"


@pytest.mark.parametrize("form", FORMS)
async def test_no_body_at_all(form: str) -> None:
    assert (await one(signed(HEAD + b"\r\n", form=form))).result == "pass"


KEYS = {
    "revoked": ("v=DKIM1; p=", "permerror"),
    "of another version": ("v=DKIM2; p=AAAA", "permerror"),
    "not for mail": ("v=DKIM1; s=chat; p=AAAA", "permerror"),
    "damaged": ("v=DKIM1; p=AAAA", "permerror"),
    "no base64": ("v=DKIM1; p=%%%%", "permerror"),
    "of an unknown kind": ("v=DKIM1; k=dsa; p=AAAA", "permerror"),
    "of the other kind": (ed25519_key()[1], "permerror"),
    "for another hash": (rsa_key()[1].replace("k=rsa", "h=sha1"), "permerror"),
    "no list of tags": ("p=AAAA; p=BBBB", "permerror"),
    "somebody else's": (rsa_key(1024)[1], "fail"),
    "its own": (rsa_key()[1], "pass"),
    "its own, with blanks": (rsa_key()[1].replace("; ", " ;\t "), "pass"),
}


@pytest.mark.parametrize(("record", "result"), KEYS.values(), ids=KEYS)
async def test_keys(record: str, result: str) -> None:
    assert (await one(signed(), zone(record))).result == result


async def test_no_key_and_no_answer() -> None:
    assert (await one(signed(), Zone({}))).result == "permerror"
    assert (await one(signed(), Zone({"s._domainkey.example.org": {"TIMEOUT": []}}))).result == "temperror"


async def test_a_text_beside_the_key_is_passed_over() -> None:
    names = {"s._domainkey.example.org": {"TXT": ["v=spf1 -all", rsa_key()[1]]}}
    assert (await one(signed(), Zone(names))).result == "pass"


async def test_testing_and_strict_keys() -> None:
    assert (await one(signed(), zone(rsa_key()[1] + "; t=y"))).testing
    strict = zone(rsa_key()[1] + "; t=s")
    assert (await one(signed(), strict)).result == "pass"


TAGS = {
    "no version": (b" v=1;", b""),
    "no domain": (b" d=example.org;", b""),
    "a domain that is none": (b" d=example.org;", b" d=org;"),
    "a selector with a slash": (b" s=s;", b" s=a/b;"),
    "an unknown algorithm": (b"a=rsa-sha256", b"a=rsa-md5"),
    "an unknown form": (b"c=relaxed/relaxed", b"c=nofws"),
    "From is not signed": (b"h=from : ", b"h="),
    "twice the same tag": (b" d=example.org;", b" d=example.org; d=example.org;"),
    "an identity of somebody else": (b" d=example.org;", b" d=example.org; i=a@example.net;"),
    "no way to the key": (b" d=example.org;", b" d=example.org; q=carrier/pigeon;"),
    "ends before it begins": (b" d=example.org;", b" d=example.org; x=5;"),
    "a time that is none": (b" d=example.org;", b" d=example.org; x=soon;"),
}


@pytest.mark.parametrize(("old", "new"), TAGS.values(), ids=TAGS)
async def test_tags(old: bytes, new: bytes) -> None:
    raw = signed()
    assert old in raw
    assert (await one(raw.replace(old, new, 1))).result == "permerror"


async def test_expired_is_not_good_whatever_else() -> None:
    raw = signed().replace(b" d=example.org;", b" d=example.org; x=9999999999;", 1)
    result = await one(raw, now=99_999_999_999)
    assert (result.result, result.expired) == ("fail", True)


async def test_a_short_key_does_not_count_however_good() -> None:
    """The key and the letter are of RFC 8463's time, when the tools still made such: 512 bits, made by hand."""
    raw, record = short()
    result = await one(raw, zone(record))
    assert (result.result, result.weak, result.bits) == ("policy", True, 512), result.reason


def short() -> tuple[bytes, str]:
    """A letter signed with a key of 512 bits, which no library makes any more: PKCS #1 v1.5 by arithmetic."""
    p, q = SHORT_PRIMES
    modulus, exponent = p * q, 65537
    field = b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=s; h=from; bh=%s; b="
    root, _ = lines_of(LETTER)
    form = Form(True, "sha256")
    digest = base64.b64encode(body_hashes(LETTER, root.body, [form])[form].digest)
    _, lines = lines_of(field % digest + b"AA==\r\n" + LETTER)
    info = (
        bytes.fromhex("3031300d060960864801650304020105000420")
        + hashlib.sha256(signed_bytes(lines, parse(lines, 0))).digest()
    )
    padded = b"\0\1" + b"\xff" * (64 - 3 - len(info)) + b"\0" + info
    power = pow(int.from_bytes(padded, "big"), pow(exponent, -1, (p - 1) * (q - 1)), modulus)
    signature = base64.b64encode(power.to_bytes(64, "big"))
    public = (
        rsa.RSAPublicNumbers(exponent, modulus)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return field % digest + signature + b"\r\n" + LETTER, f"p={base64.b64encode(public).decode()}"


async def test_a_field_on_top_of_those_that_are_signed() -> None:
    result = await one(b"From: Giam doc <gd@example.gov.vn>\r\nSubject: Gap\r\n" + signed())
    assert (result.result, result.doubled, result.sealed) == ("pass", ("from", "subject"), False)


async def test_sealed_against_it() -> None:
    raw = signed(names=b"from from subject subject")
    assert (await one(raw)).sealed
    assert (await one(b"From: Giam doc <gd@example.gov.vn>\r\n" + raw)).result == "fail"


async def test_a_body_that_goes_on_behind_what_was_signed() -> None:
    raw = signed(length=True)
    assert (await one(raw)).unsigned_octets == 0
    result = await one(raw + b"more\r\n")
    assert result.result == "pass"
    assert result.unsigned_octets > 0
    assert (await one(raw[: -len(BODY)] + b"short\r\n")).result == "fail"


async def test_not_more_than_some_signatures() -> None:
    raw = LETTER
    for _ in range(MOST_SIGNATURES + 3):
        raw = signed()[: -len(LETTER)] + raw
    asked = zone()
    assert [each.result for each in await verified(raw, asked)] == ["pass"] * MOST_SIGNATURES
    assert len(asked.asked) == MOST_SIGNATURES


PIECES = st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"  ", b"\r", b"\n", b"bc"]), max_size=40)
BODIES = st.just(b"") | PIECES.map(lambda pieces: b"".join([*pieces, b"\r\n"]))  # by SMTP a line always ends


@settings(deadline=None)
@given(BODIES, st.integers(1, 7))
def test_bodies_in_pieces_are_those_in_one(body: bytes, window: int) -> None:
    """Beside expressions that say the same, and with windows so small that every line is cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            canonical, "windows", lambda raw, a, b: (raw[at : min(at + window, b)] for at in range(a, b, window))
        )
        span = Span(0, len(body))
        ours = {relaxed: b"".join(canonical_body(body, span, relaxed=relaxed)) for relaxed in (False, True)}
    if b"\r" in body.replace(b"\r\n", b""):
        return  # lone CRs are refused before anything is signed: only that nothing breaks
    if re.match(rb"[^\r\n]*\n", body):  # a file's
        body = re.sub(rb"\r?\n", b"\r\n", body)
    simple = re.sub(rb"(\r\n)*\Z", b"", body) + b"\r\n"
    thinned = re.sub(rb"[ \t]+", b" ", body)
    relaxed = re.sub(rb"(\r\n)*\Z", b"", re.sub(rb" (?=\r\n|\Z)", b"", thinned))
    assert ours == {False: simple, True: relaxed and relaxed + b"\r\n"}
    if b"\n" not in body.replace(b"\r\n", b""):
        assert ours == {False: Simple.canonicalize_body(body), True: Relaxed.canonicalize_body(body)}


def test_lengths_are_cut_in_one_pass() -> None:
    body = b"0123456789" * 10
    forms = [Form(False, "sha256", length) for length in (0, 5, 5, 102, 500, None)]
    found = body_hashes(body, Span(0, 100), forms)
    for form in forms:
        assert found[form].digest == hashlib.sha256((body + b"\r\n")[: form.length]).digest()
        assert found[form].size == 102


@settings(deadline=None)
@given(st.text(alphabet="abdhvsxc=;: 1/\t\r\nAZ+", max_size=120))
async def test_any_signature_is_judged(text: str) -> None:
    raw = f"DKIM-Signature: {text}\r\n".encode() + LETTER
    assert all(each.result != "pass" for each in await verified(raw))
