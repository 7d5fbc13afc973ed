"""Who hears what of a message that rules want people told of: from the policy's text to the notices."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from filters.signup import SubscriptionRequest
from gateway import decide, dispose
from gateway.custody.keep import kept_mail
from gateway.keeping import KeptMail
from gateway.mail import Mail
from gateway.notices.applied import MOST_RECIPIENTS, Affair, applied
from gateway.notices.compose import compose
from gateway.notices.model import AppliedRecipient, Gather, KeptRecipient, MessageNotice, OfficerAlert
from gateway.notices.original import original_of_envelope, original_of_mail, original_without_content
from gateway.policy.load import load
from gateway.policy.model import Policy
from gateway.reply import HOP_UNREACHABLE, REFUSED, TAKEN, Reply
from gateway.verdict import Finding
from tests.notices.conftest import LETTERHEAD, NOW
from tests.policy.conftest import make_mail

HEAD = """version: 1
organisation: {domains: [example.gov.vn], officers: [officer@example.gov.vn, second@example.gov.vn]}
rules:
"""
TEXT = "text: {vi: Quy tắc MỘT, en: Rule ONE}"

FROM_OUTSIDE: dict[str, Any] = {"to": ["b@example.gov.vn", "c@example.gov.vn"]}
FROM_INSIDE: dict[str, Any] = {"sender": "an@example.gov.vn", "to": ["x@example.org"], "inside": True}
AMONG_US = FROM_INSIDE | {"to": ["b@example.gov.vn"]}

EACH = {
    "a tagged message, to its recipients": (
        f"{{id: r, when: {{direction: inbound}}, then: tag, with: {{subject: x, notify: [recipient], {TEXT}}}}}",
        FROM_OUTSIDE,
        [("applied-recipient", "b"), ("applied-recipient", "c")],
    ),
    "a quarantined message, to its recipients": (
        f"{{id: r, when: {{direction: inbound}}, then: quarantine, with: {{notify: [recipient], {TEXT}}}}}",
        FROM_OUTSIDE,
        [("kept-recipient", "b"), ("kept-recipient", "c")],
    ),
    "a refused message, to recipients, every officer and an address": (
        "{id: r, when: {direction: inbound}, then: reject, "
        f"with: {{notify: [recipient, officer, soc@example.net], {TEXT}}}}}",
        FROM_OUTSIDE,
        [
            *(("applied-recipient", "b"), ("officer-alert", "officer"), ("officer-alert", "second")),
            *(("officer-alert", "soc@example.net"), ("applied-recipient", "c")),
        ],
    ),
    "a discarded message, to its recipients": (
        f"{{id: r, when: {{direction: inbound}}, then: discard, with: {{notify: [recipient], {TEXT}}}}}",
        FROM_OUTSIDE,
        [("applied-recipient", "b"), ("applied-recipient", "c")],
    ),
    "a tagged message, to its inside sender": (
        f"{{id: r, when: {{direction: outbound}}, then: tag, with: {{subject: x, notify: [sender], {TEXT}}}}}",
        FROM_INSIDE,
        [("applied-sender", "an")],
    ),
    "a quarantined message, to its inside sender": (
        f"{{id: r, when: {{direction: outbound}}, then: quarantine, with: {{notify: [sender], {TEXT}}}}}",
        FROM_INSIDE,
        [("applied-sender", "an")],
    ),
    "a held message: custody tells the sender": (
        "{id: r, when: {direction: outbound}, then: hold, "
        f"with: {{approvers: [a@example.gov.vn], notify: [sender, officer], {TEXT}}}}}",
        FROM_INSIDE,
        [("officer-alert", "officer"), ("officer-alert", "second")],
    ),
    "a held message: who is asked to approve it needs no alert": (
        f"{{id: r, when: {{direction: outbound}}, then: hold, with: {{notify: [officer], {TEXT}}}}}",
        FROM_INSIDE,
        [],
    ),
    "a rule in shadow tells nobody": (
        f"{{id: r, mode: shadow, when: always, then: reject, with: {{notify: [officer], {TEXT}}}}}",
        FROM_OUTSIDE,
        [],
    ),
    "a rule that does not hold tells nobody": (
        "{id: r, when: {header: {name: Subject, contains: plan}}, then: reject, "
        f"with: {{notify: [officer], {TEXT}}}}}",
        FROM_OUTSIDE,
        [],
    ),
    "nobody is told twice: the officer who sent it hears of it as an officer": (
        f"{{id: r, when: {{direction: internal}}, then: tag, with: {{subject: x, notify: [sender, officer], {TEXT}}}}}",
        AMONG_US | {"sender": "Officer@example.gov.vn"},
        [("officer-alert", "Officer"), ("officer-alert", "second")],
    ),
    "who wrote to himself hears of it as the sender": (
        "{id: r, when: {direction: internal}, then: tag, "
        f"with: {{subject: x, notify: [recipient, sender], {TEXT}}}}}",
        AMONG_US | {"to": ["an@example.gov.vn"]},
        [("applied-sender", "an")],
    ),
}


def policy_of(folder: Path, *rules: str) -> Policy:
    (folder / "policy.yaml").write_text(HEAD + "".join(f"  - {rule}\n" for rule in rules))
    return load(folder / "policy.yaml", places=("tests.policy.filters",))


def told(policy: Policy, mail: Mail, answer: Reply | None = None) -> list[MessageNotice]:
    """The notices of a message that is carried out with this answer of the next hop, one for each person."""
    found = told_of(policy, mail, answer=answer)
    assert len({notice.to.lower() for notice in found}) == len(found)
    return found


def told_of(policy: Policy, mail: Mail, *findings: Finding, answer: Reply | None = None) -> list[MessageNotice]:
    """All notices of a message in which these findings were."""
    verdict = decide.decide(policy, mail, ())
    disposal = decide.fold(policy, verdict)
    done = dispose.carried_out(verdict, disposal, answer or disposal.reply or TAKEN)
    kept: KeptMail | None = kept_mail(policy, mail, disposal.own, "") if disposal.own else None
    original = original_without_content(mail, done) if disposal.unstored else original_of_mail(mail, done)
    found = applied(Affair(policy=policy, original=original, outcomes=done, findings=findings), kept, NOW)
    return [notice for notice in found if isinstance(notice, MessageNotice)]


def names(notices: list[MessageNotice]) -> list[tuple[str, str]]:
    return [(notice.kind.value, notice.to.removesuffix("@example.gov.vn")) for notice in notices]


@pytest.mark.parametrize(("rule", "how", "expected"), EACH.values(), ids=EACH)
def test_who_hears_what(rule: str, how: dict[str, Any], expected: list[tuple[str, str]], tmp_path: Path) -> None:
    found = told(policy_of(tmp_path, rule), make_mail(**how))
    assert names(found) == expected
    assert all(notice.text is not None and notice.text.vi == "Quy tắc MỘT" for notice in found)


ONE = (
    f"{{id: one, when: {{direction: inbound}}, then: quarantine, with: {{notify: [recipient, officer], {TEXT}}}}}"
)
TWO = (
    "{id: two, when: {recipient: b@example.gov.vn}, then: reject, "
    "with: {notify: [officer], text: {vi: HAI, en: TWO}}}"
)


def test_what_several_rules_say_to_one_person_is_one_notice(tmp_path: Path) -> None:
    found = told(policy_of(tmp_path, ONE, TWO), make_mail(to=["b@example.gov.vn"]))
    [alert] = [notice for notice in found if notice.to == "officer@example.gov.vn"]
    assert alert.text is not None
    assert (alert.text.vi, alert.text.en) == ("Quy tắc MỘT\nHAI", "Rule ONE\nTWO")


def test_what_is_refused_for_some_is_kept_for_them_and_so_they_hear(tmp_path: Path) -> None:
    found = told(policy_of(tmp_path, ONE, TWO), make_mail(**FROM_OUTSIDE))
    assert [type(notice) for notice in found if notice.to in FROM_OUTSIDE["to"]] == [KeptRecipient, KeptRecipient]
    alert = next(notice for notice in found if isinstance(notice, OfficerAlert))
    assert alert.action.word == "quarantine"
    assert alert.original.recipients == ("b@example.gov.vn", "c@example.gov.vn")


NOT_DONE = {
    "the next hop refuses it": (ONE.replace("quarantine", "tag").replace("with: {", "with: {subject: x, "), REFUSED),
    "the next hop is not there": (
        ONE.replace("quarantine", "tag").replace("with: {", "with: {subject: x, "),
        HOP_UNREACHABLE,
    ),
    "the store is not there": (ONE, HOP_UNREACHABLE),
}


@pytest.mark.parametrize(("rule", "answer"), NOT_DONE.values(), ids=NOT_DONE)
def test_what_did_not_happen_is_not_told(rule: str, answer: Reply, tmp_path: Path) -> None:
    assert told(policy_of(tmp_path, rule), make_mail(), answer) == []


def test_a_deferred_message_comes_again_and_is_told_of_then(tmp_path: Path) -> None:
    assert told(policy_of(tmp_path, ONE, "{id: wait, when: always, then: defer}"), make_mail()) == []


def test_a_kept_message_says_until_when(tmp_path: Path) -> None:
    [first, *_] = told(policy_of(tmp_path, ONE), make_mail())
    assert isinstance(first, KeptRecipient)
    assert first.original.expires is not None
    assert not first.original.held


SECRET = (
    "{id: secret, cite: law/1, when: {direction: inbound, header: {name: Subject, contains: MẬT}}, "
    "then: reject, "
    f"with: {{store: never, notify: [officer, recipient], {TEXT}}}}}"
)
SECRET_LETTER = (
    "From: Kế hoạch MẬT <a@example.org>\r\nSubject: MẬT: ke-hoach-dien-tap\r\nMessage-ID: <dien-tap@x>\r\n"
    "Content-Type: application/pdf; name=dien-tap.pdf\r\n\r\ndien-tap\r\n"
).encode()


def test_no_word_of_what_may_not_be_stored_is_told(tmp_path: Path) -> None:
    found = told(policy_of(tmp_path, SECRET), make_mail(raw=SECRET_LETTER))
    assert names(found) == [
        *(("officer-alert", "officer"), ("officer-alert", "second"), ("applied-recipient", "b")),
    ]
    for notice in found:
        assert "dien-tap" not in repr(notice)
        assert "MẬT" not in repr(notice)
        assert (notice.original.rules, notice.original.clauses) == (("secret",), ("law/1",))
        letter = compose(notice, LETTERHEAD)
        assert b"dien-tap" not in letter
        assert b"In-Reply-To" not in letter


def test_a_refusal_before_the_content_is_told_of_without_one(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, TWO)
    mail = make_mail(to=["b@example.gov.vn"])
    outcome = decide.at_envelope(policy, mail, mail.envelope.recipients[0])
    affair = Affair(policy=policy, original=original_of_envelope(mail, [outcome]), outcomes=(outcome,))
    found = applied(affair, None, NOW)
    assert [(type(notice), notice.to) for notice in found] == [
        (OfficerAlert, "officer@example.gov.vn"),
        (OfficerAlert, "second@example.gov.vn"),
    ]
    assert isinstance(found[0], OfficerAlert)
    assert found[0].original.because


def test_nobody_is_told_of_null_senders_who_were_refused_before_the_content(tmp_path: Path) -> None:
    """It may be a notice of ours, which only its header would tell: an alert of it might be refused again."""
    policy = policy_of(tmp_path, TWO)
    mail = make_mail(to=["b@example.gov.vn"], sender="")
    outcome = decide.at_envelope(policy, mail, mail.envelope.recipients[0])
    affair = Affair(policy=policy, original=original_of_envelope(mail, [outcome]), outcomes=(outcome,))
    assert applied(affair, None, NOW) == []


def test_not_more_than_so_many_recipients_are_told_one_by_one(tmp_path: Path) -> None:
    rule = ONE.replace("quarantine", "discard")
    mail = make_mail(to=[f"{number}@example.gov.vn" for number in range(MOST_RECIPIENTS + 9)])
    found = told(policy_of(tmp_path, rule), mail)
    assert sum(isinstance(notice, AppliedRecipient) for notice in found) == MOST_RECIPIENTS
    assert sum(isinstance(notice, OfficerAlert) for notice in found) == 2


GATHERED = ONE.replace("with: {", "with: {summary: 1h, ")


def test_what_a_rule_wants_gathered_is_told_beside_what_others_say(tmp_path: Path) -> None:
    found = told_of(policy_of(tmp_path, GATHERED, TWO.replace("reject", "quarantine")), make_mail(**FROM_OUTSIDE))
    assert [(notice.kind.value, notice.to.partition("@")[0], notice.gather is not None) for notice in found] == [
        ("kept-recipient", "b", True),
        ("officer-alert", "officer", True),
        ("officer-alert", "second", True),
        ("officer-alert", "officer", False),
        ("officer-alert", "second", False),
        ("kept-recipient", "c", True),
    ]
    assert len({notice.id for notice in found}) == len(found)
    [first, *_] = found
    assert first.gather == Gather("one", (), timedelta(hours=1), "example.org")
    assert first.original.recipients == ("b@example.gov.vn",)  # nobody hears of others
    assert first.text is not None
    assert first.text.en == "Rule ONE"


def test_the_service_that_a_filter_has_named_is_whom_it_counts_under(tmp_path: Path) -> None:
    list_request = SubscriptionRequest(service="lists.example", address="a@lists.example", by="command")
    found = told_of(policy_of(tmp_path, GATHERED), make_mail(**FROM_OUTSIDE), Finding(), list_request)
    assert {notice.gather.source for notice in found if notice.gather is not None} == {"lists.example"}
