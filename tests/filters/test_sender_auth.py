"""The filter `sender_auth` as a whole: with a zone in the place of the DNS, and with a real nameserver."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from filters._sender_auth.findings import Arc, Dkim, Dmarc, Results, Spf
from filters.sender_auth import SenderAuth
from gateway.decide import decide
from gateway.dns.answers import Lookup
from gateway.endpoint import HostPort
from gateway.errors import Unavailable
from gateway.mail import Client, Envelope, Mail, Recipient
from gateway.mime.edit import edited, joined
from gateway.mime.parse import parse
from gateway.policy.load import load
from gateway.schema.scalars import Duration
from gateway.verdict import Finding, Report
from tests.engines.daemons import Running, dnsmasq
from tests.filters.sender_auth.letters import LETTER, rsa_key, signed
from tests.filters.sender_auth.test_arc import sealed
from tests.filters.zones import Zone

NAMES: dict[str, Any] = {
    "example.org": {"TXT": ["v=spf1 ip4:192.0.2.0/24 -all"]},
    "s._domainkey.example.org": {"TXT": [rsa_key()[1]]},
    "_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject"]},
    "s._domainkey.lists.example": {"TXT": [rsa_key()[1]]},
    "s._domainkey.forward.example": {"TXT": [rsa_key()[1]]},
}


def mail(raw: bytes, *, sender: str = "huong@example.org", client: str = "192.0.2.7", **more: Any) -> Mail:
    return Mail(
        id="1",
        listener="x",
        received=datetime(2026, 1, 5, 4, tzinfo=UTC),
        client=Client(address=client, helo="m.example.org", login=more.pop("login", "")),
        envelope=Envelope(sender, (Recipient("an@example.gov.vn"),)),
        inside=more.pop("inside", False),
        domains=frozenset({"example.gov.vn", "phong.vidu.gov.vn"}),
        raw=raw,
        root=parse(raw),
    )


async def found(message: Mail, lookup: Lookup | None = None, **options: Any) -> list[Finding]:
    """What is found, also where something could not be said."""
    looker = SenderAuth(**options)
    object.__setattr__(looker, "resolver", lookup or Zone(NAMES))
    findings: list[Finding] = []
    try:
        async for finding in looker.inspect(message):
            findings.append(finding)
    except Unavailable:
        pass
    return findings


def one(findings: list[Finding], kind: type[Any]) -> Any:
    [finding] = [each for each in findings if isinstance(each, kind)]
    return finding


async def test_a_signed_letter_from_the_right_host() -> None:
    findings = await found(mail(signed()))
    assert [each.code for each in findings] == ["spf", "dkim", "dmarc", "results"]
    assert one(findings, Spf).facts() == {"result": "pass", "domain": "example.org", "scope": "mailfrom"}
    assert one(findings, Dkim).aligned
    assert (one(findings, Dmarc).result, one(findings, Dmarc).aligned_by) == ("pass", ("dkim", "spf"))
    assert one(findings, Results).facts() == {
        "authserv": "example.gov.vn",
        "value": "spf=pass (ip4) smtp.mailfrom=example.org; dkim=pass header.d=example.org header.s=s "
        "header.a=rsa-sha256; dmarc=pass (p=reject dis=none) header.from=example.org",
    }


async def test_a_forged_letter() -> None:
    dmarc = one(await found(mail(LETTER, client="203.0.113.9")), Dmarc)
    assert (dmarc.result, dmarc.policy, dmarc.disposition, dmarc.aligned_by) == ("fail", "reject", "reject", ())


async def test_the_null_sender_is_its_host() -> None:
    names = {**NAMES, "m.example.org": {"TXT": ["v=spf1 ip4:192.0.2.7 -all"]}}
    spf = one(await found(mail(LETTER, sender=""), Zone(names)), Spf)
    assert (spf.result, spf.domain, spf.scope) == ("pass", "m.example.org", "helo")


async def test_the_sample_of_a_percentage_is_the_same_for_the_same_mail() -> None:
    names = {**NAMES, "_dmarc.example.org": {"TXT": ["v=DMARC1; p=reject; pct=50"]}}
    seen = set()
    for number in range(20):
        raw = f"X-N: {number}\r\n".encode() + LETTER
        [first, again] = [one(await found(mail(raw, client="203.0.113.9"), Zone(names)), Dmarc) for _ in range(2)]
        assert first == again
        seen.add(first.disposition)
    assert seen == {"reject", "quarantine"}


AUTHORS = {
    "two domains": b"a@example.org, gd@example.gov.vn",
    "two fields": b"a@example.org>\r\nFrom: <gd@example.gov.vn",
    "none": b"undisclosed",
    "an address without a domain": b"<gd>",
}


@pytest.mark.parametrize("author", AUTHORS.values(), ids=AUTHORS)
async def test_from_does_not_name_one_domain(author: bytes) -> None:
    raw = signed().replace(b"<huong@example.org>", author).replace(b"=?utf-8?q?H=C6=B0=C6=A1ng?= ", b"")
    dmarcs = [each for each in await found(mail(raw)) if isinstance(each, Dmarc)]
    assert {(each.result, each.aligned_by) for each in dmarcs} == {("permerror", ())}


async def test_a_signature_that_does_not_cover_what_is_shown_does_not_count() -> None:
    raw = b"From: huong@example.org\r\n" + signed(length=True) + b"more\r\n"
    findings = await found(mail(raw, client="203.0.113.9"))
    assert one(findings, Dkim).result == "pass"
    assert not one(findings, Dkim).aligned
    assert one(findings, Dmarc).result == "fail"


async def test_a_beginning_counts_where_somebody_wants_it() -> None:
    message = mail(signed(length=True) + b"more\r\n", client="203.0.113.9")
    assert one(await found(message), Dmarc).result == "fail"
    assert one(await found(message, partial_bodies=True), Dmarc).result == "pass"


SEALERS = {
    "nobody is trusted": ((), False, False),
    "all are": (("lists.example", "forward.example"), True, True),
    "the last is, and had it from the first as it was": (("forward.example",), True, True),
    "only the first is, and the last may have made it up": (("lists.example",), False, False),
}


@pytest.mark.parametrize(("trusted", "is_trusted", "authenticated"), SEALERS.values(), ids=SEALERS)
async def test_sealers(trusted: tuple[str, ...], *, is_trusted: bool, authenticated: bool) -> None:
    findings = await found(mail(sealed(), client="203.0.113.9"), trusted_sealers=frozenset(trusted))
    seen = one(findings, Arc)
    assert (seen.result, seen.sealer, seen.instances) == ("pass", "forward.example", 2)
    assert (seen.trusted, seen.authenticated) == (is_trusted, authenticated)
    assert one(findings, Dmarc).result == "fail"


async def test_a_broken_chain_vouches_for_nobody() -> None:
    raw = sealed().replace(b"Moi anh", b"Moi bnh")
    seen = one(await found(mail(raw), trusted_sealers=frozenset({"lists.example", "forward.example"})), Arc)
    assert (seen.result, seen.trusted, seen.authenticated) == ("fail", False, False)


FORGED = {
    "in our name": (b"example.gov.vn; dmarc=pass", True),
    "in capitals, behind a comment": (b"(x) Example.GOV.vn 1; dmarc=pass", True),
    "in another's": (b"mx.example.org; dmarc=pass", False),
}


@pytest.mark.parametrize(("value", "forged"), FORGED.values(), ids=FORGED)
async def test_forged_results(value: bytes, *, forged: bool) -> None:
    findings = await found(mail(b"Authentication-Results: " + value + b"\r\n" + LETTER))
    assert ("forged_results" in [each.code for each in findings]) is forged


async def test_our_name_may_be_another() -> None:
    findings = await found(mail(b"Authentication-Results: mx.vidu.vn; spf=pass\r\n" + LETTER), authserv="mx.vidu.vn")
    assert findings[0].facts() == {"authserv": "mx.vidu.vn"}
    assert one(findings, Results).authserv == "mx.vidu.vn"


async def test_mail_from_inside_is_not_asked_for_its_origin() -> None:
    asked = Zone(NAMES)
    for message in (mail(LETTER, inside=True), mail(LETTER, login="huong")):
        [spf] = await found(message, asked)
        assert (spf.code, spf.facts()["result"]) == ("spf", "none")
    assert asked.asked == []


async def test_what_was_found_counts_although_the_rest_could_not_be_said() -> None:
    names = {**NAMES, "example.org": {"TIMEOUT": []}}
    looker = SenderAuth()
    object.__setattr__(looker, "resolver", Zone(names))
    findings: list[Finding] = []

    async def collect() -> None:
        async for finding in looker.inspect(mail(signed())):
            findings.append(finding)

    with pytest.raises(Unavailable, match="no answer in time"):
        await collect()
    assert one(findings, Spf).result == "temperror"
    assert one(findings, Dmarc).aligned_by == ("dkim",)


async def test_our_results_go_on_top_and_those_of_others_off() -> None:
    policy = load(Path(__file__).parents[2] / "policies" / "packs" / "sender-auth.yaml")
    raw = b"Authentication-Results: example.gov.vn; dmarc=pass\r\nauthentication-results: x; spf=pass\r\n" + signed()
    message = replace(mail(raw), domains=policy.organisation.domains)
    reports = [Report("sender_auth", tuple(await found(message))), Report("impersonation")]
    edits = decide(policy, message, reports).outcomes[0].edits
    head, _, body = joined(message.raw, edited(message.raw, message.root, edits)).partition(b"\r\n\r\n")
    lines = head.replace(b"\r\n ", b" ").split(b"\r\n")
    results = [line for line in lines if line.lower().startswith(b"authentication-results:")]
    assert results == lines[:1]
    assert results[0].startswith(
        b"Authentication-Results: example.gov.vn; spf=pass (ip4) smtp.mailfrom=example.org; dkim="
    )
    assert signed().endswith(body)


@pytest.fixture(scope="module")
def nameserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    key = rsa_key()[1]
    with dnsmasq(
        tmp_path_factory.mktemp("dns"),
        "--txt-record=example.org,v=spf1 ip4:192.0.2.0/24 -all",
        f"--txt-record=s._domainkey.example.org,{key[:200]},{key[200:]}",
        "--txt-record=_dmarc.example.org,v=DMARC1; p=reject",
        "--local=/org/",
    ) as running:
        yield running


async def test_with_a_real_nameserver(nameserver: Running) -> None:
    looker = SenderAuth(nameservers=(HostPort("127.0.0.1", nameserver.port),))
    findings = [finding async for finding in looker.inspect(mail(signed()))]
    assert (one(findings, Dmarc).result, one(findings, Dmarc).aligned_by) == ("pass", ("dkim", "spf"))
    assert str(nameserver.port) in await looker.ping()
    assert looker.engines[0].up


async def test_a_nameserver_that_hangs_is_could_not_look(tmp_path: Path) -> None:
    with dnsmasq(tmp_path, "--local=/org/") as running:
        looker = SenderAuth(nameservers=(HostPort("127.0.0.1", running.port),), patience=Duration(0.3))
        running.signal(signal.SIGSTOP)
        findings: list[Finding] = []

        async def collect() -> None:
            async for finding in looker.inspect(mail(signed())):
                findings.append(finding)

        with pytest.raises(Unavailable, match="not done in time"):
            await collect()
        assert {each.facts().get("result") for each in findings} == {"temperror", None}
        with pytest.raises(Unavailable, match="does not answer"):
            await looker.ping()


async def test_mail_of_any_form() -> None:
    for raw in (
        b"",
        b"\r\n",
        b"From",
        b"From: \xff\xfe <@>\r\n\r\n",
        b"DKIM-Signature:\r\nARC-Seal:\r\n\r\n",
        b"\0" * 100,
    ):
        for sender in ("", "@", "a@", "\xff@\xff", "a@b@c.example", f"{'x' * 300}@{'y' * 300}"):
            message = replace(mail(raw, sender=sender), client=Client(address="::ffff:192.0.2.7", helo="[x]"))
            assert (await found(message))[-1].code == "results"
