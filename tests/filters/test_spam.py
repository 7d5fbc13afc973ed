"""The filter `spam` without engines: the classifier, what it learns, and mail to many."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters._spam import learned
from filters._spam.learned import Lesson, load
from filters._spam.model import TAG, load_model
from filters._spam.phrases import Offers
from filters.spam import GTUBE, Bulk, Score, Spam
from gateway.errors import Unavailable
from gateway.extract.message import contents
from gateway.mail import Client, Envelope, Mail, Recipient
from gateway.mime.parse import parse
from gateway.reading import Link, Reading, Text
from gateway.verdict import Finding

SPAM = Spam()
FOOTER = "\n\nTrân trọng.\n\n-- \nVăn phòng, điện thoại 0299.3822.000"


def read(raw: bytes) -> Mail:
    root = parse(raw)
    found = list(contents(raw, root))
    texts = tuple(one for one in found if isinstance(one, Text))
    links = tuple(one for one in found if isinstance(one, Link))
    return Mail(
        id="1",
        listener="x",
        received=datetime(2026, 11, 24, tzinfo=UTC),
        client=Client(address="192.0.2.7", name="mx.example.org"),
        envelope=Envelope("a@example.org", (Recipient("an@example.gov.vn"),)),
        inside=False,
        raw=raw,
        root=root,
        opened=Reading(texts=texts, links=links),
    )


def letter(subject: str, body: str, **fields: str) -> Mail:
    message = EmailMessage()
    message["From"] = fields.pop("From", "Công ty ABC <info@abc.example>")
    message["To"] = "An <an@example.gov.vn>"
    message["Subject"] = subject
    message["Date"] = "Tue, 24 Nov 2026 08:00:00 +0700"
    message["Message-ID"] = "<20261124.1@abc.example>"
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return read(message.as_bytes())


def found(spam: Spam, mail: Mail) -> list[Finding]:
    async def collect() -> list[Finding]:
        return [finding async for finding in spam.inspect(mail)]

    return asyncio.run(collect())


def score(mail: Mail, spam: Spam = SPAM) -> Score:
    [finding] = [each for each in found(spam, mail) if isinstance(each, Score)]
    return finding


ADVERTISING = {
    "loans": (
        "Vay tiền nhanh không thế chấp",
        "Bên em hỗ trợ vay vốn tín chấp, lãi suất chỉ từ 0,8%/tháng, giải ngân trong ngày, không cần chứng minh thu "
        "nhập. Gọi ngay để được hỗ trợ.",
    ),
    "loans, written without tones": (
        "Vay tien nhanh",
        "Ben em ho tro vay von tin chap, lai suat chi tu 0,8%/thang, giai ngan trong ngay. Lien he ngay hotline.",
    ),
    "land": (
        "Mở bán đất nền sổ đỏ",
        "Chính thức mở bán dự án đất nền giá rẻ view sông, sổ hồng trao tay, chiết khấu khủng. Số lượng có hạn!",
    ),
    "places in search results": (
        "Dịch vụ SEO",
        "Dịch vụ SEO website lên top Google, thiết kế website giá rẻ, tăng like. Ưu đãi đặc biệt. Nếu không muốn nhận "
        "thư, xin lỗi vì đã làm phiền.",
    ),
    "invoices": ("Cung cấp hóa đơn đỏ", "Chúng tôi bán hóa đơn GTGT, xuất hóa đơn theo yêu cầu. Kết bạn Zalo ngay."),
    "gambling": (
        "Tặng 100% tiền nạp",
        "Nhà cái uy tín số 1: nổ hũ, tài xỉu, nạp rút nhanh. Đăng ký ngay để nhận thưởng nạp đầu.",
    ),
    "easy work": (
        "Việc nhẹ lương cao",
        "Tuyển cộng tác viên online, thu nhập thụ động 500k mỗi ngày. Nhắn tin Zalo, cơ hội duy nhất trong năm.",
    ),
    "a sale, labelled": (
        "[QC] Giảm giá 80% đồng hồ",
        "Giảm giá sốc 80% đồng hồ chính hãng, chỉ còn hôm nay. Gọi ngay 0900000000.",
    ),
    "money from home, in English": (
        "MAKE MONEY FAST!!!",
        "DEAR FRIEND, make money fast working from home! 100% FREE, no obligation. Click here to be removed from our "
        "list. This is not spam. ORDER NOW!!!",
    ),
    "a dead minister's fortune, in English": (
        "URGENT ASSISTANCE",
        "Dear Sir, I am the son of the late president. I have 25 million United States dollars in a "
        "security company and "
        "need a foreign partner for the transfer of funds. This is strictly confidential. Your urgent assistance is "
        "needed; send your bank account. God bless.",
    ),
}

WORK = {
    "an invitation": (
        "Giấy mời họp giao ban tháng 11",
        "Kính gửi các đồng chí, Văn phòng trân trọng kính mời dự họp lúc 8h00 ngày 25/11/2026. Đề nghị "
        "chuẩn bị báo cáo "
        "tình hình giải ngân vốn đầu tư công.",
    ),
    "a report on illegal lending and gambling": (
        "Báo cáo về tín dụng đen",
        "Báo cáo tình hình cho vay nặng lãi, tờ rơi vay tiền nhanh, vay không thế chấp; xử lý các nhà cái và cá cược "
        "trực tuyến trên địa bàn.",
    ),
    "a licence for advertising": (
        "Hồ sơ đề nghị cấp phép quảng cáo",
        "Công ty kính gửi hồ sơ đề nghị cấp phép quảng cáo. Đề nghị phòng xem xét.",
    ),
    "a question about an invoice": (
        "V/v hóa đơn tháng 10",
        "Đề nghị đơn vị gửi lại hóa đơn điện tử tháng 10 để làm thủ tục thanh toán.",
    ),
    "a complaint about a sale of land": (
        "Đơn khiếu nại dự án đất nền",
        "Tôi mua đất nền dự án năm 2020, đến nay chưa được cấp sổ hồng riêng, kính đề nghị Sở xem xét giải quyết.",
    ),
    "minutes, in English": ("Minutes", "Dear An, attached are the minutes of the meeting on Tuesday. Regards, Binh"),
}


@pytest.mark.parametrize(("subject", "body"), ADVERTISING.values(), ids=ADVERTISING)
def test_advertising_is_spam(subject: str, body: str) -> None:
    said = score(letter(subject, body))
    assert said.share >= 1, said
    assert (said.engine, said.action, said.required) == ("embedded", "spam", TAG)


@pytest.mark.parametrize(("subject", "body"), WORK.values(), ids=WORK)
def test_work_is_not(subject: str, body: str) -> None:
    said = score(letter(subject, body + FOOTER, From="Văn phòng <vanphong@example.vn>"))
    assert said.share < 1, said
    assert said.action == "ham"


def test_test_line_is_spam_for_sure() -> None:
    said = score(letter("GTUBE", GTUBE.decode()))
    assert (said.score, said.symbols) == (1000.0, ("GTUBE",))
    assert score(letter("GTUBE", GTUBE.decode().lower())).score < 1000


def test_what_was_said_is_evidence() -> None:
    said = score(letter("Vay tiền nhanh", "Vay tín chấp, gọi ngay."))
    assert {each.excerpt for each in said.evidence} == {"Vay tiền nhanh", "gọi ngay"}
    assert "+vay-tien" in said.symbols


def test_padding_does_not_hide_an_offer() -> None:
    subject, body = ADVERTISING["gambling"]
    padded = f"{body}\n{'Kính gửi các đồng chí, đề nghị báo cáo. ' * 3}"
    assert score(letter(subject, padded)).share >= 1


BULK = {
    "a newsletter with one click to leave": (
        {"List_Unsubscribe": "<https://a.example/u>", "List_Unsubscribe_Post": "List-Unsubscribe=One-Click"},
        ("newsletter", True, ""),
    ),
    "a sending platform's feedback field": ({"Feedback_ID": "1:2:3:a"}, ("newsletter", False, "")),
    "bulk by its own word": ({"Precedence": "bulk"}, ("newsletter", False, "")),
    "a discussion list": ({"List_Post": "<mailto:l@a.example>", "List_Id": "<l.a.example>"}, ("list", False, "")),
    "a list that tells how to leave": (
        {"List_Post": "<mailto:l@a.example>", "List_Unsubscribe": "<mailto:l-leave@a.example>"},
        ("list", True, ""),
    ),
    "an automatic answer": ({"Auto_Submitted": "auto-replied", "Precedence": "bulk"}, None),
    "a letter": ({}, None),
}


@pytest.mark.parametrize(("fields", "expected"), BULK.values(), ids=BULK)
def test_mail_to_many(fields: dict[str, str], expected: tuple[str, bool, str] | None) -> None:
    told = [each for each in found(SPAM, letter("Bản tin tháng 11", "Chào anh", **fields)) if isinstance(each, Bulk)]
    assert [(each.kind, each.has_unsubscribe, each.label) for each in told] == ([expected] if expected else [])


LABELS = {
    "[QC] Giảm giá": "[QC]",
    "[AD] Sale": "[AD]",
    "[QC/AD] Sale": "[QC/AD]",
    " [qc] giảm giá": "[qc]",
    "(QC) Giảm giá": "(QC)",
    "Giảm giá [QC]": "",
    "Re: [QC] Giảm giá": "",
    "[QCVN 01] Quy chuẩn": "",
}


@pytest.mark.parametrize(("subject", "label"), LABELS.items(), ids=LABELS)
def test_label_of_advertising_stands_first(subject: str, label: str) -> None:
    [*told] = [each for each in found(SPAM, letter(subject, "Nội dung")) if isinstance(each, Bulk)]
    assert [(each.kind, each.label) for each in told] == ([("advertisement", label)] if label else [])


@pytest.mark.parametrize(
    "leave", ["Để từ chối nhận thư, bấm vào đây", "Huỷ đăng ký nhận tin", "To unsubscribe, click here"]
)
def test_way_to_leave_is_found_in_the_text(leave: str) -> None:
    [bulk] = [each for each in found(SPAM, letter("[QC] Bán hàng", leave)) if isinstance(each, Bulk)]
    assert bulk.has_unsubscribe


# What it learns.

NEWS = "Bản tin khuyến nông tuần này: giá lúa, giá phân bón, lịch xuống giống vụ đông xuân của huyện."


def learning(folder: Path) -> Spam:
    return Spam(learned=folder / "learned.txt")


def letters(count: int, body: str = NEWS) -> list[Mail]:
    return [letter(f"Tin số {number}", f"{body} Số {number}.") for number in range(count)]


def test_what_people_call_spam_gets_points(tmp_path: Path) -> None:
    spam = learning(tmp_path)
    before = score(letter("Tin số 99", NEWS), spam).score
    assert spam.learn(letters(20), "spam") == learned.Learnt(new=20, changed=0, known=0)
    spam.learn(letters(20, "Kính gửi đồng chí, đề nghị báo cáo số liệu."), "ham")
    after = score(letter("Tin số 99", NEWS), spam)
    assert after.score > before + 5
    assert any(symbol.startswith("learned:") for symbol in after.symbols)


def test_what_people_release_loses_points(tmp_path: Path) -> None:
    spam = learning(tmp_path)
    subject, body = ADVERTISING["land"]
    before = score(letter(subject, body), spam).score
    spam.learn([letter(subject, f"{body} {number}") for number in range(5)], "ham")
    assert score(letter(subject, body), spam).score < before - 3


def test_mail_counts_once(tmp_path: Path) -> None:
    spam = learning(tmp_path)
    spam.learn(letters(3), "spam")
    content = (tmp_path / "learned.txt").read_bytes()
    assert spam.learn(letters(3), "spam") == learned.Learnt(new=0, changed=0, known=3)
    assert (tmp_path / "learned.txt").read_bytes() == content


def test_mail_that_changes_sides_leaves_nothing_behind(tmp_path: Path) -> None:
    spam, other = learning(tmp_path), Spam(learned=tmp_path / "other.txt")
    spam.learn(letters(3), "spam")
    assert spam.learn(letters(3), "ham") == learned.Learnt(new=0, changed=3, known=0)
    other.learn(letters(3), "ham")
    assert load(tmp_path / "learned.txt") == load(tmp_path / "other.txt")


def test_without_a_file_nothing_is_learned() -> None:
    with pytest.raises(ValueError, match="no option `learned`"):
        SPAM.learn(letters(1), "spam")


@pytest.mark.parametrize("damage", ["", "something else\n", "whole"], ids=["empty", "another file", "cut"])
def test_damaged_file_is_could_not_look(tmp_path: Path, damage: str) -> None:
    spam = learning(tmp_path)
    spam.learn(letters(3), "spam")
    content = (tmp_path / "learned.txt").read_text()
    (tmp_path / "learned.txt").write_text(content[:-20] if damage == "whole" else damage)
    findings: list[Finding] = []

    async def collect() -> None:
        async for finding in spam.inspect(letter("Tin", NEWS)):
            findings.append(finding)

    with pytest.raises(Unavailable, match=r"learned\.txt"):
        asyncio.run(collect())
    assert [each.code for each in findings] == ["score"]
    with pytest.raises(ValueError, match=r"learned\.txt"):
        spam.learn(letters(1), "ham")


def _teach(path: Path, numbers: Iterable[int]) -> None:
    for number in numbers:
        learned.learn(path, [Lesson(f"{number:064x}", frozenset({"word", f"w{number}"}))], "spam")


def test_two_that_learn_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "learned.txt"
    process = multiprocessing.get_context("spawn").Process(target=_teach, args=(path, range(50)))
    process.start()
    _teach(path, range(50, 100))
    process.join(60)
    experience = load(path)
    assert (experience.spam, experience.words["word"], len(experience.mails)) == (100, (100, 0), 100)


# Anything at all.


@given(st.binary(max_size=3000))
def test_any_bytes_have_a_score(raw: bytes) -> None:
    said = score(read(raw))
    assert -20 <= said.score <= 50


LONG = {
    "one word": "a" * 200_000,
    "digits and dots": "1." * 100_000,
    "capitals": "BUY NOW " * 25_000,
    "spaced out": "v i a g r a " * 15_000,
    "tags": "<a href=" * 25_000,
    "meta": "<meta generator" * 13_000,
    "spaces": " " * 200_000,
    "offers": "vay tiền nhanh gọi ngay " * 8_000,
}


@pytest.mark.parametrize("body", LONG.values(), ids=LONG)
def test_text_made_to_waste_time_has_a_score(body: str) -> None:
    for kind in ("plain", "html"):
        raw = f"Subject: {body[:900]}\nContent-Type: text/{kind}; charset=utf-8\n\n{body}".encode()
        texts = read(raw).reading.texts
        mail = replace(read(b"Subject: x\n\nx"), raw=raw, root=parse(raw), opened=Reading(texts=texts))
        assert score(mail).engine == "embedded"


def test_weights_and_phrases_can_be_read() -> None:
    model = load_model()
    assert len(model.weights) > 1000
    assert all("@" not in feature or feature.startswith("*@") for feature in model.weights)
    with pytest.raises(ValueError, match="line 1"):
        Offers("word\n")
