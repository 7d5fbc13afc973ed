"""SPF, section by section of RFC 7208, with records of our own; `make evaluate` runs the public suite."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters._sender_auth.spf import check
from filters._sender_auth.spf_record import PermanentError, parse
from gateway.dns.answers import Kind
from gateway.dns.lookups import Lookups
from tests.filters.zones import Records, Zone

HERE, SIX = "192.0.2.7", "2001:db8::7"


def zone(record: str, **more: Records) -> Zone:
    """example.org has the record; `a__b` in a keyword is the name a.b."""
    names = {name.replace("__", "."): records for name, records in more.items()}
    return Zone({"example.org": {"TXT": [record], **names.pop("example.org", {})}, **names})


RECORDS = {
    "4.5: no record": ("nothing here", {}, "none"),
    "4.5: two records": ("v=spf1 -all", {"example__org": {"TXT": ["v=spf1 +all", "v=spf1 -all"]}}, "permerror"),
    "4.5: the version in capitals": ("V=SPF1 -all", {}, "fail"),
    "4.5: another version": ("v=spf10 -all", {}, "none"),
    "4.6.1: a term that is none": ("v=spf1 -all moo", {}, "permerror"),
    "4.6.1: an unknown modifier is passed over": ("v=spf1 moo=%{d} -all", {}, "fail"),
    "4.7: nothing matches": ("v=spf1 ip4:198.51.100.0/24", {}, "neutral"),
    "4.6.2: the first that matches counts": ("v=spf1 ?ip4:192.0.2.0/24 -all", {}, "neutral"),
    "5.1: what stands behind all is not asked": ("v=spf1 ~all exists:%{l}.example", {}, "softfail"),
    "5.2: an included record that passes": (
        "v=spf1 include:b.example -all",
        {"b__example": {"TXT": ["v=spf1 +all"]}},
        "pass",
    ),
    "5.2: one that fails does not match": (
        "v=spf1 include:b.example ~all",
        {"b__example": {"TXT": ["v=spf1 -all"]}},
        "softfail",
    ),
    "5.2: one that is not there": ("v=spf1 include:b.example -all", {}, "permerror"),
    "5.2: one that nobody can look up": ("v=spf1 include:b.example -all", {"b__example": {"TIMEOUT": []}}, "temperror"),
    "5.2: one that includes itself": ("v=spf1 include:example.org -all", {}, "permerror"),
    "5.3: its own address": ("v=spf1 a -all", {"example.org": {"A": [HERE]}}, "pass"),
    "5.3: an address of the same network": (
        "v=spf1 a:b.example/24 -all",
        {"b__example": {"A": ["192.0.2.200"]}},
        "pass",
    ),
    "5.4: a mail server": (
        "v=spf1 mx -all",
        {"example.org": {"MX": ["m.example"]}, "m__example": {"A": [HERE]}},
        "pass",
    ),
    "5.4: the null mail server is none": ("v=spf1 mx -all", {"example.org": {"MX": [""]}}, "fail"),
    "5.4: eleven mail servers": (
        "v=spf1 mx -all",
        {"example.org": {"MX": [f"m{n}.example" for n in range(11)]}},
        "permerror",
    ),
    "5.5: the client's own name": (
        "v=spf1 ptr -all",
        {"7.2.0.192.in-addr.arpa": {"PTR": ["m.example.org"]}, "m__example__org": {"A": [HERE]}},
        "pass",
    ),
    "5.5: a name that the client only claims": (
        "v=spf1 ptr -all",
        {"7.2.0.192.in-addr.arpa": {"PTR": ["m.example.org"]}, "m__example__org": {"A": ["198.51.100.1"]}},
        "fail",
    ),
    "5.6: a network": ("v=spf1 ip4:192.0.2.0/25 -all", {}, "pass"),
    "5.6: an address that is none": ("v=spf1 ip4:192.0.2.300 -all", {}, "permerror"),
    "5.6: a prefix that is none": ("v=spf1 ip4:192.0.2.0/33 -all", {}, "permerror"),
    "5.6: the other version does not match": ("v=spf1 ip6:2001:db8::/32 -all", {}, "fail"),
    "5.7: a name that is there": (
        "v=spf1 exists:%{ir}.%{l1r-}._spf.%{d} -all",
        {"7.2.0.192.huong._spf.example.org": {"A": ["127.0.0.2"]}},
        "pass",
    ),
    "5.7: one that is not": ("v=spf1 exists:%{i}._spf.%{d} -all", {}, "fail"),
    "6.1: another record": ("v=spf1 redirect=b.example", {"b__example": {"TXT": ["v=spf1 -all"]}}, "fail"),
    "6.1: one that is not there": ("v=spf1 redirect=b.example", {}, "permerror"),
    "6.1: not asked where something matches": ("v=spf1 ?all redirect=b.example", {}, "neutral"),
    "6: twice": ("v=spf1 redirect=b.example redirect=b.example", {}, "permerror"),
    "7: a macro that is none": ("v=spf1 exists:%{z}.example.org -all", {}, "permerror"),
    "7: a macro for explanations only": ("v=spf1 exists:%{c}.example.org -all", {}, "permerror"),
    "7.1: a domain without a dot": ("v=spf1 a:museum -all", {}, "permerror"),
    "4.6.4: eleven terms that ask": (
        "v=spf1 " + "exists:a.b.example " * 11 + "-all",
        {"a__b__example": {"A": ["127.0.0.2"]}},
        "pass",
    ),
    "4.6.4: eleven terms that ask and do not match": (
        "v=spf1 " + "a:b.example " * 11 + "-all",
        {"b__example": {"A": ["203.0.113.1"]}},
        "permerror",
    ),
    "4.6.4: three names that are not there": ("v=spf1 a:x.example a:y.example a:z.example -all", {}, "permerror"),
    "4.6.4: two": ("v=spf1 a:x.example a:y.example -all", {}, "fail"),
}


@pytest.mark.parametrize(("record", "more", "result"), RECORDS.values(), ids=RECORDS)
async def test_records(record: str, more: dict[str, Records], result: str) -> None:
    checked = await check(zone(record, **more), client=HERE, sender="huong@example.org", helo="m.example.org")
    assert checked.result == result, checked.reason


SENDERS = {
    "2.4: the null sender is the host": ("", "example.org", "fail"),
    "4.3: a host in brackets": ("", "[192.0.2.7]", "none"),
    "4.3: a host without a dot": ("", "localhost", "none"),
    "4.3: a label that is empty": ("a@b..example.org", "m", "none"),
    "4.3: a label of 64": (f"a@{'b' * 64}.example.org", "m", "none"),
    "4.3: no local part": ("@example.org", "m", "fail"),
    "an address that is none": ("postmaster", "m", "none"),
}


@pytest.mark.parametrize(("sender", "helo", "result"), SENDERS.values(), ids=SENDERS)
async def test_senders(sender: str, helo: str, result: str) -> None:
    assert (await check(zone("v=spf1 -all"), client=HERE, sender=sender, helo=helo)).result == result


async def test_nobody_answers() -> None:  # section 4.4
    asked = Zone({"example.org": {"TIMEOUT": []}})
    assert (await check(asked, client=HERE, sender="a@example.org", helo="m")).result == "temperror"


async def test_no_client() -> None:
    assert (await check(zone("v=spf1 -all"), client="", sender="a@example.org", helo="m")).result == "none"


async def test_a_client_that_is_one_of_the_fourth_version_in_the_sixth() -> None:
    checked = await check(zone(f"v=spf1 ip4:{HERE} -all"), client=f"::ffff:{HERE}", sender="a@example.org", helo="m")
    assert checked.result == "pass"


MACROS = {  # RFC 7208 section 7.4
    "%{s}": "strong-bad@email.example.com",
    "%{o}": "email.example.com",
    "%{d4}": "email.example.com",
    "%{d2}": "example.com",
    "%{dr}": "com.example.email",
    "%{d2r}": "example.email",
    "%{l-}": "strong.bad",
    "%{lr-}": "bad.strong",
    "%{l1r-}": "strong",
    "%{ir}.%{v}._spf.%{d2}": "3.2.0.192.in-addr._spf.example.com",
    "%{S}": "strong-bad%40email.example.com",
    "%%%_%-": "% %20",
    "%{c}, %{h}": "192.0.2.3, mail.example.com",
    "%{p}": "unknown",
}


@pytest.mark.parametrize(("text", "expanded"), MACROS.items(), ids=MACROS)
async def test_macros(text: str, expanded: str) -> None:
    names: dict[str, Records] = {
        "email.example.com": {"TXT": ["v=spf1 -all exp=why.example.com"]},
        "why.example.com": {"TXT": [text]},
    }
    checked = await check(
        Zone(names), client="192.0.2.3", sender="strong-bad@email.example.com", helo="mail.example.com", explain=True
    )
    assert checked.explanation == expanded


async def test_the_explanation_is_not_fetched_unless_somebody_wants_it() -> None:
    asked = zone("v=spf1 -all exp=why.example.org", why__example__org={"TXT": ["because"]})
    assert (await check(asked, client=HERE, sender="a@example.org", helo="m")).explanation == ""
    assert ("why.example.org", Kind.TXT) not in asked.asked


async def test_a_name_that_is_too_long_loses_its_beginning() -> None:
    asked = zone("v=spf1 exists:%{l}.%{d} -all")
    await check(asked, client=HERE, sender=f"{'.'.join(['a' * 60] * 5)}@example.org", helo="m")
    assert all(len(name) <= 253 for name, _ in asked.asked)
    assert len(asked.asked[-1][0]) > 190


async def test_one_message_may_not_ask_for_ever() -> None:
    many = {f"m{n}.example": {"A": ["203.0.113.1"]} for n in range(10)}
    asked = Lookups(Zone({"example.org": {"TXT": ["v=spf1 mx -all"], "MX": list(many)}, **many}), most=5)
    assert (await check(asked, client=HERE, sender="a@example.org", helo="m")).result == "permerror"


@given(st.text(alphabet="v=spf1 aminxclude:redtp46.%{}/-_~?+09", max_size=80))
def test_any_record_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(PermanentError):
        parse(f"v=spf1 {text}")
