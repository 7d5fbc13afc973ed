from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.notices.compose import Letterhead, compose
from gateway.notices.model import (
    ApprovalRequest,
    DecidedSender,
    Decision,
    KeptRecipient,
    Notice,
    NoticeKind,
)
from gateway.notices.original import Attached, Original
from gateway.policy.rule import Bilingual
from tests.notices.conftest import KEY, LETTERHEAD, LINK, NOW, TEXT, foreign, notices, original

FIELDS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "Content-Language",
    "X-Mailwarden-Notice",
    "MIME-Version",
    "Content-Type",
]
REFERRING = [*FIELDS[:5], "In-Reply-To", "References", *FIELDS[5:]]
ANSWERS = {"held-sender", "decided-sender", "applied-sender"}
TITLES = {
    "kept-recipient": ("Thư gửi tới bạn đang được giữ lại", "A message to you is being kept"),
    "released-recipient": ("Thư từng được giữ lại nay đã được chuyển tới bạn", "A message that was kept is on its way"),
    "held-sender": ("Thư của bạn đang chờ duyệt", "Your message awaits approval"),
    "decided-sender": ("Thư của bạn được trả lại", "Your message has been returned"),
    "approval-request": ("Có thư chờ bạn duyệt", "A message waits for your approval"),
    "approval-reminder": ("Nhắc lại: có thư chờ bạn duyệt", "Reminder: a message waits for your approval"),
    "approval-escalation": ("Thư chờ duyệt được chuyển tới bạn", "has been passed to you"),
    "officer-alert": ("Một quy tắc đã được áp dụng", "A rule has been applied"),
    "applied-recipient": ("Một quy tắc đã được áp dụng với thư gửi tới bạn", "applied to a message to you"),
    "applied-sender": ("Một quy tắc đã được áp dụng với thư của bạn", "applied to your message"),
    "digest-recipient": ("Danh sách thư gửi tới bạn đang được giữ lại", "Messages to you that are being kept"),
    "flood-summary": ("Nhiều thông báo đã được gộp lại", "Many notices have been put into one"),
    "gathered-summary": ("Nhiều thư cùng loại được báo trong một thông báo", "Many messages of one kind"),
}
EVIL = (
    "\r\nBcc: all@example.gov.vn\r\n\r\n<script src=//evil.example>alert(1)</script>\u202egnp.exe https://evil.example”"
)
ALLOWED_TAGS = {"html", "head", "meta", "title", "body", "div", "h2", "p", "br", "hr", "a"}


def parsed(notice: Notice, letterhead: Letterhead = LETTERHEAD) -> EmailMessage:
    message = message_from_bytes(compose(notice, letterhead), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


class Page(HTMLParser):
    """What a browser would make of it: tags with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def check_form(raw: bytes) -> None:
    """7 bit, CRLF only, no line too long, and the header fields are ours."""
    assert raw.isascii()
    lines = raw.split(b"\r\n")
    assert all(b"\n" not in line and b"\r" not in line and b"\0" not in line for line in lines)
    assert max(len(line) for line in lines) <= 998
    message = message_from_bytes(raw, policy=policy.default)
    assert message.keys() in (FIELDS, REFERRING)
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert not any(part.defects for part in message.walk())


def check_page(message: EmailMessage, link: str) -> None:
    """Nothing to run, nothing to load, no link but ours."""
    page = Page(body(message, "html"))
    assert {tag for tag, _ in page.tags} <= ALLOWED_TAGS
    for tag, attributes in page.tags:
        assert not {"src", "background", "srcset", "action"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
        if tag == "a":
            assert attributes["href"] == link


def test_every_kind_is_here() -> None:
    assert set(TITLES) == {kind.value for kind in NoticeKind} == set(notices(original()))


@pytest.mark.parametrize("kind", TITLES)
def test_a_notice_is_a_message_in_two_languages(kind: str) -> None:
    notice = notices(original())[kind]
    check_form(compose(notice, LETTERHEAD))
    message = parsed(notice)
    check_page(message, LINK)
    vietnamese, english = TITLES[kind]
    assert message["From"] == "Mailwarden <mailwarden@example.gov.vn>"
    assert message["To"].addresses[0].addr_spec == "dung@example.gov.vn"
    assert message["Date"].datetime == NOW.replace(microsecond=0)
    assert message["Message-ID"] == f"<{notice.id}@mx.example.gov.vn>"
    assert message["Auto-Submitted"] == ("auto-replied" if kind in ANSWERS else "auto-generated")
    assert vietnamese in message["Subject"]
    assert english in message["Subject"]
    for text in (body(message, "plain"), Page(body(message, "html")).text):
        assert text.index(vietnamese) < text.index(english)
        assert "09:30 ngày 24/11/2026 (GMT+07)" in text
        assert "24 November 2026, 09:30 (GMT+07)" in text


@pytest.mark.parametrize("kind", sorted({*TITLES} - {"digest-recipient", "flood-summary", "gathered-summary"}))
def test_a_notice_about_a_message_says_which_and_by_what_rule(kind: str) -> None:
    text = body(parsed(notices(original())[kind]), "plain")
    told = ["06ES4D1KQ2Z7N8XYAB", "an@example.gov.vn", "“Báo cáo quý III”", "2,5 MB", "2.5 MB", "outgoing-approval"]
    for words in (
        *told,
        "khanhhoa-2021/9",
        "Theo Điều 9 của quy chế.",
        "https://example.gov.vn/quy-che",
        "Under article 9.",
    ):
        assert words in text, words


def test_a_summary_of_what_was_gathered_says_how_many_of_whom_and_by_what_rule() -> None:
    text = body(parsed(notices(foreign())["gathered-summary"]), "plain")
    told = ["1.234 thư", "1,234 messages", "signup-bombing", "khanhhoa-2021/9", "Theo Điều 9 của quy chế."]
    for words in (*told, "- news@shop.example: 1.000", "- shopee: 4", "- khác: 230", "- others: 230"):
        assert words in text, words
    assert "Hộp thư: dung@example.gov.vn" in text


def test_an_approver_sees_what_he_decides_on() -> None:
    text = body(parsed(notices(original())["approval-request"]), "plain")
    told = ["binh@example.com", "chi@example.org", "“bao-cao.pdf”, application/pdf, 1,2 MB, SHA-256 " + "ab" * 32, LINK]
    told += [
        "K7QX-29MD",
        "em@example.gov.vn",
        "Số người phải duyệt: 2",
        "12:30 ngày 24/11/2026",
        "the office's mailbox",
    ]
    for words in told:
        assert words in text, words


@pytest.mark.parametrize("kind", ["kept-recipient", "released-recipient", "applied-recipient", "digest-recipient"])
def test_a_recipient_hears_of_no_other_recipient_and_no_inner_reason(kind: str) -> None:
    about = foreign(recipients=("dung@example.gov.vn", "secret@example.gov.vn"), because="lexicon: word 17")
    raw = compose(notices(about)[kind], LETTERHEAD)
    text = body(parsed(notices(about)[kind]), "plain")
    assert b"secret" not in raw
    assert "secret" not in text
    assert "lexicon" not in text


DECISIONS = {
    Decision.APPROVED: ("Đã duyệt và gửi lúc 09:30 ngày 24/11/2026", "Approved and sent on 24 November 2026, 09:30"),
    Decision.RETURNED: ("được trả lại lúc 09:30", "it was returned on 24 November 2026"),
    Decision.EXPIRED: ("không được quyết định trong thời hạn", "was not decided in time"),
}


@pytest.mark.parametrize("decision", DECISIONS)
def test_the_sender_is_told_what_was_decided(decision: Decision) -> None:
    notice = DecidedSender(
        to="an@example.gov.vn",
        moment=NOW,
        original=original(),
        decision=decision,
        actor="dung@example.gov.vn",
        comment="Ý kiến",
    )
    text = body(parsed(notice), "plain")
    for words in (*DECISIONS[decision], "Decided by: dung@example.gov.vn", "“Ý kiến”"):
        assert words in text


REFERENCES = {
    "the sender has the original": ("decided-sender", "<quy3@example.gov.vn>", True),
    "the recipient has it now": ("released-recipient", "<quy3@example.gov.vn>", True),
    "an approver does not have it": ("approval-request", "<quy3@example.gov.vn>", False),
    "not an id": ("decided-sender", "quy3", False),
    "two ids": ("decided-sender", "<a@b> <c@d>", False),
    "would be an encoded word": ("decided-sender", "<=?utf-8?b?QQ==?=@b>", False),
    "a header behind it": ("decided-sender", "<a@b>\r\nBcc: c@d", False),
    "much too long": ("decided-sender", f"<{'a' * 5000}@b>", False),
}


@pytest.mark.parametrize(("kind", "message_id", "refers"), REFERENCES.values(), ids=REFERENCES)
def test_a_notice_refers_to_the_original_where_the_addressee_has_it(kind: str, message_id: str, refers: bool) -> None:
    message = parsed(notices(original(message_id=message_id))[kind])
    assert message["References"] == (message_id if refers else None)
    assert message["In-Reply-To"] == (message_id if refers else None)


def test_a_strangers_subject_never_becomes_ours() -> None:
    assert "Mã xác nhận" not in parsed(notices(foreign())["kept-recipient"])["Subject"]
    assert "Báo cáo quý III" in parsed(notices(original())["approval-request"])["Subject"]


def test_questions_go_to_the_contact() -> None:
    letterhead = replace(LETTERHEAD, contact="hotro@example.gov.vn")
    message = parsed(notices(foreign())["kept-recipient"], letterhead)
    assert message["Reply-To"].addresses[0].addr_spec == "hotro@example.gov.vn"
    assert "hotro@example.gov.vn" in body(message, "plain")


def test_the_same_notice_is_the_same_message() -> None:
    assert compose(notices(original())["held-sender"], LETTERHEAD) == compose(
        notices(original())["held-sender"], LETTERHEAD
    )


HOSTILE: dict[str, dict[str, Any]] = {
    "subject": {"subject": EVIL},
    "long subject": {"subject": "Ư" * 10_000},
    "sender": {"sender": EVIL},
    "recipients": {"recipients": (EVIL,) * 1000},
    "from": {"header_from": EVIL},
    "id": {"id": EVIL},
    "file": {"files": (Attached(EVIL, EVIL, 1, EVIL),) * 20, "file_count": 9999},
    "rules": {"rules": (EVIL,), "clauses": (EVIL,), "because": EVIL * 500},
    "a template": {"subject": "{{ 7 * 7 }} {% include 'letter.html' %}"},
    "surrogates": {"subject": "\ud800\udfff", "header_from": "\udc80"},
}


@pytest.mark.parametrize("changes", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("kind", TITLES)
def test_what_strangers_write_stays_text(kind: str, changes: dict[str, Any]) -> None:
    notice = notices(original(**changes))[kind]
    raw = compose(notice, LETTERHEAD)
    check_form(raw)
    message = parsed(notice)
    check_page(message, LINK)
    assert len(raw) < 100_000
    for text in (body(message, "plain"), Page(body(message, "html")).text, str(message["Subject"])):
        assert "\u202e" not in text
        assert "https://evil" not in text
        assert "49" not in text.replace(notice.id, "")
    assert not any(line.startswith(("Bcc:", "<script")) for line in body(message, "plain").splitlines())


def test_what_people_say_stays_text() -> None:
    for notice in (
        DecidedSender(
            to="a@example.gov.vn", moment=NOW, original=original(), decision=Decision.RETURNED, actor=EVIL, comment=EVIL
        ),
        ApprovalRequest(
            to="a@example.gov.vn", moment=NOW, original=original(), link=EVIL, code=EVIL, others=(EVIL,), until=NOW
        ),
        KeptRecipient(to=EVIL, moment=NOW, original=original(), link="javascript:alert(1)"),
    ):
        check_form(compose(notice, LETTERHEAD))
        check_page(parsed(notice), "")
        assert "javascript:" not in body(parsed(notice), "plain")


LETTERHEADS = {
    "no address": {"mailbox": "mailwarden"},
    "a header in the address": {"mailbox": "a@b.vn\r\nBcc: c@d"},
    "no host name": {"hostname": "mx example"},
    "no contact": {"contact": "Hỗ trợ"},
}


@pytest.mark.parametrize("changes", LETTERHEADS.values(), ids=LETTERHEADS)
def test_a_letterhead_that_cannot_be_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        Letterhead(**{"mailbox": "a@b.vn", "hostname": "mx.b.vn", "key": KEY} | changes)  # type: ignore[arg-type]


TEXTS = st.text(st.characters(), max_size=60) | st.sampled_from(
    [EVIL, "", "=?utf-8?q?a?=", "a@example.gov.vn", "\n\n\n"]
)
ORIGINALS = st.builds(
    Original,
    id=TEXTS,
    received=st.just(NOW),
    direction=st.sampled_from(["inbound", "outbound", "internal"]),
    sender=TEXTS,
    recipients=st.lists(TEXTS, max_size=12).map(tuple),
    header_from=TEXTS,
    subject=TEXTS,
    message_id=TEXTS,
    size=st.integers(0, 10**12),
    rules=st.lists(TEXTS, max_size=3).map(tuple),
    clauses=st.lists(TEXTS, max_size=3).map(tuple),
    because=TEXTS,
    expires=st.none() | st.datetimes(datetime(1971, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC)),
    files=st.lists(st.builds(Attached, TEXTS, TEXTS, st.integers(0, 10**12), TEXTS), max_size=3).map(tuple),
    file_count=st.integers(0, 99),
    marker=TEXTS,
)
RULE_TEXTS = TEXTS.map(lambda text: Bilingual(vi=f"x{text}", en=f"y{text}"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(about=ORIGINALS, text=st.none() | RULE_TEXTS | st.just(TEXT), to=TEXTS, words=TEXTS)
def test_any_text_in_any_field_gives_a_message_whose_fields_are_ours(
    about: Original, text: Bilingual | None, to: str, words: str
) -> None:
    for notice in notices(about, text).values():
        changes: dict[str, Any] = {"to": to}
        for name in ("link", "code", "comment", "actor"):
            changes |= {name: words} if hasattr(notice, name) else {}
        changed = replace(notice, **changes)
        check_form(compose(changed, LETTERHEAD))
        check_page(parsed(changed), getattr(changed, "link", ""))
