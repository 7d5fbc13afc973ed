"""DMARC: which record counts, what it asks for, and who is in alignment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters._sender_auth.dmarc import Evaluated, Identity, evaluate, parse, weakened
from tests.filters.zones import Records, Zone

DKIM, SPF = Identity("dkim", "example.org"), Identity("spf", "example.org")


async def evaluated(domain: str, *identities: Identity, **names: Records | str) -> Evaluated:
    zone = {
        name.replace("__", ".").replace("DMARC", "_dmarc"): {"TXT": [each]} if isinstance(each, str) else each
        for name, each in names.items()
    }
    return await evaluate(Zone(zone), domain, identities)


RECORDS = {
    "plain": ("v=DMARC1; p=reject", "reject", 100),
    "blanks and capitals": (" v = DMARC1 ;p=Quarantine ; pct=30;", "quarantine", 30),
    "a tag that is none is passed over": ("v=DMARC1; p=none; moo; rua=mailto:a@b.example", "none", 100),
    "a percentage that is none": ("v=DMARC1; p=reject; pct=many", "reject", 100),
    "more than all": ("v=DMARC1; p=reject; pct=300", "reject", 100),
    "no policy, and somebody who wants reports": ("v=DMARC1; rua=mailto:a@b.example", "none", 100),
    "a wrong policy, and somebody who wants reports": ("v=DMARC1; p=refuse; rua=mailto:a@b.example", "none", 100),
}


@pytest.mark.parametrize(("text", "policy", "percent"), RECORDS.values(), ids=RECORDS)
def test_records(text: str, policy: str, percent: int) -> None:
    record = parse(text, "example.org")
    assert record is not None
    assert (record.policy, record.percent) == (policy, percent)


NO_RECORDS = {
    "another version": "v=DMARC2; p=reject",
    "the version is not first": "p=reject; v=DMARC1",
    "in small letters": "v=dmarc1; p=reject",
    "no policy": "v=DMARC1; pct=5",
    "a wrong one for subdomains": "v=DMARC1; p=reject; sp=maybe",
    "something else": "v=spf1 -all",
    "nothing": "",
}


@pytest.mark.parametrize("text", NO_RECORDS.values(), ids=NO_RECORDS)
def test_texts_that_are_no_records(text: str) -> None:
    assert parse(text, "example.org") is None


@given(st.text(max_size=200))
def test_any_text_is_a_record_or_none(text: str) -> None:
    parse(f"v=DMARC1;{text}", "example.org")


POLICIES = {
    "its own record": ("example.org", {"DMARC__example__org": "v=DMARC1; p=reject"}, "reject"),
    "that of its organisation": ("a.example.org", {"DMARC__example__org": "v=DMARC1; p=reject"}, "reject"),
    "which has another for subdomains": (
        "a.example.org",
        {"DMARC__example__org": "v=DMARC1; p=reject; sp=none"},
        "none",
    ),
    "its own goes before that": (
        "a.example.org",
        {"DMARC__a__example__org": "v=DMARC1; p=quarantine", "DMARC__example__org": "v=DMARC1; p=reject"},
        "quarantine",
    ),
    "a name that is not there": ("x.example.org", {"DMARC__example__org": "v=DMARC1; p=none; np=reject"}, "reject"),
    "one that is": (
        "x.example.org",
        {"DMARC__example__org": "v=DMARC1; p=none; np=reject", "x__example__org": {"MX": ["m.example"]}},
        "none",
    ),
    "below gov.vn the body is the organisation": (
        "a.gialai.gov.vn",
        {"DMARC__gialai__gov__vn": "v=DMARC1; p=reject"},
        "reject",
    ),
    "a registry's record": ("gialai.gov.vn", {"DMARC__gov__vn": "v=DMARC1; p=reject; psd=y"}, "reject"),
    "a registry's record for itself alone": ("gialai.gov.vn", {"DMARC__gov__vn": "v=DMARC1; p=reject"}, ""),
    "two records are none": (
        "example.org",
        {"DMARC__example__org": {"TXT": ["v=DMARC1; p=reject", "v=DMARC1; p=none"]}},
        "",
    ),
    "no record": ("example.org", {}, ""),
}


@pytest.mark.parametrize(("domain", "names", "policy"), POLICIES.values(), ids=POLICIES)
async def test_policies(domain: str, names: dict[str, Records | str], policy: str) -> None:
    found = await evaluated(domain, **names)
    assert (found.result, found.policy) == ("fail" if policy else "none", policy)


ALIGNMENTS = {
    "the same domain": ("example.org", "v=DMARC1; p=reject", DKIM, True),
    "the organisation of a subdomain": ("a.example.org", "v=DMARC1; p=reject", DKIM, True),
    "a subdomain of the organisation": (
        "example.org",
        "v=DMARC1; p=reject",
        Identity("spf", "bounce.example.org"),
        True,
    ),
    "two subdomains": ("a.example.org", "v=DMARC1; p=reject", Identity("dkim", "b.example.org"), True),
    "somebody else": ("example.org", "v=DMARC1; p=reject", Identity("dkim", "example.net"), False),
    "somebody else whose name ends likewise": (
        "example.org",
        "v=DMARC1; p=reject",
        Identity("dkim", "anexample.org"),
        False,
    ),
    "strict, of signatures": ("a.example.org", "v=DMARC1; p=reject; adkim=s", DKIM, False),
    "strict, of the envelope": ("a.example.org", "v=DMARC1; p=reject; aspf=s", SPF, False),
    "strict of the other": ("a.example.org", "v=DMARC1; p=reject; aspf=s", DKIM, True),
    "two bodies below gov.vn": ("a.gov.vn", "v=DMARC1; p=reject", Identity("dkim", "b.gov.vn"), False),
    "a body below the registry that mail claims to be from": (
        "gov.vn",
        "v=DMARC1; p=reject",
        Identity("dkim", "b.gov.vn"),
        False,
    ),
    "a part that says it is a body of its own": ("a.example.org", "v=DMARC1; p=reject; psd=n", DKIM, False),
    "and what is below it": ("a.example.org", "v=DMARC1; p=reject; psd=n", Identity("dkim", "x.a.example.org"), True),
}


@pytest.mark.parametrize(("domain", "record", "identity", "aligned"), ALIGNMENTS.values(), ids=ALIGNMENTS)
async def test_alignment(domain: str, record: str, identity: Identity, *, aligned: bool) -> None:
    found = await evaluated(domain, identity, **{f"DMARC.{domain}": record})
    assert (found.result, bool(found.aligned_by)) == ("pass" if aligned else "fail", aligned)


async def test_alignment_is_told_without_a_record() -> None:
    found = await evaluated("a.example.org", DKIM, SPF, Identity("dkim", "example.net"))
    assert (found.result, found.aligned_by) == ("none", ("dkim", "spf"))


async def test_nobody_answers() -> None:
    found = await evaluated("example.org", DKIM, DMARC__example__org={"TIMEOUT": []})
    assert (found.result, found.aligned_by) == ("temperror", ("dkim",))


def test_weakened() -> None:
    assert [weakened(policy) for policy in ("reject", "quarantine", "none", "")] == ["quarantine", "none", "none", ""]
