"""A dozen letters, each of which shows something that the example policy, or the gateway itself, does."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import make_msgid

OUTSIDE, INSIDE = "203.0.113.25", "10.0.0.5"
"""Clients that the gateway is told of: one of the Internet's, and one of the organisation's own network."""

PROGRAM = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff" + bytes(46) + b"\x40\0\0\0PE\0\0L\x01" + bytes(64)
"""The first bytes of a Windows program, and nothing behind them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A message and who hands it in. `content` is bytes as they go on the wire, but for doubled dots."""

    title: str
    sender: str
    to: tuple[str, ...]
    content: bytes
    client: str = OUTSIDE
    login: str = ""
    options: tuple[str, ...] = ()


def _letter(
    subject: str, text: str, *files: tuple[str, str, bytes], sender: str, to: str, utf8: bool = False
) -> bytes:
    """A message with files: (name, media type, content)."""
    message = EmailMessage(policy=SMTPUTF8 if utf8 else SMTP)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"] = "Tue, 24 Nov 2026 09:00:00 +0700"
    message["Message-ID"] = make_msgid(domain="trial.example")
    message.set_content(text)
    for name, media_type, content in files:
        kind, _, subtype = media_type.partition("/")
        message.add_attachment(content, maintype=kind, subtype=subtype, filename=name)
    return message.as_bytes()


def _from_outside(title: str, subject: str, text: str, *files: tuple[str, str, bytes], **more: object) -> Sample:
    sender, to = "lan@doi-tac.example.net", "an@example.gov.vn"
    content = _letter(subject, text, *files, sender=sender, to=to)
    return Sample(title=title, sender=sender, to=(to,), content=content, **more)


def _from_inside(title: str, subject: str, text: str, *files: tuple[str, str, bytes], to: tuple[str, ...]) -> Sample:
    sender = "an@example.gov.vn"
    content = _letter(subject, text, *files, sender=sender, to=to[0])
    return Sample(title=title, sender=sender, to=to, content=content, client=INSIDE, login=sender)


def samples() -> list[Sample]:
    """All of them."""
    invitation = "Kính mời Quý cơ quan dự họp lúc 8 giờ 30 ngày 26/11/2026 tại Phòng họp số 2.\n"
    revoked = "chi@example.gov.vn"
    return [
        _from_outside("An ordinary letter", "Question on opening hours", "Good morning,\nwhen are you open?\n"),
        _from_outside(
            "An invitation, with a Vietnamese file name",
            "Giấy mời họp triển khai kế hoạch năm 2027",
            invitation,
            ("Giấy mời họp số 12.pdf", "application/pdf", b"%PDF-1.4\n" + invitation.encode() + b"%%EOF\n"),
        ),
        _from_inside(
            "A document for a colleague and for somebody outside",
            "Kế hoạch tuần 48",
            "Gửi các đồng chí.\n",
            ("ke-hoach.txt", "text/plain", "Kế hoạch tuần 48\n".encode()),
            to=("dung@example.gov.vn", "ban-doc@example.org"),
        ),
        _from_outside("A program", "Setup", "Please install.\n", ("setup.exe", "application/octet-stream", PROGRAM)),
        _from_outside(
            "A program that is called a document",
            "Báo cáo quý",
            "Xin gửi báo cáo.\n",
            ("báo cáo.pdf", "application/pdf", PROGRAM),
        ),
        _from_outside(
            "Two extensions", "Báo cáo", "Xin gửi báo cáo.\n", ("báo cáo.pdf.exe", "application/pdf", PROGRAM)
        ),
        _from_outside(
            "A name that reads backwards (U+202E)",
            "Công văn khẩn",
            "Đề nghị xem tệp đính kèm.\n",
            ("công văn \u202efdp.scr", "application/octet-stream", PROGRAM),
        ),
        _from_outside(
            "A script",
            "Hóa đơn điện tử",
            "Hóa đơn tháng 11.\n",
            ("hoa-don.vbs", "text/plain", b'CreateObject("WScript.Shell").Run "calc"\r\n'),
        ),
        _from_inside(
            "More than 20 MB sent outside",
            "Bản đồ quy hoạch",
            "Gửi bản đồ.\n",
            ("ban-do.tif", "image/tiff", b"II*\x00" + bytes(21_000_000)),
            to=("ban-doc@example.org",),
        ),
        _from_inside(
            "A film sent outside: marked for the report",
            "Phim giới thiệu",
            "Gửi phim.\n",
            ("gioi-thieu.mp4", "video/mp4", b"\x00\x00\x00\x18ftypmp42" + bytes(1000)),
            to=("bao-chi@example.org",),
        ),
        Sample(
            title="A locked account sends",
            sender="binh@example.gov.vn",
            to=("dung@example.gov.vn",),
            content=_letter("Chào", "Chào anh.\n", sender="binh@example.gov.vn", to="dung@example.gov.vn"),
            client=INSIDE,
            login="binh@example.gov.vn",
        ),
        Sample(
            title="Two recipients, one of them gone",
            sender="lan@doi-tac.example.net",
            to=("an@example.gov.vn", revoked),
            content=_letter("Xin chào", "Chào hai chị.\n", sender="lan@doi-tac.example.net", to="an@example.gov.vn"),
        ),
        Sample(
            title="Vietnamese addresses (SMTPUTF8)",
            sender="hòa@thư-viện.example",
            to=("an@example.gov.vn",),
            content=_letter(
                "Địa chỉ tiếng Việt", "Thử.\n", sender="hòa@thư-viện.example", to="an@example.gov.vn", utf8=True
            ),
            options=("SMTPUTF8", "BODY=8BITMIME"),
        ),
        Sample(
            title="A message hidden behind a bare line feed",
            sender="lan@doi-tac.example.net",
            to=("an@example.gov.vn",),
            content=b"Subject: smuggled\r\n\r\nhello\n.\nMAIL FROM:<boss@example.gov.vn>\r\n",
        ),
    ]
