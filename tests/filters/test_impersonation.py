"""The filter `impersonation`: each trick, and the honest mail that looks like it."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters._impersonation.domains import Protected, one_edit
from filters._impersonation.lists import lures
from filters.impersonation import Impersonation
from gateway.extract.message import contents
from gateway.mail import Client, Envelope, Mail, Recipient
from gateway.mime.parse import parse
from gateway.reading import File, Link, Reading, Text, Trait, Zone
from gateway.verdict import Finding

OWN = "vidu.gov.vn"
LOOKER = Impersonation(
    organisations=frozenset({"UBND tỉnh Ví Dụ", "Sở Nội vụ tỉnh Ví Dụ"}), people=frozenset({"Nguyễn Văn Mẫu"})
)


def mail(
    head: str = "From: An <an@congty.vn>", body: str = "", *, html: bool = False, sender: str = "", **more: Any
) -> Mail:
    kind = "html" if html else "plain"
    raw = f"{head}\r\nMIME-Version: 1.0\r\nContent-Type: text/{kind}; charset=utf-8\r\n\r\n{body}\r\n".encode()
    root = parse(raw)
    found = list(contents(raw, root))
    reading = Reading(
        texts=tuple(one for one in found if isinstance(one, Text)),
        links=tuple(one for one in found if isinstance(one, Link)),
        files=more.get("files", ()),
    )
    return Mail(
        id="1",
        listener="x",
        received=datetime(2026, 1, 5, tzinfo=UTC),
        client=Client(address="192.0.2.7"),
        envelope=Envelope(sender, (Recipient(f"an@{OWN}"),)),
        inside=more.get("inside", False),
        domains=frozenset({OWN}),
        raw=raw,
        root=root,
        opened=reading,
    )


def found(message: Mail, code: str) -> list[dict[str, Any]]:
    return [finding.facts() for finding in LOOKER.inspect(message) if finding.code == code]


def score(message: Mail) -> float:
    return max((one["score"] for one in found(message, "suspicion")), default=0.0)


OWN_DOMAIN = {
    "in From": ("From: quantri@vidu.gov.vn", "", [("from", OWN)]),
    "in a subdomain": ("From: a@so.vidu.gov.vn", "", [("from", "so.vidu.gov.vn")]),
    "in Sender": ("From: a@congty.vn\r\nSender: b@vidu.gov.vn", "", [("sender", OWN)]),
    "in the envelope": ("From: a@congty.vn", "b@VIDU.gov.vn", [("envelope", OWN)]),
    "the second of two": ("From: a@congty.vn, b@vidu.gov.vn", "", [("from", OWN)]),
    "in a second From": ("From: a@congty.vn\r\nFrom: b@vidu.gov.vn", "", [("from", OWN)]),
    "another body of the State": ("From: a@khac.gov.vn", "", []),
    "a stranger": ("From: a@congty.vn", "b@congty.vn", []),
}


@pytest.mark.parametrize(("head", "sender", "claims"), OWN_DOMAIN.values(), ids=OWN_DOMAIN)
def test_own_domain(head: str, sender: str, claims: list[tuple[str, str]]) -> None:
    assert [(one["where"], one["domain"]) for one in found(mail(head, sender=sender), "own_domain")] == claims


def test_mail_from_inside_is_ours() -> None:
    assert list(LOOKER.inspect(mail("From: quantri@vidu.gov.vn", inside=True))) == []


PROTECTED = Protected(
    ("vidu.gov.vn", "vietcombank.com.vn", "google.com", "mb.com.vn", "apple.com"), frozenset({"gov.vn"})
)
DOMAINS = {
    "ours": ("mail.vidu.gov.vn", None),
    "another body's": ("khac.gov.vn", None),
    "a stranger's": ("congty.vn", None),
    "our name inside another": ("mail-vidu.gov.vn.example.com", ("vidu.gov.vn", "embedded")),
    "our name with hyphens": ("vidu-gov-vn.com", ("vidu.gov.vn", "embedded")),
    "the State's suffix with a hyphen": ("dichvucong.gov-vn.com", ("gov.vn", "embedded")),
    "the State's suffix in the middle": ("thue.gov.vn.top", ("gov.vn", "embedded")),
    "the State's suffix in one word": ("dvc-govvn.com", ("gov.vn", "embedded")),
    "a bank behind a word": ("secure-vietcombank.com.vn", ("vietcombank.com.vn", "embedded")),
    "a bank in one word": ("vietcombankcomvn.top", ("vietcombank.com.vn", "embedded")),
    "letters of another alphabet": ("xn--80ak6aa92e.com", ("apple.com", "homograph")),
    "digits for letters": ("g00gle.com", ("google.com", "letters")),
    "two letters for one": ("vietcornbank.com.vn", ("vietcombank.com.vn", "letters")),
    "one letter off": ("vietcombamk.com.vn", ("vietcombank.com.vn", "edit")),
    "two letters changed places": ("goolge.com", ("google.com", "edit")),
    "another suffix": ("google.top", ("google.com", "suffix")),
    "alphabets mixed": ("xn--ngn-hhng-k1g.vn", ("", "mixed-script")),
    "a word that ends like a brand": ("pineapplecompany.com", None),
    "a short name at the end of another's": ("congty-mb.com.vn", None),
    "two letters off": ("gaggle.com", None),
    "nothing": ("", None),
}


@pytest.mark.parametrize(("domain", "imitates"), DOMAINS.values(), ids=DOMAINS)
def test_domains_that_look_like_others(domain: str, imitates: tuple[str, str] | None) -> None:
    seen = PROTECTED.imitated(domain)
    assert (seen and (seen.imitates, seen.by)) == imitates


@given(st.text(alphabet="abc", max_size=6), st.text(alphabet="abc", max_size=6))
def test_one_edit_is_one_step(one: str, other: str) -> None:
    """Held against all words that one step leads to."""
    steps = {one[:at] + one[at + 1 :] for at in range(len(one))}
    steps |= {one[:at] + letter + one[at:] for at in range(len(one) + 1) for letter in "abc"}
    steps |= {one[:at] + letter + one[at + 1 :] for at in range(len(one)) for letter in "abc"}
    steps |= {one[:at] + one[at + 1] + one[at] + one[at + 2 :] for at in range(len(one) - 1)}
    assert one_edit(one, other) == (one != other and other in steps)


LOOKALIKES = {
    "in From": ("From: a@vidu-gov-vn.com", "", [("from", "vidu-gov-vn.com", OWN, True)]),
    "in Reply-To": (
        "From: a@congty.vn\r\nReply-To: a@vidu-gov-vn.com",
        "",
        [("reply-to", "vidu-gov-vn.com", OWN, True)],
    ),
    "in a link": ("From: a@congty.vn", "https://mail.vidu.gov.vn.top/", [("link", "mail.vidu.gov.vn.top", OWN, True)]),
    "a link one letter from a brand": ("From: a@congty.vn", "https://goggle.com/", []),
}


@pytest.mark.parametrize(("head", "body", "seen"), LOOKALIKES.values(), ids=LOOKALIKES)
def test_lookalike(head: str, body: str, seen: list[tuple[str, str, str, bool]]) -> None:
    looks = found(mail(head, body), "lookalike")
    assert [(one["where"], one["domain"], one["imitates"], one["own"]) for one in looks] == seen


NAMES = {
    "another's address": ('"gd@vidu.gov.vn" <x@congty.vn>', [("address", "gd@vidu.gov.vn")]),
    "an encoded address": ("=?utf-8?q?gd=40vidu=2Egov=2Evn?= <x@congty.vn>", [("address", "gd@vidu.gov.vn")]),
    "its own address": ("x@congty.vn <x@congty.vn>", []),
    "an address of its own organisation": ('"ke.toan@congty.vn" <x@mail.congty.vn>', []),
    "another's domain": ("Mail vidu.gov.vn <x@congty.vn>", [("domain", "vidu.gov.vn")]),
    "our organisation": ("UBND tinh Vi Du <x@congty.vn>", [("organisation", "UBND tỉnh Ví Dụ"), ("official", "ubnd")]),
    "one of our people": ("=?utf-8?b?Tmd1eeG7hW4gVsSDbiBN4bqrdQ==?= <x@gmail.com>", [("person", "Nguyễn Văn Mẫu")]),
    "the same from ourselves": ("Nguyen Van Mau <mau@vidu.gov.vn>", []),
    "a body of the State from a private mailbox": ("Cong an tinh Vi Du <x@gmail.com>", [("official", "công an tỉnh")]),
    "a body of the State": ("Cong an tinh Khac <ca@khac.gov.vn>", []),
    "those who look after the mail": ("IT Helpdesk <x@congty.vn>", [("support", "it helpdesk")]),
    "a bank": ("VIETC0MBANK <x@congty.vn>", []),
    "a bank in other letters": ("=?utf-8?q?Vietcomb=D0=B0nk?= <x@congty.vn>", [("brand", "vietcombank")]),
    "the bank": ("Vietcombank <info@info.vietcombank.com.vn>", []),
    "a word that only has a name in it": ("Googlers club <x@congty.vn>", []),
    "a number with dots": ("Phong 1.2.3 <x@congty.vn>", []),
    "a title with a dot": ("TS.Nguyen <x@congty.vn>", []),
}


@pytest.mark.parametrize(("author", "shown"), NAMES.values(), ids=NAMES)
def test_display_name(author: str, shown: list[tuple[str, str]]) -> None:
    seen = found(mail(f"From: {author}"), "display_name")
    assert {(one["shows"], one["pretends"]) for one in seen} == set(shown)


REPLIES = {
    "elsewhere": ("From: a@congty.vn\r\nReply-To: b@khac.vn", [("khac.vn", False)]),
    "to a private mailbox": ("From: a@congty.vn\r\nReply-To: b@gmail.com", [("gmail.com", True)]),
    "from one private mailbox to another": ("From: a@yahoo.com\r\nReply-To: b@gmail.com", [("gmail.com", False)]),
    "to the same organisation": ("From: a@congty.vn\r\nReply-To: b@mail.congty.vn", []),
    "nowhere": ("From: a@congty.vn", []),
}


@pytest.mark.parametrize(("head", "answers"), REPLIES.values(), ids=REPLIES)
def test_reply_to(head: str, answers: list[tuple[str, bool]]) -> None:
    assert [(one["domain"], one["private"]) for one in found(mail(head), "reply_to")] == answers


MISMATCHES = {
    "our webmail": (
        '<a href="http://x.example/l">https://mail.vidu.gov.vn/login</a>',
        [("mail.vidu.gov.vn", "x.example", True, "")],
    ),
    "a bank": (
        '<a href="http://x.example/">www.vietcombank.com.vn</a>',
        [("www.vietcombank.com.vn", "x.example", False, "vietcombank")],
    ),
    "an address": ('<a href="http://192.0.2.1/">https://congty.vn</a>', [("congty.vn", "192.0.2.1", False, "")]),
    "the same site": ('<a href="https://mail.vidu.gov.vn/a">mail.vidu.gov.vn</a>', []),
    "the same organisation": ('<a href="https://t.congty.vn/c?x">https://www.congty.vn</a>', []),
    "rewritten by a service": ('<a href="https://x.safelinks.protection.outlook.com/?u=1">https://congty.vn</a>', []),
    "words": ('<a href="http://x.example/">Xem tai day</a>', []),
    "words with a dot between": ('<a href="http://x.example/">Nhan vao day.Cam on</a>', []),
    "a file's name": ('<a href="http://x.example/">ke-hoach.docx</a>', []),
    "an address of mail": ('<a href="mailto:a@congty.vn">a@khac.vn</a>', []),
}


@pytest.mark.parametrize(("body", "seen"), MISMATCHES.values(), ids=MISMATCHES)
def test_link_mismatch(body: str, seen: list[tuple[str, str, bool, str]]) -> None:
    links = found(mail(body=body, html=True), "link_mismatch")
    assert [(one["shown"], one["host"], one["official"], one["brand"]) for one in links] == seen


TRICKS = {
    "a bare address": ("http://192.0.2.1/login", "address"),
    "an address in one number": ("http://3221225985/", "address"),
    "a name before an @": ("https://mail.vidu.gov.vn@x.example/", "userinfo"),
    "alphabets mixed": ("https://xn--ngn-hhng-k1g.vn/", "homograph"),
    "a script": ("javascript:alert(1)", "script"),
    "a page in the address": ("data:text/html;base64,AAAA", "script"),
    "a form": ("https://docs.google.com/forms/d/1/viewform", "form"),
    "a document beside it": ("https://docs.google.com/document/d/1", None),
    "a shortener": ("https://bit.ly/3abc", "shortener"),
    "a site of one's own within minutes": ("https://zimbra-vn.weebly.com/", "hosting"),
    "a site": ("https://congty.vn/", None),
    "broken": ("http://[", None),
}


@pytest.mark.parametrize(("target", "trick"), TRICKS.values(), ids=TRICKS)
def test_deceptive_link(target: str, trick: str | None) -> None:
    seen = found(mail(body=f'<a href="{target}">x</a>', html=True), "deceptive_link")
    assert [one["trick"] for one in seen] == ([trick] if trick else [])


def test_a_page_that_asks_for_a_password() -> None:
    file = File(place="2", names=("hoa-don.html",), traits=(Trait(word="password-form"),))
    assert found(mail(files=(file,)), "password_form") == [{"place": "2"}]


LURES = {
    "a full mailbox": (
        "Hộp thư của bạn đã vượt quá dung lượng và sẽ bị khóa trong vòng 48 giờ. Nhấp vào liên kết sau để mở rộng.",
        ["mailbox-full"],
    ),
    "the same without diacritics": (
        "Hop thu cua ban da day va se bi khoa trong vong 24 gio. Bam vao lien ket sau de nang cap ngay.",
        ["mailbox-full"],
    ),
    "the same in English": ("Your mailbox is almost full. Click here to upgrade within 24 hours.", ["mailbox-full"]),
    "a new webmail": ("Để nâng cấp Zimbra, vui lòng đăng nhập tại đây.", ["mailbox-upgrade"]),
    "a password": ("Your password will expire today. Keep same password: click below.", ["password-expiry"]),
    "held messages": ("You have 5 pending messages. Release messages now or they will be deleted.", ["held-mail"]),
    "a new account for a payment": (
        "Chúng tôi đã thay đổi số tài khoản, đề nghị chuyển khoản vào tài khoản mới.",
        ["payment-change"],
    ),
    "a summons": ("Bạn có giấy triệu tập liên quan đến vụ án, nếu không thực hiện sẽ bị lệnh bắt.", ["fine"]),
    "an identity card": ("Đề nghị cập nhật VNeID và kích hoạt ngay tại đây.", ["identity"]),
    "a prize": ("Congratulations, you have won! Click here to claim your prize.", ["prize"]),
    "a law about all of it": ("Việc xác minh tài khoản thực hiện theo quy định của pháp luật về ngân hàng.", []),
    "minutes of a meeting": (
        "Đề nghị các đơn vị gửi báo cáo trước 24h ngày 30 và truy cập vào cổng để xem lịch họp.",
        [],
    ),
    "a warning without a call": ("Hộp thư gần đầy. Đề nghị xóa thư không cần thiết.", []),
}


@pytest.mark.parametrize(("text", "themes"), LURES.values(), ids=LURES)
def test_lures(text: str, themes: list[str]) -> None:
    assert [one["theme"] for one in found(mail(body=text), "lure")] == themes


def test_the_subject_counts_with_the_text() -> None:
    head = "From: An <an@congty.vn>\r\nSubject: Your mailbox is full"
    [lure] = found(mail(head, "Click here. http://x.example/"), "lure")
    assert (lure["theme"], lure["urges"], lure["linked"]) == ("mailbox-full", True, True)


SCORES = {
    "a letter": (mail("From: An <an@congty.vn>", "Kính gửi anh, mời họp lúc 14 giờ."), 0, 0),
    "a newsletter": (
        mail(
            "From: Tin <tin@congty.vn>\r\nReply-To: r@mailer.vn",
            '<a href="https://mailer.vn/c">https://congty.vn</a>',
            html=True,
        ),
        1,
        3,
    ),
    "a lure of the usual kind": (
        mail(
            "From: IT Helpdesk <x@mail-vidu-gov-vn.com>\r\nSubject: =?utf-8?q?H=E1=BB=99p_th=C6=B0_=C4=91=E1=BA=A7y?=",
            "Hộp thư đầy, sẽ bị khóa trong vòng 24 giờ. Nhấp vào https://bit.ly/abc",
        ),
        10,
        30,
    ),
    "a lure that only says so": (mail(body="Your mailbox is full. Click here within 24 hours."), 3, 5),
}


@pytest.mark.parametrize(("message", "least", "most"), SCORES.values(), ids=SCORES)
def test_suspicion(message: Mail, least: float, most: float) -> None:
    assert least <= score(message) <= most


def test_an_account_that_somebody_else_has_got_hold_of() -> None:
    text = "Your mailbox is full and will be suspended within 24 hours. Click here: http://192.0.2.1/"
    assert score(mail("From: an@vidu.gov.vn", text, inside=True)) >= 8


def test_names_of_ones_own() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "names.yaml"
        path.write_text("version: 1\nbrands: {qtd: {shows: [quỹ tín dụng mẫu], domains: [qtdmau.vn]}}\n")
        looker = Impersonation(more_names=(path,))
        [named, *_] = looker.inspect(mail("From: Quy tin dung Mau <x@congty.vn>"))
        assert (named.code, named.facts()["pretends"]) == ("display_name", "qtd")
        path.write_text("version: 1\nbrands: {qtd: {shows: [], domains: [qtdmau.vn]}}\n")
        with pytest.raises(Exception, match="a brand needs"):
            Impersonation(more_names=(path,))


def test_every_phrase_of_the_lures_is_found() -> None:
    lost = [
        (theme, phrase)
        for theme, lure in lures().themes.items()
        for phrase in lure.phrases
        if theme not in {one["theme"] for one in found(mail(body=f"Xin {phrase}, vui lòng xác nhận tại đây"), "lure")}
    ]
    assert lost == []


@given(st.binary(max_size=300), st.text(max_size=60), st.text(max_size=80))
def test_any_mail(raw: bytes, name: str, target: str) -> None:
    odd = b"From: " + raw + b"\r\nReply-To: " + name.encode("utf-8", "replace") + b"\r\n\r\n"
    links = tuple(Link(place="1", target=each, text=name) for each in (target, f"http://{target}"))
    reading = Reading(links=links, texts=(Text(place="1", zone=Zone.BODY, content=name),))
    message = replace(mail(), raw=odd, root=parse(odd), opened=reading)
    assert all(isinstance(finding, Finding) for finding in LOOKER.inspect(message))
