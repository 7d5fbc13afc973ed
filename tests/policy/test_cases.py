"""Cases: the bytes they become, and what is said when a verdict is another."""

from __future__ import annotations

import re
from collections.abc import Callable
from email import message_from_bytes
from email import policy as email_policy

import pytest

from gateway.mail import Client, Envelope, Recipient
from gateway.policy.cases import Case, build_mail_bytes, client_of, envelope_of, failures
from gateway.policy.model import Policy
from gateway.reply import OK, REFUSED
from gateway.verdict import Action, Outcome, RuleOutcome, Truth, Verdict


@pytest.fixture
def case(policy: Callable[..., Policy]) -> Callable[..., Case]:
    """`case(GIVEN, EXPECT)`, both as YAML mappings."""

    def of(given: str = "{from: a@b.c, to: d@e.f}", expect: str = "{action: accept}") -> Case:
        rules = "\n".join(f"  - {{id: {name}, when: always, then: accept}}" for name in ("a", "b", "c"))
        text = f"rules:\n{rules}\ntests:\n  - {{name: x, given: {given}, expect: {expect}}}\n"
        [made] = policy(text).cases
        return made

    return of


def test_a_letter_of_text(case: Callable[..., Case]) -> None:
    raw = build_mail_bytes(
        case("{from: a@b.c, to: [d@e.f, g@h.i], subject: Chào, text: Việt, headers: {X-A: 1, from: x@y.z}}")
    )
    letter = message_from_bytes(raw, policy=email_policy.default)
    assert re.search(b"[^\r]\n|\r[^\n]", raw) is None
    assert raw.isascii()
    assert (letter["Subject"], letter["To"], letter["X-A"]) == ("Chào", "d@e.f, g@h.i", "1")
    assert letter.get_all("From") == ["x@y.z"]
    assert letter.get_content() == "Việt\n"
    assert letter["Date"].datetime.isoformat() == "2026-11-24T09:00:00+07:00"


def test_attachments(case: Callable[..., Case]) -> None:
    raw = build_mail_bytes(
        case(
            "{from: a@b.c, to: d@e.f, attachments: [{name: 'Công văn.txt', type: text/plain, text: Chào},"
            " {name: 'a\"b.bin', base64: TVo=}, {name: c, size: 3kB}, {name: d}]}"
        )
    )
    letter = message_from_bytes(raw, policy=email_policy.default)
    parts = list(letter.iter_attachments())
    assert [part.get_filename() for part in parts] == ["Công văn.txt", 'a"b.bin', "c", "d"]
    assert [part.get_payload(decode=True) for part in parts] == ["Chào".encode(), b"MZ", bytes(3000), b""]
    assert letter.get_body().get_content() == "Case.\n"


def test_a_whole_message_is_what_is_written_with_the_line_endings_of_mail(case: Callable[..., Case]) -> None:
    assert build_mail_bytes(case('{from: a@b.c, to: d@e.f, message: "A: b\\n\\nChào\\n"}')) == (
        "A: b\r\n\r\nChào\r\n".encode()
    )


def test_envelope_and_client(case: Callable[..., Case]) -> None:
    made = case("{from: <>, to: [d@e.f], client: 192.0.2.1, client_name: x.y, helo: h, login: u, tls: yes}")
    assert envelope_of(made) == Envelope("", (Recipient("d@e.f"),))
    assert client_of(made) == Client(address="192.0.2.1", name="x.y", helo="h", login="u", tls=True)


def rule(name: str, action: Action | None, mode: str = "enforce") -> RuleOutcome:
    """A rule that holds if it asks for something."""
    truth = Truth.NO_MATCH if action is None else Truth.MATCH
    return RuleOutcome(name, (), mode, truth, action, f"why {name}")


VERDICT = Verdict(
    policy="x",
    outcomes=(
        Outcome(recipient=Recipient("d@e.f"), action=Action.ACCEPT, reply=OK, rules=(rule("a", None), rule("b", None))),
        Outcome(
            recipient=Recipient("g@h.i"),
            action=Action.REJECT,
            reply=REFUSED,
            rules=(rule("a", Action.REJECT), rule("b", None), rule("c", Action.REJECT, "shadow")),
        ),
    ),
)

EXPECTED = {
    "all of it": ("{action: reject, rules: [a], reply: 550, recipients: {d@e.f: accept, g@h.i: reject}}", []),
    "the rule in shadow may be named": ("{rules: [a, c]}", []),
    "another action": ("{action: tag}", ["expected tag, got reject; a: why a"]),
    "another reply": ("{reply: 552}", ["expected reply 552, got 550"]),
    "another action for one": ("{recipients: {d@e.f: reject}}", ["expected reject for d@e.f, got accept"]),
    "nobody": ("{recipients: {x@y.z: reject}}", ["expected reject for x@y.z, who is no recipient"]),
    "a rule that does not hold": (
        "{rules: [a, b]}",
        ["expected rule b to hold; why b"],
    ),
    "a rule that holds as well": ("{rules: []}", ["rule a holds as well: why a"]),
}


@pytest.mark.parametrize(("expect", "said"), EXPECTED.values(), ids=EXPECTED)
def test_what_differs_is_said(expect: str, said: list[str], case: Callable[..., Case]) -> None:
    assert list(failures(case(expect=expect), VERDICT)) == said


def test_no_refusal_where_one_is_expected(case: Callable[..., Case]) -> None:
    accepted = Verdict(policy="x", outcomes=VERDICT.outcomes[:1])
    assert failures(case(expect="{reply: 550}"), accepted) == ("expected reply 550, got no refusal",)
