from __future__ import annotations

import hashlib

import pytest

from gateway.mail import Recipient
from gateway.mime.parse import parse
from gateway.notices.original import MOST_FILES, original_of, original_of_mail, original_with_content, unanswerable
from gateway.reply import OK
from gateway.verdict import Action, Outcome, RuleOutcome, Truth
from tests.policy.conftest import make_mail
from tests.store.families import kept

HEADERS = {
    "a person's mail": (b"", ""),
    "an automatic message": (b"Auto-Submitted: auto-generated\r\n", "Auto-Submitted"),
    "an automatic answer, with a parameter": (b"Auto-Submitted: auto-replied; x=y\r\n", "Auto-Submitted"),
    "said not to be automatic": (b"Auto-Submitted: No (really)\r\n", ""),
    "bulk mail": (b"Precedence: BULK\r\n", "Precedence"),
    "list mail by precedence": (b"Precedence: list\r\n", "Precedence"),
    "junk": (b"precedence: junk\r\n", "Precedence"),
    "another precedence": (b"Precedence: first-class\r\n", ""),
    "list mail": (b"List-Id: <a.b>\r\n", "list mail"),
    "mail one can unsubscribe from": (b"List-Unsubscribe: <mailto:a@b>\r\n", "list mail"),
    "asks for no replies": (b"X-Auto-Response-Suppress: DR, AutoReply\r\n", "X-Auto-Response-Suppress"),
    "asks for no receipts": (b"X-Auto-Response-Suppress: DR, RN\r\n", ""),
    "the second of two fields": (b"Auto-Submitted: no\r\nAuto-Submitted: auto-replied\r\n", "Auto-Submitted"),
}


@pytest.mark.parametrize(("head", "reason"), HEADERS.values(), ids=HEADERS)
def test_what_nobody_answers_automatically(head: bytes, reason: str) -> None:
    assert unanswerable(parse(b"Subject: x\r\n" + head + b"\r\nHello\r\n")) == reason


def multipart(*parts: bytes) -> bytes:
    head = (
        b"From: a@b\r\nMessage-ID: <1@b>\r\nX-Mailwarden-Notice: m\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n"
    )
    return head + b"".join(b"--B\r\n" + part + b"\r\n" for part in parts) + b"--B--\r\n"


TEXT = b"Content-Type: text/plain\r\n\r\nHello"
FILE = b'Content-Type: application/pdf; name="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8='


def test_a_kept_message_is_summarised() -> None:
    raw = multipart(TEXT, FILE)
    entry = kept(raw)
    about = original_with_content(entry, parse(raw), raw)
    assert (about.id, about.sender, about.held) == (entry.id, "Sender@example.com", True)
    assert about.recipients == ("mot@example.gov.vn", "hai@example.gov.vn")
    assert (about.rules, about.clauses, about.because) == (entry.rules, entry.clauses, entry.because)
    assert about.file_count == 1
    [file] = about.files
    assert (file.name, file.media_type, file.size) == ("a.pdf", "application/pdf", 5)
    assert file.sha256 == hashlib.sha256(b"hello").hexdigest()
    assert about.marker == "m"
    assert original_of(entry).files == ()


def test_a_summary_lists_the_first_files_and_counts_the_others() -> None:
    raw = multipart(TEXT, *[FILE] * (MOST_FILES + 5))
    about = original_with_content(kept(raw), parse(raw), raw)
    assert (len(about.files), about.file_count) == (MOST_FILES, MOST_FILES + 5)


def test_mail_that_is_not_kept_is_summarised_with_the_rules_that_asked_for_something() -> None:
    raw = multipart(TEXT)
    recipient = Recipient("b@example.gov.vn")
    rules = (
        RuleOutcome("malware", ("a/1", "b/2"), "enforce", Truth.MATCH, Action.REJECT, "EICAR found"),
        RuleOutcome("in-shadow", ("c/3",), "shadow", Truth.MATCH, Action.REJECT, "too"),
        RuleOutcome("no-match", ("d/4",), "enforce", Truth.NO_MATCH, None, "not"),
    )
    outcome = Outcome(recipient=recipient, action=Action.REJECT, reply=OK, rules=rules)
    about = original_of_mail(make_mail(raw=raw), [outcome, outcome])
    assert (about.rules, about.clauses, about.because) == (("malware",), ("a/1", "b/2"), "EICAR found")
    assert (about.direction, about.message_id, about.size, about.held) == ("inbound", "<1@b>", len(raw), False)
