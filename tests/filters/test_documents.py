"""The filter `documents`: what is an official document, what merely cites one, and which mailboxes are private."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters._documents.contacts import own_contacts
from filters._documents.forms import document, named_as_document
from filters.documents import (
    Documents,
    OfficialDocument,
    OfficialDocumentViaPrivateMailbox,
    PrivateContact,
    PrivateReplyTo,
)
from gateway.mail import Client, Envelope, Mail, Recipient
from gateway.mime.parse import parse
from gateway.reading import File, Reading, Text, Zone

REPORT = """ỦY BAN NHÂN DÂN TỈNH X\tCỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
SỞ TÀI CHÍNH\tĐộc lập - Tự do - Hạnh phúc
Số: 12/BC-STC
Tỉnh X, ngày 05 tháng 3 năm 2026
BÁO CÁO
Kết quả công tác tháng 02 năm 2026
Kính gửi: Ủy ban nhân dân tỉnh
Nơi nhận:
- Như trên;
KT. GIÁM ĐỐC
"""

LETTER = """VĂN PHÒNG UBND TỈNH
Số: 05/VP-TH
V/v góp ý dự thảo kế hoạch
Tỉnh X, ngày 11 tháng 5 năm 2026
Kính gửi: Các sở, ban, ngành
Căn cứ Luật Ban hành văn bản quy phạm pháp luật;
Nơi nhận:
CHÁNH VĂN PHÒNG
"""

INVITATION = """BAN QUẢN LÝ DỰ ÁN
Số: 12/GM-DAGT
[KHẨN] Giấy mời
GIẤY MỜI
Tỉnh K, ngày 02 tháng 4 năm 2026
Kính gửi: Các nhà thầu
Xác nhận tham dự gửi về email: bqlgt.tinhk@gmail.com
"""

PARTY = """ĐẢNG CỘNG SẢN VIỆT NAM
TỈNH ỦY X
Số 05-BC/TU
X, ngày 01 tháng 02 năm 2026
LƯU HÀNH NỘI BỘ
BÁO CÁO
Sơ kết công tác quý I
"""


@pytest.mark.parametrize(
    ("text", "kind", "symbol", "agency"),
    [
        pytest.param(REPORT, "báo cáo", "12/BC-STC", "STC", id="a report with its letterhead"),
        pytest.param(LETTER, "công văn", "05/VP-TH", "VP", id="an official letter names no type"),
        pytest.param(INVITATION, "giấy mời", "12/GM-DAGT", "DAGT", id="an invitation without the national header"),
        pytest.param(PARTY, "báo cáo", "05-BC/TU", "TU", id="a Party document"),
        pytest.param(REPORT.replace("12/BC", "   /BC"), "báo cáo", "/BC-STC", "STC", id="a draft without number"),
        pytest.param(REPORT.replace("Số:", "SỐ"), "báo cáo", "12/BC-STC", "STC", id="the label in capitals"),
    ],
)
def test_document_is_recognised(text: str, kind: str, symbol: str, agency: str) -> None:
    found = document(text)
    assert found is not None
    assert (found.kind, found.symbol, found.agency) == (kind, symbol, agency)


def test_marks_and_period_are_fields() -> None:
    invitation, party, report = document(INVITATION), document(PARTY), document(REPORT)
    assert invitation is not None
    assert party is not None
    assert report is not None
    assert invitation.urgency == "khẩn"
    assert (party.circulation, party.party, party.period) == ("lưu hành nội bộ", True, "quý")
    assert report.period == "tháng"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Anh xem giúp Công văn 12/UBND-VX và Quyết định 341/QĐ-UBND ngày 11/5/2022.", id="a citation"),
        pytest.param("Căn cứ Nghị định số 91/2020/NĐ-CP, đề nghị anh báo cáo trước ngày 20.", id="a decree is cited"),
        pytest.param("Kính gửi: Phòng A\nEm gửi file ạ.\nNguyễn Văn B\nCHỦ TỊCH\n", id="an e-mail with a title"),
        pytest.param("Tỷ lệ 24/7, trang 3/4, TCP/IP", id="slashes"),
        pytest.param("Số: 0912345678\nKính gửi: anh", id="a number that is none"),
        pytest.param("", id="nothing"),
    ],
)
def test_mention_is_no_document(text: str) -> None:
    assert document(text) is None


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("12-BC-STC.docx", "12/BC-STC"),
        ("341_QD-UBND.pdf", "341/QĐ-UBND"),
        ("05.GM-VP.pdf", "05/GM-VP"),
        ("anh-nghi-mat-2026.jpg", None),
        ("12-BC.docx", None),
        ("IMG_20260302.png", None),
    ],
)
def test_file_name_gives_the_symbol(name: str, symbol: str | None) -> None:
    found = named_as_document(name)
    assert (found.symbol if found else None) == symbol


@pytest.mark.parametrize(
    ("line", "own"),
    [
        ("Xác nhận tham dự gửi về email: bql@gmail.com", True),
        ("Email: vanthu@yahoo.com; ĐT: 0269 3824 567", True),
        ("Mọi phản hồi gửi về hộp thư hotro@gmail.com", True),
        ("Nhà thầu: Công ty A, email dauthau@congtya.vn", False),
        ("Kính gửi: Ông B (email: b@gmail.com)", False),
        ("Nơi nhận:\n- Như trên; email c@gmail.com", False),
        ("Anh C c@gmail.com đã nộp", False),
    ],
)
def test_own_contact_is_told_from_others(line: str, own: bool) -> None:
    assert bool(list(own_contacts(line))) is own


def mail(
    head: str = "From: a@x.gov.vn",
    sender: str = "a@x.gov.vn",
    recipient: str = "b@x.gov.vn",
    texts: tuple[Text, ...] = (),
    files: tuple[File, ...] = (),
) -> Mail:
    raw = f"{head}\r\n\r\nx\r\n".encode()
    return Mail(
        id="1",
        listener="x",
        received=datetime(2026, 3, 1, tzinfo=UTC),
        client=Client(),
        envelope=Envelope(sender, (Recipient(recipient),)),
        inside=True,
        domains=frozenset({"x.gov.vn"}),
        raw=raw,
        root=parse(raw),
        opened=Reading(texts=texts, files=files),
    )


ATTACHED = (Text(place="2", zone=Zone.ATTACHMENT, content=REPORT),)
FILE = (File(place="2", names=("bao-cao.docx",)),)


def test_work_document_to_a_private_mailbox() -> None:
    found = list(Documents().inspect(mail(recipient="hoanv1980@yahoo.com", texts=ATTACHED, files=FILE)))
    assert [one.code for one in found] == ["official_document", "official_document_via_private_mailbox"]
    assert [type(one) for one in found] == [OfficialDocument, OfficialDocumentViaPrivateMailbox]
    assert found[0].facts()["attached"] is True
    assert found[1].facts() == {
        "role": "recipient",
        "provider": "yahoo.com",
        "kind": "báo cáo",
        "symbol": "12/BC-STC",
        "reply": False,
    }


def test_answer_to_a_citizen_says_so() -> None:
    head = "From: a@x.gov.vn\r\nIn-Reply-To: <1@mail.gmail.com>"
    found = list(Documents().inspect(mail(head, recipient="dan@gmail.com", texts=ATTACHED, files=FILE)))
    assert found[1].facts()["reply"] is True


def test_document_from_a_private_mailbox_by_its_file_name_alone() -> None:
    files = (File(place="2", names=("15-BC-DAGT.pdf",)),)
    found = list(Documents().inspect(mail("From: bql@gmail.com", "bql@gmail.com", files=files)))
    assert [one.facts().get("role", "") for one in found] == ["", "sender"]


def test_answers_to_a_private_mailbox() -> None:
    found = list(Documents().inspect(mail("From: a@x.gov.vn\r\nReply-To: a1980@gmail.com")))
    assert found == [PrivateReplyTo(provider="gmail.com")]
    assert [one.code for one in found] == ["private_reply_to"]


def test_private_contact_in_a_document() -> None:
    texts = (Text(place="2", zone=Zone.ATTACHMENT, content=INVITATION),)
    found = [one for one in Documents().inspect(mail(texts=texts, files=FILE)) if isinstance(one, PrivateContact)]
    assert [(one.code, one.domain, one.private) for one in found] == [("private_contact", "gmail.com", True)]
    assert "bqlgt" not in repr(found)


@pytest.mark.parametrize("address", ["bqlctgt@x.gov.vn", "abc@mt.gov.vn"])
def test_official_contact_is_none(address: str) -> None:
    texts = (Text(place="2", zone=Zone.ATTACHMENT, content=INVITATION.replace("bqlgt.tinhk@gmail.com", address)),)
    assert [type(one) for one in Documents().inspect(mail(texts=texts, files=FILE))] == [OfficialDocument]


def test_private_mail_without_document_is_no_finding() -> None:
    texts = (Text(place="1", zone=Zone.BODY, content="Chào anh, mai họp lúc 8 giờ."),)
    assert list(Documents().inspect(mail("From: dan@gmail.com", "dan@gmail.com", texts=texts))) == []


@given(st.text(alphabet=st.sampled_from("Số: 12/BC-STCQĐGM\n.,ngàythángnăm2026 KínhgửiTM"), max_size=200))
def test_nothing_raises(text: str) -> None:
    found = document(text)
    assert found is None or 0 <= found.at <= len(text)
    list(own_contacts(text))
    named_as_document(text)
