"""What a trail's records decide under another policy, and what they are honest not to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway import decide
from gateway.extract.opener import Opener
from gateway.keeping import AuditRecord
from gateway.limits import FileReading
from gateway.mail import Client, Mail
from gateway.policy.load import load
from gateway.policy.model import Policy
from gateway.reading import Reading
from gateway.recall import Recalled
from gateway.remembering import FIELD_LIMIT, FINDINGS_LIMIT, TEXT_LIMIT, VALUES_LIMIT, records
from gateway.replay import Change
from gateway.replay_trail import TrailReplay
from gateway.specimen import specimen
from gateway.store.records import content_of, record_of
from gateway.verdict import Finding, Report, Truth

HEAD = """
version: 1
organisation: {domains: [example.gov.vn], networks: [10.0.0.0/8], directory: accounts.csv}
lists: {partners: ["@example.org"]}
rules:
"""
ACCOUNTS = "address,state,kind,unit\nan@example.gov.vn,active,person,office\nchi@example.gov.vn,locked,person,office\n"
PROGRAM = "{found: attachments.executable, where: {by: extension}}"
LETTER = b"From: a@example.org\r\nSubject: the plan\r\nX-Odd: yes\r\n\r\nHello\r\n"
FILE = (
    b"From: a@example.org\r\nSubject: a tool\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
    b'Content-Disposition: attachment; filename="tool.exe"\r\n\r\nMZ\r\n'
)
CLIENT = Client(address="192.0.2.7", name="mx.example.org", helo="mx", tls=True)


@pytest.fixture
def policies(tmp_path: Path) -> Any:
    """Loads policies from their rules, one line each: `id: when -> then`."""
    (tmp_path / "accounts.csv").write_text(ACCOUNTS)

    def loaded(*rules: str, head: str = HEAD) -> Policy:
        lines = []
        for rule in rules:
            name, when, then = rule.split(" | ")
            tag = ", with: {subject: '[x]'}" if then == "tag" else ""
            lines.append(f"  - {{id: {name}, when: {when}, then: {then}{tag}}}")
        path = tmp_path / "policy.yaml"
        path.write_text(head + ("\n".join(lines) if lines else "  []") + "\n")
        return load(path)

    return loaded


async def _opened(mail: Mail) -> Reading:
    async with Opener(FileReading()) as opener:
        return await opener.open(mail, deadline=asyncio.get_running_loop().time() + 60)


def recorded(
    policy: Policy,
    raw: bytes = LETTER,
    *,
    sender: str = "a@example.org",
    recipients: Sequence[str] = ("an@example.gov.vn",),
    client: Client = CLIENT,
    blind: str = "",
) -> AuditRecord:
    """The record of a message under a policy, out of the trail again."""
    moment = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)  # Monday, ten o'clock in Vietnam
    mail = specimen(policy, raw, sender=sender, recipients=recipients, client=client, received=moment)
    mail = replace(mail, opened=asyncio.run(_opened(mail)))
    reports = [
        Report(name, failure="unavailable", reason="down")
        if name == blind
        else Report(name, tuple(policy.filters[name].inspect(mail)))  # type: ignore[arg-type]
        for name in decide.needed(policy, mail)
    ]
    record = records(mail, decide.decide(policy, mail, reports))[0]
    return record_of(content_of(record))


SEES_ALL = "look | {found: attachments.attachment} | accept"

DECIDED: dict[str, tuple[str, bytes, dict[str, Any], str]] = {
    "direction": ("{direction: inbound}", LETTER, {}, "match"),
    "listener": ("{listener: specimen}", LETTER, {}, "match"),
    "client address": ("{client: {address: 192.0.2.0/24}}", LETTER, {}, "match"),
    "client name": ("{client: {name: .example.org}}", LETTER, {}, "match"),
    "client helo": ("{client: {helo: mx}}", LETTER, {}, "match"),
    "client TLS": ("{client: {tls: false}}", LETTER, {}, "no-match"),
    "client logged in": ("{client: {logged_in: true}}", LETTER, {}, "no-match"),
    "sender in a list": ("{sender: {in: partners}}", LETTER, {}, "match"),
    "recipient": ("{recipient: an@example.gov.vn}", LETTER, {}, "match"),
    "account of the recipient": ("{recipient_account: {unit: office}}", LETTER, {}, "match"),
    "account of who sends": (
        "{account: {state: locked}}",
        LETTER,
        {"sender": "chi@example.gov.vn", "client": Client(address="10.1.1.1")},
        "match",
    ),
    "size": ("{size: '> 1MB'}", LETTER, {}, "no-match"),
    "number of recipients": (
        "{recipients: '> 1'}",
        LETTER,
        {"recipients": ("an@example.gov.vn", "chi@example.gov.vn")},
        "match",
    ),
    "hour": ("{time: {days: [mon], from: '08:00', to: '17:00'}}", LETTER, {}, "match"),
    "a header that is recorded": ("{header: {name: Subject, contains: plan}}", LETTER, {}, "match"),
    "a header that is not": ("{header: {name: X-Odd, exists: true}}", LETTER, {}, "not in the trail: header X-Odd"),
    "a recorded header that is missing": ("{header: {name: Reply-To, missing: true}}", LETTER, {}, "match"),
    "an empty header": (
        "{header: {name: Subject, missing: true}}",
        LETTER.replace(b" the plan", b""),
        {},
        "not in the trail: header Subject",
    ),
    "a doubled header": (
        "{header: {name: Subject, contains: other}}",
        LETTER.replace(b"X-Odd: yes", b"Subject: other"),
        {},
        "not in the trail: header Subject",
    ),
    "that there is a doubled header": (
        "{header: {name: Subject, exists: true}}",
        LETTER.replace(b"X-Odd: yes", b"Subject: other"),
        {},
        "match",
    ),
    "a long header": (
        "{header: {name: Subject, contains: other}}",
        LETTER.replace(b"the plan", b"x" * TEXT_LIMIT + b"other"),
        {},
        "not in the trail: header Subject",
    ),
    "a finding with its fields": (PROGRAM, FILE, {}, "match"),
    "a finding with other fields": (PROGRAM.replace("extension}", "bytes}"), FILE, {}, "no-match"),
    "a finding that is not there": (PROGRAM, LETTER, {}, "no-match"),
    "a filter that could not look": (PROGRAM, FILE, {"blind": "attachments"}, "attachments could not look: down"),
    "unless": ("{all: [{direction: inbound}, {not: {sender: {in: partners}}}]}", LETTER, {}, "no-match"),
    "any of several": ("{any: [{header: {name: X-Odd, exists: true}}, {direction: inbound}]}", LETTER, {}, "match"),
    "all of several": (
        "{all: [{header: {name: X-Odd, exists: true}}, {direction: outbound}]}",
        LETTER,
        {},
        "no-match",
    ),
}


@pytest.mark.parametrize(("when", "raw", "facts", "told"), DECIDED.values(), ids=DECIDED)
def test_a_record_answers_as_the_message_did_or_says_what_it_lacks(
    policies: Any, when: str, raw: bytes, facts: dict[str, Any], told: str
) -> None:
    policy = policies(SEES_ALL)
    asked = policies(f"asked | {when} | reject").rules[0].condition
    answer = Recalled.of(recorded(policy, raw, **facts), policy).answer(asked)
    if told in set(Truth):
        assert answer.truth == told, answer
        assert not answer.waits
    else:
        assert (answer.truth, answer.because) == (Truth.UNKNOWN, told)
        assert bool(answer.waits) is told.startswith("not in the trail")


@dataclass(frozen=True)
class Case:
    """What a replay comes to."""

    changes: list[tuple[str, str, tuple[str, ...], tuple[str, ...]]]
    undecided: dict[str, str]


def replayed(old: Policy, new: Policy, *seen: AuditRecord) -> Case:
    replaying = TrailReplay(old, new)
    changes: list[Change] = [change for record in seen for change in replaying.see(record)]
    return Case(
        [(each.before.word, each.after.word, each.gone, each.come) for each in changes],
        {each.rule: each.missing for each in replaying.findings.missing},
    )


ODD = "{header: {name: X-Odd, exists: true}}"

CHANGES: dict[str, tuple[list[str], list[str], Case]] = {
    "the same policy changes nothing, whatever it asks": (
        [f"odd | {ODD} | reject"],
        [f"odd | {ODD} | reject"],
        Case([], {}),
    ),
    "a new rule": ([], ["in | {direction: inbound} | hold"], Case([("accept", "hold", (), ("in",))], {})),
    "a rule that is gone": ([f"odd | {ODD} | reject"], [], Case([("reject", "accept", ("odd",), ())], {})),
    "the same question with another action": (
        [f"odd | {ODD} | tag"],
        [f"odd | {ODD} | reject"],
        Case([("tag", "reject", (), ())], {}),
    ),
    "a new question that the trail cannot answer": (
        [],
        [f"odd | {ODD} | reject"],
        Case([], {"+ odd": "header X-Odd"}),
    ),
    "one that does not matter": (
        ["in | {direction: inbound} | reject"],
        ["in | {direction: inbound} | reject", f"odd | {ODD} | tag"],
        Case([], {}),
    ),
    "one that does": (
        ["in | {direction: inbound} | tag"],
        ["in | {direction: inbound} | tag", f"odd | {ODD} | reject"],
        Case([], {"+ odd": "header X-Odd"}),
    ),
    "findings of a filter that did not look": (
        [],
        [f"exe | {PROGRAM} | reject"],
        Case([], {"+ exe": "what attachments finds"}),
    ),
    "fields of findings": (
        [SEES_ALL],
        [SEES_ALL, f"exe | {PROGRAM} | reject"],
        Case([], {}),
    ),
}


@pytest.mark.parametrize(("old", "new", "told"), CHANGES.values(), ids=CHANGES)
def test_replay(policies: Any, old: list[str], new: list[str], told: Case) -> None:
    before, after = policies(*old), policies(*new)
    assert replayed(before, after, recorded(before)) == told


def test_a_filter_with_new_options_may_find_otherwise(policies: Any) -> None:
    rule = f"exe | {PROGRAM} | reject"
    kept = policies(rule)
    changed = replace(kept, digest="other", filters={"attachments": object()})  # type: ignore[dict-item]
    assert replayed(kept, changed, recorded(kept, FILE)).undecided == {
        "+ exe": "what attachments finds with its new options"
    }


def test_another_directory_may_answer_otherwise(policies: Any, tmp_path: Path) -> None:
    rule = "locked | {account: {state: locked}} | reject"
    old = policies(rule)
    record = recorded(old, sender="chi@example.gov.vn", client=Client(address="10.1.1.1"))
    assert replayed(old, replace(old, digest="other", accounts={}), record).changes == [
        ("reject", "accept", ("locked",), ())
    ]


def test_a_record_of_an_earlier_policy_is_asked_of_its_facts(policies: Any) -> None:
    earlier = policies("in | {direction: inbound} | tag")
    old, new = policies(f"odd | {ODD} | reject"), policies(f"odd | {ODD} | reject", "in | {direction: inbound} | hold")
    replaying = TrailReplay(old, new)
    assert list(replaying.see(recorded(earlier))) == []
    assert replaying.findings.other_policies == 1
    # `odd` is alike in both, but if it held, nothing would change: it cannot be told.
    assert {each.rule for each in replaying.findings.missing} == {"+ odd"}
    weak = policies("in | {direction: inbound} | hold", f"odd | {ODD} | tag"), policies(f"odd | {ODD} | tag")
    assert replayed(*weak, recorded(earlier)).undecided == {"+ odd": "header X-Odd"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Long(Finding):
    """More than a record takes."""

    code = "long"
    text: str
    values: tuple[str, ...]
    number: float


def test_findings_are_recorded_within_bounds_and_say_what_is_cut(policies: Any) -> None:
    policy = policies(SEES_ALL)
    mail = specimen(policy, LETTER)
    long = Long(text="x" * 1000, values=tuple(map(str, range(99))), number=float("nan"))
    short = Long(text="\udce9", values=("a",), number=0.5)
    verdict = decide.decide(policy, mail, [Report("attachments", (long, short, *[short] * FINDINGS_LIMIT))])
    [record] = records(mail, verdict)
    first, second, *rest = json.loads(content_of(record))["facts"]["findings"]
    assert first["fields"] == {"text": "x" * FIELD_LIMIT, "values": [*map(str, range(VALUES_LIMIT))], "number": "nan"}
    assert first["cut"] == ["text", "values"]
    assert second == {"code": "attachments.long", "fields": {"text": "\udce9", "values": ["a"], "number": 0.5}}
    assert len(rest) == FINDINGS_LIMIT - 2
    assert record.facts["more_findings"] == {"attachments.long": 2}


BROKEN = ({}, {"direction": "up"}, {"findings": ["a.b"], "size": "x"}, {"recipient_count": -1})


@pytest.mark.parametrize("facts", BROKEN, ids=str)
def test_a_record_without_its_facts_answers_nothing_and_raises_nothing(policies: Any, facts: dict[str, Any]) -> None:
    policy = policies(*[f"r{number} | {case[0]} | tag" for number, case in enumerate(DECIDED.values())])
    record = AuditRecord(id="M1", moment=datetime(2026, 3, 2, tzinfo=UTC), event="message", facts=facts)
    for rule in policy.rules:
        assert Recalled.of(record, policy).answer(rule.condition).truth in set(Truth)
    assert list(TrailReplay(policy, policies()).see(record)) == []
