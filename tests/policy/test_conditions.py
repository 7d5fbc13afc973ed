"""Every condition: how it is written, a mail it is for and one it is not for, and what it says of both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.mail import Account, Client, Direction, Mail, Recipient, Transaction
from gateway.policy.logic import Known
from gateway.policy.model import Policy
from gateway.verdict import Evidence, Finding, Report, Truth
from tests.policy.filters.sample import Place, Thing

YES, NO, UNKNOWN = Truth.MATCH, Truth.NO_MATCH, Truth.UNKNOWN

LISTS = """\
lists:
  partners:
    - "@partner.example"
    - {value: old@example.org, expires: 2026-11-23}
    - {value: new@example.org, expires: 2026-11-24}
  relays: [192.0.2.0/24]
  services: [GitHub.com]
  nobody: []
"""

ACCOUNTS = {
    address: Account(address=address, state=state, kind=kind, unit=unit)
    for address, state, kind, unit in (
        ("an@example.gov.vn", "active", "person", "office"),
        ("binh@example.gov.vn", "locked", "person", "office"),
        ("vp@example.gov.vn", "active", "unit", "office"),
    )
}


def at(text: str) -> dict[str, Any]:
    """The time of a mail, in Vietnam."""
    return {"received": datetime.fromisoformat(f"{text}+07:00").astimezone(UTC)}


FROM_INSIDE = {"inside": True, "sender": "an@example.gov.vn", "client": Client(address="10.0.0.1")}

CASES: dict[str, tuple[str, dict[str, Any], Truth, str]] = {
    "always": ("always", {}, YES, "always"),
    "direction": ("{direction: inbound}", {}, YES, "direction is inbound"),
    "another direction": (
        "{direction: [outbound, internal]}", {}, NO, "direction is inbound, wanted internal or outbound",
    ),
    "direction of inside mail to outside": ("{direction: outbound}", {**FROM_INSIDE, "to": ["x@example.org"]}, YES,
        "direction is outbound"),
    "direction among ourselves, in a subdomain": ("{direction: internal}",
        {**FROM_INSIDE, "to": ["x@so.example.gov.vn"]}, YES, "direction is internal"),
    "listener": ("{listener: [inbound, x]}", {}, YES, "listener is inbound"),
    "another listener": ("{listener: x}", {}, NO, "listener is inbound, wanted x"),
    "client in a network": ("{client: {address: 192.0.2.0/24}}", {}, YES,
        "client address is '192.0.2.7' (192.0.2.0/24)"),
    "client in a list of networks": ("{client: {address: {in: relays}}}", {}, YES,
        "client address is '192.0.2.7' (in list relays)"),
    "client not in a list of networks": ("{client: {address: {not_in: relays}}}", {}, NO,
        "client address is '192.0.2.7', wanted not in list relays"),
    "client's IPv4 address in IPv6 form": ("{client: {address: 192.0.2.7}}",
        {"client": Client(address="::ffff:192.0.2.7")}, YES, "client address is '::ffff:192.0.2.7' (192.0.2.7)"),
    "client without an address is in no network": ("{client: {address: 0.0.0.0/0}}", {"client": Client()}, NO,
        "client address is not known, wanted 0.0.0.0/0"),
    "client in no network": ("{client: {address: {not_in: [10.0.0.0/8]}}}", {"client": Client()}, YES,
        "client address is not known (not 10.0.0.0/8)"),
    "client's name below a domain": ("{client: {name: .example.org}}", {}, YES,
        "client name is 'mx.example.org' (.example.org)"),
    "client's name is not the domain of another": ("{client: {name: .ample.org}}", {}, NO,
        "client name is 'mx.example.org', wanted .ample.org"),
    "client's helo by a pattern": ('{client: {helo: {matches: "^mx"}}}', {}, YES,
        "client helo is 'mx.example.org' (a match of '^mx')"),
    "client's login": ("{client: {login: AN}}", {"client": Client(login="an")}, YES, "client login is 'an' (AN)"),
    "client who logged in": ("{client: {logged_in: yes}}", {"client": Client(login="an")}, YES, "login is 'an'"),
    "client who did not log in": ("{client: {logged_in: yes}}", {}, NO, "login is none, wanted the other"),
    "client without TLS": ("{client: {tls: no}}", {}, YES, "TLS is off"),
    "client: all its keys have to hold": ("{client: {tls: no, address: 10.0.0.0/8}}", {}, NO,
        "client address is '192.0.2.7', wanted 10.0.0.0/8"),
    "sender": ("{sender: A@Example.Org}", {}, YES, "sender is 'a@example.org' (A@Example.Org)"),
    "sender in a domain": ('{sender: "@example.org"}', {}, YES, "sender is 'a@example.org' (@example.org)"),
    "sender in a subdomain is not in the domain": ('{sender: "@example.org"}', {"sender": "a@x.example.org"}, NO,
        "sender is 'a@x.example.org', wanted @example.org"),
    "sender in a domain and below": ("{sender: .example.org}", {"sender": "a@x.y.example.org"}, YES,
        "sender is 'a@x.y.example.org' (.example.org)"),
    "sender in a domain that only ends alike": ("{sender: .example.org}", {"sender": "a@notexample.org"}, NO,
        "sender is 'a@notexample.org', wanted .example.org"),
    "sender with a dot at the end": ('{sender: "@example.org"}', {"sender": "a@example.org."}, YES,
        "sender is 'a@example.org.' (@example.org)"),
    "null sender": ("{sender: <>}", {"sender": ""}, YES, "sender is <> (<>)"),
    "null sender is in no domain": ("{sender: .org}", {"sender": ""}, NO, "sender is <>, wanted .org"),
    "sender in a list": ("{sender: {in: partners}}", {"sender": "x@partner.example"}, YES,
        "sender is 'x@partner.example' (in list partners)"),
    "sender in a list, but expired": ("{sender: {in: partners}}", {"sender": "old@example.org"}, NO,
        "sender is 'old@example.org', wanted in list partners"),
    "sender in a list, on the last day": ("{sender: {in: partners}}", {"sender": "new@example.org"}, YES,
        "sender is 'new@example.org' (in list partners)"),
    "sender not in a list": ("{sender: {not_in: partners}}", {}, YES,
        "sender is 'a@example.org' (not in list partners)"),
    "nobody is in an empty list": ("{sender: {in: nobody}}", {}, NO,
        "sender is 'a@example.org', wanted in list nobody"),
    "sender: one of several ways": ('{sender: [b@example.org, {matches: "^a@"}]}', {}, YES,
        "sender is 'a@example.org' (b@example.org or a match of '^a@')"),
    "what a stranger wrote is shown without harm": ("{sender: b@example.org}", {"sender": "a\u202e\x1b[1m@example.org"},
        NO, "sender is 'a\\u202e\\x1b[1m@example.org', wanted b@example.org"),
    "recipient": ("{recipient: b@example.gov.vn}", {}, YES, "recipient is b@example.gov.vn"),
    "another recipient": ("{recipient: {in: partners}}", {}, NO, "recipient is not as wanted: in list partners"),
    "postmaster": ("{recipient: postmaster}", {"to": ["Postmaster"]}, YES, "recipient is postmaster"),
    "account of the sender": ("{account: {state: locked}}", {**FROM_INSIDE, "sender": "Binh@example.gov.vn"}, YES,
        "the sender's account is locked"),
    "account in another state": ("{account: {state: [locked, revoked]}}", FROM_INSIDE, NO,
        "the sender's account state is active, wanted locked or revoked"),
    "account of the login, whatever the sender": ("{account: {state: locked}}",
        {**FROM_INSIDE, "client": Client(login="binh@example.gov.vn")}, YES, "the login's account is locked"),
    "account of a stranger who takes an address of ours": ("{account: {state: locked}}",
        {"sender": "binh@example.gov.vn"}, NO, "no account of ours sends this"),
    "account: all its keys have to hold": ("{account: {kind: person, unit: finance}}", FROM_INSIDE, NO,
        "the sender's account unit is office, wanted finance"),
    "account that the directory does not have": ("{account: {state: none}}",
        {**FROM_INSIDE, "sender": "x@example.gov.vn"}, YES, "the sender's account is none"),
    "account of the recipient": ("{recipient_account: {kind: unit}}", {"to": ["vp@example.gov.vn"]}, YES,
        "the recipient's account is active"),
    "account of a recipient elsewhere": ("{recipient_account: {state: none}}",
        {**FROM_INSIDE, "to": ["x@example.org"]}, NO, "the recipient is elsewhere"),
    "size": ('{size: "> 50B"}', {}, YES, "size is 59 octets (> 50B)"),
    "size below": ('{size: ">= 1kB"}', {}, NO, "size is 59 octets, wanted >= 1kB"),
    "recipients": ('{recipients: "> 1"}', {"to": ["a@example.org", "b@example.org"]}, YES,
        "number of recipients is 2 (> 1)"),
    "recipients, a plain number": ("{recipients: 1}", {}, YES, "number of recipients is 1 (= 1)"),
    "time in a window": ("{time: {from: 08:00, to: 10:00}}", at("2026-11-24T08:00"), YES, "time is Tue 08:00"),
    "time at the end of a window": ("{time: {from: 08:00, to: 10:00}}", at("2026-11-24T10:00"), NO,
        "time is Tue 10:00, wanted mon tue wed thu fri sat sun 08:00 to 10:00 Asia/Ho_Chi_Minh"),
    "time past midnight belongs to the day before": ("{time: {days: fri, from: 22:00, to: 06:00}}",
        at("2026-11-28T05:59"), YES, "time is Sat 05:59"),
    "time in the morning of the first day does not": ("{time: {days: fri, from: 22:00, to: 06:00}}",
        at("2026-11-27T05:59"), NO, "time is Fri 05:59, wanted fri 22:00 to 06:00 Asia/Ho_Chi_Minh"),
    "time of a whole day": ("{time: {days: [sat, sun]}}", at("2026-11-28T23:59"), YES, "time is Sat 23:59"),
    "time in another zone": ("{time: {days: mon, zone: Europe/London}}", at("2026-11-24T06:59"), YES,
        "time is Mon 23:59"),
    "header contains": ("{header: {name: subject, contains: HELLO}}", {}, YES,
        "header subject is 'Hello' (something with 'HELLO')"),
    "header matches": ('{header: {name: Subject, matches: "^Hell$"}}', {}, NO,
        "header Subject is 'Hello', wanted a match of '^Hell$'"),
    "header exists": ("{header: {name: X-Flag, exists: yes}}", {}, YES, "header X-Flag is 'yes'"),
    "header exists, denied": ("{header: {name: X-Flag, exists: no}}", {}, NO, "header X-Flag is 'yes', wanted none"),
    "header missing": ("{header: {name: X-Other, missing: yes}}", {}, YES, "header X-Other is missing"),
    "not": ("{not: {direction: inbound}}", {}, NO, "direction is inbound"),
    "any": ("{any: [{direction: outbound}, {sender: a@example.org}]}", {}, YES,
        "sender is 'a@example.org' (a@example.org)"),
    "any, none of them": ("{any: [{direction: outbound}, {listener: x}]}", {}, NO,
        "direction is inbound, wanted outbound; listener is inbound, wanted x"),
    "all": ("{all: [{direction: inbound}, {listener: inbound}]}", {}, YES, "direction is inbound; listener is inbound"),
    "several keys": ("{direction: inbound, listener: x}", {}, NO, "listener is inbound, wanted x"),
}  # fmt: skip


@pytest.mark.parametrize(("when", "changes", "truth", "because"), CASES.values(), ids=CASES)
def test_condition(
    when: str,
    changes: dict[str, Any],
    truth: Truth,
    because: str,
    policy: Callable[..., Policy],
    mail: Callable[..., Mail],
) -> None:
    asked = mail(accounts=ACCOUNTS, **changes)
    recipient = asked.envelope.recipients[0]
    [rule] = policy(f"{LISTS}rules: [{{id: a, when: {when}, then: accept}}]").rules
    answer = rule.condition.test(Known(asked, {}, asked.direction(recipient), recipient))
    assert (answer.truth, answer.because) == (truth, because)


CONTENT = ('{size: "> 1"}', '{recipients: "> 1"}', "{header: {name: X, missing: yes}}", "{found: sample.thing}")


@pytest.mark.parametrize("when", CONTENT)
def test_before_the_content_is_there_it_is_unknown(
    when: str, policy: Callable[..., Policy], mail: Callable[..., Mail]
) -> None:
    asked = mail()
    envelope = Transaction(**{name: getattr(asked, name) for name in Transaction.__dataclass_fields__})
    [rule] = policy(f"rules: [{{id: a, when: {when}, then: accept}}]").rules
    known = Known(envelope, {}, Direction.INBOUND, Recipient("b@example.gov.vn"))
    assert rule.condition.test(known).truth is UNKNOWN


RED = Thing(name="a.exe", colour="red", confidence=0.95, size=2000, tags=("x", "Y"))
BLUE = Thing(name="b.txt", colour="blue", confidence=0.5, hidden=True)
TOWN = Place(name="Pleiku", size="big")

FINDINGS: dict[str, tuple[str, tuple[Finding, ...], str, Truth, str]] = {
    "found": ("found: sample.thing", (RED,), "", YES,
        "found sample.thing (name 'a.exe', colour 'red', confidence 0.95, size 2000, hidden False, tags ('x', 'Y'))"),
    "not found": ("found: sample.thing", (TOWN,), "", NO, "did not find sample.thing"),
    "one of several": ("found: [sample.thing, sample.place]", (TOWN,), "", YES,
        "found sample.place (name 'Pleiku', size 'big')"),
    "where a text is": ("found: sample.place, where: {name: PLEIKU}", (TOWN,), "", YES,
        "found sample.place (name 'Pleiku', size 'big')"),
    "where a text is another": ("found: sample.place, where: {name: Huế}", (TOWN,), "", NO,
        "found sample.place, but not with name Huế"),
    "where it is one of several": ("found: sample.thing, where: {colour: [green, blue]}", (RED,), "", NO,
        "found sample.thing, but not with colour green or blue"),
    "where it is not in a list": ("found: sample.place, where: {name: {not_in: services}}", (TOWN,), "", YES,
        "found sample.place (name 'Pleiku', size 'big')"),
    "where it is in a list, in any case": ("found: sample.place, where: {name: {in: services}}",
        (Place(name="github.COM"),), "", YES, "found sample.place (name 'github.COM')"),
    "where a pattern is found": ("found: sample.place, where: {name: {matches: 'ku$'}}", (TOWN,), "", YES,
        "found sample.place (name 'Pleiku', size 'big')"),
    "where Vietnamese is written in another way": ("found: sample.place, where: {name: Huế}",
        (Place(name="Hue\u0302\u0301"),), "", YES, "found sample.place (name 'Hue\u0302\u0301')"),
    "where a number is at least": ('found: sample.thing, where: {confidence: ">= 0.95"}', (RED, BLUE), "", YES,
        "found sample.thing (name 'a.exe', colour 'red', confidence 0.95, size 2000, hidden False, tags ('x', 'Y'))"),
    "where a number is a size": ('found: sample.thing, where: {size: "> 2kB"}', (RED,), "", NO,
        "found sample.thing, but not with size > 2kB"),
    "where a number is not there": ('found: sample.thing, where: {size: "< 2kB"}', (BLUE,), "", NO,
        "found sample.thing, but not with size < 2kB"),
    "where it is true": ("found: sample.thing, where: {hidden: yes}", (RED,), "", NO,
        "found sample.thing, but not with hidden yes"),
    "where one of many is": ("found: sample.thing, where: {tags: y}", (RED,), "", YES,
        "found sample.thing (name 'a.exe', colour 'red', confidence 0.95, size 2000, hidden False, tags ('x', 'Y'))"),
    "where none of many is": ("found: sample.thing, where: {tags: {not_in: [z, y]}}", (RED,), "", NO,
        "found sample.thing, but not with tags not z or y"),
    "two halves in two findings are no match": (
        "found: sample.thing, where: {colour: red, hidden: yes}", (RED, BLUE), "", NO,
        "found sample.thing, but not with colour red, hidden yes"),
    "enough of them": ("found: sample.thing, min_count: 2", (BLUE, BLUE), "", YES,
        "found sample.thing (name 'b.txt', colour 'blue', confidence 0.5, hidden True)"),
    "not enough of them": ("found: sample.thing, min_count: 2", (BLUE, TOWN), "", NO,
        "found 1 of sample.thing, wanted 2"),
    "it was found before the filter failed": ("found: sample.place", (TOWN,), "deadline", YES,
        "found sample.place (name 'Pleiku', size 'big')"),
    "it was not found before the filter failed": ("found: sample.thing", (TOWN,), "deadline", UNKNOWN,
        "sample could not look: deadline"),
    "not enough was found before the filter failed": ("found: sample.place, min_count: 2", (TOWN,), "deadline",
        UNKNOWN, "sample could not look: deadline"),
    "nothing was found, and the opposite is wanted": ("not: {found: sample.thing}", (), "", YES,
        "did not find sample.thing"),
    "the filter failed, and the opposite is wanted": ("not: {found: sample.thing}", (), "bug", UNKNOWN,
        "sample could not look: bug"),
    "the filter failed, and it does not matter": ("found: sample.thing, direction: outbound", (), "bug", NO,
        "direction is inbound, wanted outbound"),
    "one of two filters has not looked": ("found: [sample.thing, oracle.infected]", (), "", UNKNOWN,
        "oracle has not looked"),
}  # fmt: skip


@pytest.mark.parametrize(("when", "findings", "failure", "truth", "because"), FINDINGS.values(), ids=FINDINGS)
def test_findings(
    when: str,
    findings: tuple[Finding, ...],
    failure: str,
    truth: Truth,
    because: str,
    policy: Callable[..., Policy],
    mail: Callable[..., Mail],
) -> None:
    [rule] = policy(f"{LISTS}rules: [{{id: a, when: {{{when}}}, then: accept}}]").rules
    known = Known(
        mail(), {"sample": Report("sample", findings, failure)}, Direction.INBOUND, Recipient("b@example.gov.vn")
    )
    answer = rule.condition.test(known)
    assert (answer.truth, answer.because) == (truth, because)


def test_a_match_brings_its_findings_and_a_denial_none(
    policy: Callable[..., Policy], mail: Callable[..., Mail]
) -> None:
    seen = Thing(name="a", evidence=(Evidence("2"),))
    report = {"sample": Report("sample", (seen, BLUE))}
    found, denied = policy(
        "rules:\n"
        "  - {id: a, when: {found: sample.thing, where: {name: a}}, then: accept}\n"
        "  - {id: b, when: {not: {not: {found: sample.thing}}}, then: accept}\n"
    ).rules
    assert found.condition.test(Known(mail(), report)).findings == (seen,)
    assert denied.condition.test(Known(mail(), report)).findings == ()
