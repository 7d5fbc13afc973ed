"""Letters written on one line each, and the mails they become.

    kind | language | from | subject | body | further header fields, parted by "; "

`kind` is a finding of the filter, or "-" for a letter that is none. In the body " // " ends a line and [text](target)
is a button; a target that begins with "/" is on the sender's site. {c} is a code, {t} a token, {u} the name and {e} the
address of who gets it. X-Attach names an attached file. Lines that begin with "#" are remarks.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from html import escape
from pathlib import Path

RECIPIENT = "lan.nt@sotaichinh.example.gov.vn"

_BUTTON = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter: `name` tells where it is written; `kind` is "" for one that is no sign-up mail."""

    name: str
    kind: str
    language: str
    sender: str
    subject: str
    body: str
    headers: tuple[tuple[str, str], ...] = ()

    def mail(self) -> bytes:
        """The mail: every other one has HTML beside its text, as senders do."""
        seed = hashlib.sha256(self.name.encode()).hexdigest()
        fill = {
            "{c}": str(100000 + int(seed[:8], 16) % 900000),
            "{t}": f"{seed[8:20]}Xq{seed[20:36]}",
            "{u}": "lannt",
            "{e}": RECIPIENT,
        }
        domain = self.sender.rpartition("@")[2].rstrip("> ")
        lines = [_filled(line.strip(), fill) for line in self.body.split("//\x20")]
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = RECIPIENT
        message["Subject"] = _filled(self.subject, fill)
        for name, value in self.headers:
            if name != "X-Attach":
                message[name] = _filled(value, fill)
        message.set_content("\n\n".join(_BUTTON.sub(lambda m: f"{m[1]}: {_url(m[2], domain)}", each) for each in lines))
        if int(seed[0], 16) % 2:
            body = "".join(f"<p>{_html(each, domain)}</p>" for each in lines)
            message.add_alternative(f"<html><body><div>{body}</div></body></html>", subtype="html")
        for name, value in self.headers:
            if name == "X-Attach":
                message.add_attachment(b"%PDF-1.4", maintype="application", subtype="octet-stream", filename=value)
        return message.as_bytes()


def letters(folder: Path) -> Iterator[Letter]:
    """The letters of a folder's files, in the order they are written."""
    for path in sorted(folder.glob("*.txt")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            kind, language, sender, subject, body, *rest = (each.strip() for each in line.split(" | "))
            headers = tuple(
                (name.strip(), value.strip())
                for name, _, value in (each.partition(":") for each in " | ".join(rest).split("; ") if each)
            )
            kind = "" if kind == "-" else kind
            yield Letter(f"{path.stem}:{number}", kind, language, sender, subject, body, headers)


def _filled(text: str, fill: dict[str, str]) -> str:
    for name, value in fill.items():
        text = text.replace(name, value)
    return text


def _url(target: str, domain: str) -> str:
    return f"https://www.{domain}{target}" if target.startswith("/") else target


def _html(line: str, domain: str) -> str:
    pieces = []
    at = 0
    for match in _BUTTON.finditer(line):
        pieces += [
            escape(line[at : match.start()]),
            f'<a class="btn" href="{escape(_url(match[2], domain))}">{escape(match[1])}</a>',
        ]
        at = match.end()
    return "".join([*pieces, escape(line[at:])])
