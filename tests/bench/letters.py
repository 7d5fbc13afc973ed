"""The mail of the benchmark: what offices send each other, in the sizes that matter, the same in every run."""

from __future__ import annotations

import base64
import io
import random
import zipfile
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256

SEED = 7

PARAGRAPH = (
    "Kính gửi các đồng chí, thực hiện Công văn số 1234/SKHCN-CNTT ngày 12 tháng 3 năm 2026 về việc tăng cường bảo đảm "
    "an toàn thông tin mạng, đề nghị các đơn vị rà soát hộp thư điện tử công vụ và báo cáo trước ngày 25 hằng tháng.\n"
    ".gov.vn là tên miền dành cho cơ quan nhà nước.\n"  # a line that begins with a dot
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as bytes, as it goes on the wire behind DATA, and what the sink must see of it."""

    content: bytes
    wire: bytes
    digest: str


def letter(size: int) -> Letter:
    """A letter of about `size` bytes: text and html, and from 10 kB on an attached document that fills it up."""
    message = EmailMessage(policy=SMTP)
    message["Received"] = "from mail.example.org (mail.example.org [192.0.2.25]) by mx.example.net with ESMTPS id 4a8"
    message["Date"] = "Thu, 12 Mar 2026 08:30:00 +0700"
    message["From"] = '"Nguyễn Thị Hương" <huong.nt@example.org>'
    message["To"] = '"Phòng Công nghệ thông tin" <cntt@example.gov.vn>'
    message["Subject"] = "Về việc rà soát hộp thư điện tử công vụ quý I năm 2026"
    message["Message-ID"] = "<20260312083000.4a8@mail.example.org>"
    message.set_content(PARAGRAPH, cte="8bit")
    message.add_alternative(f"<html><body><p>{PARAGRAPH}</p></body></html>", subtype="html", cte="quoted-printable")
    message.set_boundary("=_alternative_7")
    if size >= 10_000:
        message.add_attachment(
            _document(int((size - 2_000) * 0.73)),
            maintype="application",
            subtype="vnd.openxmlformats-officedocument.wordprocessingml.document",
            filename="Báo cáo quý I.docx",
        )
        message.set_boundary("=_mixed_7")
    content = message.as_bytes()
    wire = content.replace(b"\r\n.", b"\r\n..") + b".\r\n"
    return Letter(content, wire, body_digest(wire))


def body_digest(wire: bytes) -> str:
    """What of a message must arrive unchanged: all behind the head, with the dots and the end of data."""
    return sha256(wire[wire.index(b"\r\n\r\n") + 4 :]).hexdigest()


def _document(size: int) -> bytes:
    """A docx of that many bytes, as hard to compress as real ones are."""
    filling = base64.b64encode(random.Random(SEED).randbytes(size * 3 // 4))
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        for name, data in (("[Content_Types].xml", b"<Types/>"), ("_rels/.rels", b"<Relationships/>")):
            archive.writestr(zipfile.ZipInfo(name), data)
        archive.writestr(zipfile.ZipInfo("word/document.xml"), filling)
    return held.getvalue()
