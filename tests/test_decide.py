"""The decision: what rules ask for, what wins, what is added up, and how unlike recipients share one answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import decide
from gateway.mail import Account, Client, Mail, Recipient, Transaction
from gateway.policy.forms import RuleId
from gateway.policy.load import load
from gateway.policy.logic import Answer, Known, Settled
from gateway.policy.model import Policy
from gateway.policy.rule import Mode, Rule
from gateway.reply import OK, TAKEN
from gateway.schema.shapes import Position
from gateway.verdict import (
    Action,
    AddHeader,
    Banner,
    Evidence,
    Outcome,
    RemoveHeader,
    ReplaceHeader,
    Report,
    StripPart,
    TagSubject,
    Truth,
    Verdict,
)
from tests.policy.conftest import make_mail
from tests.policy.filters.oracle import Infected
from tests.policy.filters.sample import Thing

Load = Callable[[str], Policy]

THING = Thing(name="a", evidence=(Evidence("2"),))
FOUND = (Report("sample", (THING,)),)
NOTHING = (Report("sample"), Report("oracle"))
DOWN = (Report("sample", failure="unavailable", reason="no answer"), Report("oracle", failure="deadline"))


@pytest.fixture
def policy(tmp_path: Path) -> Load:
    """A policy of rules, each a line `ID: KEYS`; without `when` it is for all mail, without `then` it accepts."""

    def of(rules: str) -> Policy:
        lines = []
        for line in rules.strip().splitlines():
            name, _, keys = line.strip().partition(": ")
            when = "" if "when:" in keys else "when: always, "
            then = "" if "then:" in keys else "then: accept, "
            lines.append(f"  - {{id: {name}, {when}{then}{keys}}}\n")
        (tmp_path / "p.yaml").write_text(f"version: 1\nrules:\n{''.join(lines)}")
        return load(tmp_path / "p.yaml", places=["tests.policy.filters"])

    return of


def one(verdict: Verdict) -> Outcome:
    """The outcome for the only recipient."""
    [outcome] = verdict.outcomes
    return outcome


def results(outcome: Outcome) -> dict[str, str]:
    """Each rule's answer and what it asks for."""
    return {rule.id: f"{rule.result} {rule.action.word if rule.action is not None else '-'}" for rule in outcome.rules}


RULES = st.lists(
    st.builds(
        lambda then, on_unknown, mode, truth: Rule(
            id=RuleId("a"),
            when="always",
            then=then,
            on_unknown=on_unknown,
            mode=mode,
            where=Position(),
            condition=Settled(Answer(truth, "so")),
        ),
        st.sampled_from(Action),
        st.sampled_from(Action),
        st.sampled_from([Mode.ENFORCE, Mode.SHADOW]),
        st.sampled_from(Truth),
    ),
    max_size=6,
)


@given(RULES)
def test_the_strongest_of_what_rules_in_force_ask_for_wins_in_any_order(rules: list[Rule]) -> None:
    asked = [
        rule.then if rule.condition.test(Known(make_mail())).truth is Truth.MATCH else rule.on_unknown
        for rule in rules
        if rule.mode is Mode.ENFORCE and rule.condition.test(Known(make_mail())).truth is not Truth.NO_MATCH
    ]
    for order in (rules, rules[::-1]):
        outcome = one(decide.decide(Policy(digest="x", rules=tuple(order), filters={}), make_mail(), ()))
        assert outcome.action is max(asked, default=Action.ACCEPT)
        assert outcome.reply.accepted is (outcome.action < Action.DEFER)
        assert outcome.reply.temporary is (outcome.action is Action.DEFER)
        assert len(outcome.rules) == len(rules)


TABLE: dict[str, tuple[str, tuple[Report, ...], Action, dict[str, str]]] = {
    "the strongest of those that hold": (
        "a: then: quarantine\nb: then: reject\nc: then: defer\nd: then: hold",
        NOTHING,
        Action.REJECT,
        {"a": "match quarantine", "b": "match reject", "c": "match defer", "d": "match hold"},
    ),
    "a rule that does not hold is recorded": (
        "a: when: {direction: outbound}, then: reject",
        NOTHING,
        Action.ACCEPT,
        {"a": "no-match -"},
    ),
    "a rule in shadow is recorded and changes nothing": (
        "a: mode: shadow, then: reject\nb: then: hold",
        NOTHING,
        Action.HOLD,
        {"a": "match reject", "b": "match hold"},
    ),
    "a rule in shadow that is unknown changes nothing either": (
        "a: mode: shadow, when: {found: oracle.infected}, then: reject",
        DOWN,
        Action.ACCEPT,
        {"a": "unknown defer"},
    ),
    "what could not be looked at is deferred": (
        "a: when: {found: oracle.infected}, then: quarantine",
        DOWN,
        Action.DEFER,
        {"a": "unknown defer"},
    ),
    "or what the rule says of it": (
        "a: when: {found: oracle.infected}, then: reject, on_unknown: hold",
        DOWN,
        Action.HOLD,
        {"a": "unknown hold"},
    ),
    "a filter without a report could not look": (
        "a: when: {found: oracle.infected}, then: reject",
        (),
        Action.DEFER,
        {"a": "unknown defer"},
    ),
    "an engine that is down does not touch mail it does not matter for": (
        "a: when: {direction: outbound, found: oracle.infected}, then: reject",
        DOWN,
        Action.ACCEPT,
        {"a": "no-match -"},
    ),
    "what is known to be bad is refused, whatever else is down": (
        "a: when: {found: oracle.infected}, then: reject\nb: when: {sender: a@example.org}, then: reject",
        DOWN,
        Action.REJECT,
        {"a": "unknown defer", "b": "match reject"},
    ),
    "what exempts and could not be looked at leaves the rule unknown": (
        "a: unless: {found: sample.thing}, then: reject, on_unknown: quarantine",
        DOWN,
        Action.QUARANTINE,
        {"a": "unknown quarantine"},
    ),
    "accept is recorded as what it is": (
        "a: when: {found: sample.thing}",
        FOUND,
        Action.ACCEPT,
        {"a": "match accept"},
    ),
}


@pytest.mark.parametrize(("rules", "reports", "action", "recorded"), TABLE.values(), ids=TABLE)
def test_decision(
    rules: str, reports: tuple[Report, ...], action: Action, recorded: dict[str, str], policy: Load
) -> None:
    verdict = decide.decide(policy(rules), make_mail(), reports)
    assert (verdict.action, results(one(verdict))) == (action, recorded)
    assert verdict.reports == reports


TEXT = "text: {vi: Không nhận “tệp” này, en: No such files}"

REPLIES = {
    "refused without words": ("a: then: reject", NOTHING, "550 5.7.1 Refused by policy [a]"),
    "deferred without words": ("a: then: defer", NOTHING, "451 4.7.1 Cannot be decided now, try again later [a]"),
    "refused in two languages, in the letters of SMTP": (
        f"a: then: reject, with: {{{TEXT}}}",
        NOTHING,
        '550 5.7.1 Khong nhan "tep" nay / No such files [a]',
    ),
    "refused with codes": (
        f"a: then: reject, with: {{reply: {{code: 552, status: 5.3.4}}, {TEXT}}}",
        NOTHING,
        '552 5.3.4 Khong nhan "tep" nay / No such files [a]',
    ),
    "the first of the strongest speaks": (
        "a: then: defer\nb: then: reject, with: {reply: {code: 553, status: 5.1.8}}\nc: then: reject",
        NOTHING,
        "553 5.1.8 Refused by policy [b]",
    ),
    "what is not known is not said": (
        f"a: when: {{found: oracle.infected}}, then: reject, with: {{reply: {{code: 554, status: 5.7.1}}, {TEXT}}}",
        DOWN,
        "451 4.7.1 Cannot be decided now, try again later [a]",
    ),
    "refused because nobody could look": (
        f"a: when: {{found: oracle.infected}}, then: reject, on_unknown: reject, with: {{{TEXT}}}",
        DOWN,
        "550 5.7.1 Refused by policy [a]",
    ),
    "long words leave room for the rule and the mail": (
        f"a-rule: then: reject, with: {{text: {{vi: {'x' * 300}, en: {'y' * 300}}}}}",
        NOTHING,
        f"550 5.7.1 {'x' * 300} / {'y' * 8} [a-rule]",
    ),
    "delivered": ("a: then: accept", NOTHING, str(OK)),
    "taken and kept": ("a: then: quarantine", NOTHING, str(TAKEN)),
    "taken and thrown away": ("a: then: discard", NOTHING, str(TAKEN)),
}


@pytest.mark.parametrize(("rules", "reports", "heard"), REPLIES.values(), ids=REPLIES)
def test_what_the_client_hears(rules: str, reports: tuple[Report, ...], heard: str, policy: Load) -> None:
    assert str(one(decide.decide(policy(rules), make_mail(), reports)).reply) == heard


STRIP = "with: {strip: found, text: {vi: Đã gỡ, en: Taken out}}"
ALL_EDITS = (
    "a: then: tag, with: {subject: '[a] ', headers: {X-A: 1, X-B: 2}, remove_headers: [x-b, X-C],"
    " banner: {vi: Chú ý, en: Caution}}"
)

EDITS: dict[str, tuple[str, tuple[Report, ...], list[Any]]] = {
    "all kinds, those that take away first": (
        ALL_EDITS,
        NOTHING,
        [
            RemoveHeader("X-C"),
            AddHeader("X-A", "1"),
            ReplaceHeader("X-B", "2"),
            TagSubject("[a] "),
            Banner("Chú ý\nCaution"),
        ],
    ),
    "of several rules in their order, each once": (
        "a: then: tag, with: {headers: {X-A: 1}}\nb: then: tag, with: {headers: {X-B: 2}}\n"
        "c: then: tag, with: {headers: {X-A: 1}}",
        NOTHING,
        [AddHeader("X-A", "1"), AddHeader("X-B", "2")],
    ),
    "the part in which it was found": (
        f"a: when: {{found: sample.thing}}, then: tag, {STRIP}",
        (Report("sample", (THING, THING)),),
        [StripPart("2", "Đã gỡ\nTaken out")],
    ),
    "the parts of all branches that hold": (
        f"a: when: {{any: [{{found: sample.thing}}, {{found: oracle.infected}}]}}, then: tag, {STRIP}",
        (*FOUND, Report("oracle", (Infected(evidence=(Evidence("3"),)),))),
        [StripPart("2", "Đã gỡ\nTaken out"), StripPart("3", "Đã gỡ\nTaken out")],
    ),
    "what was found, filled in": (
        "a: when: {found: sample.thing}, then: tag,"
        " with: {headers: {X-A: 'a {colour} {name}: {size}{tags}; {x', X-B: b}}",
        (Report("sample", (Thing(name="box", colour="blue", tags=("t", "u")),)),),
        [AddHeader("X-A", "a blue box: t, u; {x"), AddHeader("X-B", "b")],
    ),
    "nothing where what is to be filled in was not found": (
        "a: when: {found: sample.thing}, then: tag, on_unknown: tag, with: {headers: {X-A: '{name}', X-B: b}}",
        (),
        [AddHeader("X-B", "b")],
    ),
    "kept for mail that may be released": (
        "a: then: tag, with: {headers: {X-A: 1}}\nb: then: quarantine",
        NOTHING,
        [AddHeader("X-A", "1")],
    ),
    "none on what is refused": ("a: then: tag, with: {headers: {X-A: 1}}\nb: then: reject", NOTHING, []),
    "none of a rule in shadow": ("a: mode: shadow, then: tag, with: {headers: {X-A: 1}}", NOTHING, []),
    "the mark of a rule that is unknown": (
        "a: when: {found: oracle.infected}, then: reject, on_unknown: tag, with: {headers: {X-Unchecked: 'yes'}}",
        DOWN,
        [AddHeader("X-Unchecked", "yes")],
    ),
    "no mark of a rule that refuses, if it holds": (
        "a: when: {found: sample.thing}, then: reject, on_unknown: tag, with: {headers: {X-Unchecked: 'yes'}}",
        FOUND,
        [],
    ),
}


@pytest.mark.parametrize(("rules", "reports", "edits"), EDITS.values(), ids=EDITS)
def test_what_is_put_on_the_message(rules: str, reports: tuple[Report, ...], edits: list[Any], policy: Load) -> None:
    assert list(one(decide.decide(policy(rules), make_mail(), reports)).edits) == edits


def test_what_cannot_be_taken_out_does_not_pass(policy: Load) -> None:
    rules = policy(f"a: when: {{found: sample.thing}}, then: tag, {STRIP}")
    outcome = one(decide.decide(rules, make_mail(), (Report("sample", (THING, Thing(name="nowhere"))),)))
    assert outcome.action is Action.DEFER
    assert outcome.rules[0].because.endswith("but not every part to take out is known")
    assert str(outcome.reply) == "451 4.7.1 Cannot be decided now, try again later [a]"


DELIVERY = {
    "to the recipient": ("a: then: accept", ["b@example.gov.vn"], [], []),
    "to others instead": (
        "a: then: tag, with: {redirect: x@example.org}\nb: then: tag, with: {redirect: x@example.org}",
        ["x@example.org"],
        [],
        [],
    ),
    "copies and notices, each once": (
        "a: then: accept, with: {bcc: [x@example.org, y@example.org], notify: officer, text: {vi: a, en: a}}\n"
        "b: then: accept, with: {bcc: y@example.org, notify: [officer, z@example.org], text: {vi: a, en: a}}",
        ["b@example.gov.vn"],
        ["x@example.org", "y@example.org"],
        ["officer", "z@example.org"],
    ),
    "no copies of what is refused, but notices": (
        "a: then: accept, with: {bcc: x@example.org, notify: officer, text: {vi: a, en: a}}\nb: then: reject",
        ["b@example.gov.vn"],
        [],
        ["officer"],
    ),
    "nothing of what comes again": (
        "a: then: accept, with: {bcc: x@example.org, notify: officer, text: {vi: a, en: a}}\nb: then: defer",
        ["b@example.gov.vn"],
        [],
        [],
    ),
}


@pytest.mark.parametrize(("rules", "to", "copies", "notify"), DELIVERY.values(), ids=DELIVERY)
def test_who_gets_it(rules: str, to: list[str], copies: list[str], notify: list[str], policy: Load) -> None:
    outcome = one(decide.decide(policy(rules), make_mail(), ()))
    assert [recipient.address for recipient in outcome.deliver_to] == to
    assert (list(outcome.copies), list(outcome.notify)) == (copies, notify)


def inside(*to: str, **changes: Any) -> Mail:
    """A mail handed in by the organisation."""
    return make_mail(inside=True, sender="a@example.gov.vn", client=Client(address="10.0.0.1"), to=to, **changes)


def test_each_recipient_gets_its_own_decision(policy: Load) -> None:
    rules = policy(
        "a: when: {direction: outbound, found: sample.thing}, then: reject\n"
        "b: when: {recipient: b@example.gov.vn}, then: hold\n"
        "c: when: {direction: internal}, then: tag, with: {headers: {X-A: 1}}"
    )
    verdict = decide.decide(
        rules, inside("x@example.org", "b@example.gov.vn", "c@example.gov.vn", "y@example.org"), FOUND
    )
    assert [outcome.action.word for outcome in verdict.outcomes] == ["reject", "hold", "tag", "reject"]
    assert [outcome.recipient.address for outcome in verdict.outcomes] == [
        "x@example.org", "b@example.gov.vn", "c@example.gov.vn", "y@example.org",
    ]  # fmt: skip
    assert verdict.outcomes[2].deliver_to == (Recipient("c@example.gov.vn"),)
    assert verdict.outcomes[3].rules is verdict.outcomes[0].rules


def test_parameters_of_a_recipient_stay_with_it(policy: Load) -> None:
    recipient = Recipient("b@example.gov.vn", ("NOTIFY=NEVER",))
    mail = make_mail()
    asked = make_mail(envelope=type(mail.envelope)(mail.envelope.sender, (Recipient("c@example.gov.vn"), recipient)))
    assert decide.decide(policy("a: then: accept"), asked, ()).outcomes[1].deliver_to == (recipient,)


NEEDED = {
    "a rule that may hold": ("a: when: {found: sample.thing}, then: reject", ("sample",)),
    "a rule in shadow needs it as well": ("a: mode: shadow, when: {found: sample.thing}, then: reject", ("sample",)),
    "a rule that is off does not": ("a: mode: off, when: {found: sample.thing}, then: reject", ()),
    "a rule for another direction": ("a: when: {direction: outbound, found: sample.thing}, then: reject", ()),
    "a rule for another recipient": ("a: when: {recipient: x@y.z, found: sample.thing}, then: reject", ()),
    "a rule for one of the recipients": (
        "a: when: {recipient: b@example.gov.vn, found: sample.thing}, then: reject",
        ("sample",),
    ),
    "a branch that cannot hold": (
        "a: when: {any: [{found: sample.thing}, {sender: x@y.z, found: oracle.infected}]}, then: reject",
        ("sample",),
    ),
    "a rule that holds without it": (
        "a: when: {any: [{found: sample.thing}, {direction: inbound}]}, then: reject",
        (),
    ),
    "what exempts": ("a: unless: {found: sample.thing}, then: reject", ("sample",)),
    "what exempts nobody any more": ("a: unless: {direction: inbound, found: sample.thing}, then: reject", ("sample",)),
    "several, in the order of the policy": (
        "a: when: {found: sample.thing}, then: reject\nb: when: {found: oracle.infected}, then: reject",
        ("oracle", "sample"),
    ),
    "a header that settles it": (
        "a: when: {header: {name: X-Flag, missing: yes}, found: sample.thing}, then: reject",
        (),
    ),
}


@pytest.mark.parametrize(("rules", "filters"), NEEDED.values(), ids=NEEDED)
def test_filters_are_run_only_where_a_rule_could_need_them(rules: str, filters: tuple[str, ...], policy: Load) -> None:
    assert decide.needed(policy(rules), make_mail(to=["c@example.gov.vn", "b@example.gov.vn"])) == filters


@pytest.mark.parametrize("rules", [rules for rules, _ in NEEDED.values()], ids=NEEDED)
def test_what_was_not_needed_would_have_changed_nothing(rules: str, policy: Load) -> None:
    loaded, mail = policy(rules), make_mail()
    needed = decide.needed(loaded, mail)
    for reports in (NOTHING, (*FOUND, Report("oracle", (Infected(),)))):
        of_needed = one(decide.decide(loaded, mail, [report for report in reports if report.filter in needed]))
        of_all = one(decide.decide(loaded, mail, reports))
        assert (of_needed.action, results(of_needed)) == (of_all.action, results(of_all))


def envelope(mail: Mail) -> Transaction:
    """What is known of the mail before its content is sent."""
    return Transaction(**{name: getattr(mail, name) for name in Transaction.__dataclass_fields__})


LOCKED = {"a@example.gov.vn": Account(address="a@example.gov.vn", state="locked")}

ENVELOPE = {
    "a locked account, at MAIL": ("a: when: {account: {state: locked}}, then: reject", None, "550 5.7.1"),
    "a recipient, at MAIL": ("a: when: {recipient: x@example.org}, then: reject", None, "250 2.1.0"),
    "a recipient, at RCPT": ("a: when: {recipient: x@example.org}, then: defer", "x@example.org", "451 4.7.1"),
    "another recipient": ("a: when: {recipient: x@example.org}, then: reject", "y@example.org", "250 2.1.5"),
    "a direction, at MAIL": ("a: when: {direction: outbound}, then: reject", None, "250 2.1.0"),
    "a direction, at RCPT": ("a: when: {direction: outbound}, then: reject", "x@example.org", "550 5.7.1"),
    "the content is not known yet": ('a: when: {size: "> 1"}, then: reject', "x@example.org", "250 2.1.5"),
    "what is unknown does not count yet": (
        "a: when: {found: sample.thing}, then: reject, on_unknown: reject",
        "x@example.org",
        "250 2.1.5",
    ),
    "what exempts may be in the content": (
        "a: unless: {header: {name: X-A, exists: yes}}, then: reject",
        "x@example.org",
        "250 2.1.5",
    ),
    "what is weaker waits for the content": ("a: then: quarantine", "x@example.org", "250 2.1.5"),
    "a rule in shadow": ("a: mode: shadow, then: reject", "x@example.org", "250 2.1.5"),
}


@pytest.mark.parametrize(("rules", "recipient", "heard"), ENVELOPE.values(), ids=ENVELOPE)
def test_before_the_content_is_sent(rules: str, recipient: str | None, heard: str, policy: Load) -> None:
    known = envelope(inside("x@example.org", accounts=LOCKED))
    outcome = decide.at_envelope(policy(rules), known, Recipient(recipient) if recipient else None)
    assert str(outcome.reply).startswith(heard)
    assert (outcome.action >= Action.DEFER) is not heard.startswith("250")


def test_inbound_mail_has_its_direction_at_mail(policy: Load) -> None:
    outcome = decide.at_envelope(policy("a: when: {direction: inbound}, then: reject"), envelope(make_mail()), None)
    assert outcome.action is Action.REJECT


def test_a_thousand_recipients_are_asked_only_what_depends_on_them(policy: Load) -> None:
    rules = policy(
        "\n".join(f"r{i}: when: {{recipient: '@d{i}.gov.vn', found: sample.thing}}, then: hold" for i in range(5))
        + "\n"
        + "\n".join(f"s{i}: when: {{direction: inbound, found: sample.thing}}" for i in range(5))
    )
    mail = make_mail(to=[f"u{i}@d{i % 10}.gov.vn" for i in range(1000)])
    verdict = decide.decide(rules, mail, FOUND)
    assert [outcome.action.word for outcome in verdict.outcomes] == (["hold"] * 5 + ["accept"] * 5) * 100
    # One explanation for all recipients of whom the same is to be said.
    assert len({id(outcome.rules) for outcome in verdict.outcomes}) == 6
    assert all(outcome.rules[5].result is Truth.MATCH for outcome in verdict.outcomes)
