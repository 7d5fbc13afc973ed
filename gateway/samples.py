"""Messages that a gateway should stop, and that hurt nobody, and one that it should let through. They are put together
here, so that no scanner takes this file for what it tests. `doctor/` and `selfprobe.py` send them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from gateway.mime.compose import one_line

EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*"
"""The file that every virus scanner knows (https://www.eicar.org/download-anti-malware-testfile/)."""

GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-" + "ANTI-UBE-TEST-EMAIL*C.34X"
"""The line that spam filters know (https://spamassassin.apache.org/gtube/)."""

MARKED = """\
UBND TỈNH GIA LAI                     CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
SỞ KHOA HỌC VÀ CÔNG NGHỆ              Độc lập - Tự do - Hạnh phúc
Số: 01/KH-SKHCN

TUYỆT MẬT

KẾ HOẠCH
Thư kiểm tra của cổng thư, không có nội dung thật.
"""
"""A document with the stamp of a State secret of the highest degree, without any content."""


OUTSIDE_DOMAIN = "outside.example"
"""A domain of nobody (RFC 2606)."""


def role_address(domains: Iterable[str], hostname: str) -> str:
    """The address inside that every domain has (RFC 5321 section 4.5.1), and that is no person's."""
    return f"postmaster@{min(domains, default=hostname)}"


@dataclass(frozen=True, slots=True)
class Sample:
    """One message. `serious`: that nothing stops it is a failure, not a warning."""

    about: str
    subject: str
    body: str
    direction: Literal["inbound", "outbound"]
    advice: str
    attached: tuple[str, str] | None = None
    serious: bool = False

    def raw(self, sender: str, recipient: str) -> bytes:
        """The message's bytes."""
        lines = [
            f"From: {one_line(sender)}",
            f"To: {one_line(recipient)}",
            f"Subject: {self.subject}",
            "Message-ID: <doctor@mailwarden.invalid>",
            "MIME-Version: 1.0",
            f'Content-Type: multipart/mixed; boundary="{BOUNDARY}"',
            "",
            f"--{BOUNDARY}",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: 8bit",
            "",
            *self.body.splitlines(),
        ]
        if self.attached is not None:
            name, content = self.attached
            lines += [
                f"--{BOUNDARY}",
                "Content-Type: application/octet-stream",
                f'Content-Disposition: attachment; filename="{name}"',
                "",
                content,
            ]
        return "\r\n".join([*lines, f"--{BOUNDARY}--", ""]).encode()


BOUNDARY = "mailwarden-doctor"

CLEAN = Sample(
    "clean letter",
    "Mailwarden: a letter to ourselves",
    "This letter asks whether ordinary mail passes. Nobody need read it.",
    "inbound",
    "see which rule stops it",
)

VIRUS = Sample(
    "virus (EICAR)",
    "Mailwarden doctor: EICAR",
    "A test file for virus scanners is attached.",
    "inbound",
    "name a virus engine under filters, and a rule that rejects what it finds",
    attached=("eicar.txt", EICAR),
    serious=True,
)

SPAM = Sample(
    "spam (GTUBE)",
    "Mailwarden doctor: GTUBE",
    GTUBE,
    "inbound",
    "name a spam engine under filters, and a rule on its score",
)

SECRET = Sample(
    "secrecy mark, incoming",
    "Mailwarden doctor: marking",
    MARKED,
    "inbound",
    "add a rule with `store: never` on marks of State secrets",
)

SAMPLES = (
    VIRUS,
    Sample(
        "program",
        "Mailwarden doctor: program",
        "A file that poses as a program is attached; it is none.",
        "inbound",
        "add a rule with found: attachments.executable",
        attached=("doctor.exe", "MZ"),
    ),
    SPAM,
    replace(SECRET, about="secrecy mark, outgoing", direction="outbound"),
    SECRET,
)
