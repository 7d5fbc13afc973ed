"""Reads the letters of `letters.yaml`, and makes each the bytes that go on the wire."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from pathlib import Path
from typing import Any

import yaml

OUTSIDE, INSIDE = "203.0.113.25", "10.0.0.5"
"""Clients that the gateway is told of: one of the Internet's, and one of the organisation's own network."""

DATE = "Tue, 24 Nov 2026 09:00:00 +0700"


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """What somebody does with a letter that is kept, by a command: release or delete; approve or reject, if held."""

    do: str
    by: str
    comment: str = ""

    @property
    def group(self) -> str:
        """The command that has this one."""
        return "held" if self.do in ("approve", "reject") else "quarantine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message and who hands it in. `content` is bytes as they go on the wire, but for doubled dots.

    `told` is who gets how many notices about it.
    """

    story: str
    sender: str
    to: tuple[str, ...]
    content: bytes
    inside: bool = False
    then: Then | None = None
    told: Mapping[str, int] = field(default_factory=dict)

    @property
    def client(self) -> str:
        """Where it comes from."""
        return INSIDE if self.inside else OUTSIDE

    @property
    def login(self) -> str:
        """Who has logged in."""
        return self.sender if self.inside else ""

    @property
    def options(self) -> tuple[str, ...]:
        """The parameters of MAIL."""
        return () if all(address.isascii() for address in (self.sender, *self.to)) else ("SMTPUTF8", "BODY=8BITMIME")


def read_letters(path: Path) -> list[Letter]:
    """All of them. Raises KeyError and TypeError where one lacks something or has what nobody knows."""
    return [_letter(number, dict(entry)) for number, entry in enumerate(yaml.safe_load(path.read_text()), 1)]


def _letter(number: int, entry: dict[str, Any]) -> Letter:
    sender, to = entry.pop("from"), list(entry.pop("to"))
    to += [f"ban-doc-{copy}@example.org" for copy in range(1, entry.pop("copies", 0) + 1)]
    story, inside, then = entry.pop("story"), entry.pop("inside", False), entry.pop("then", None)
    told = entry.pop("told", {})
    content = entry.pop("message").encode() if "message" in entry else _content(number, sender, to[0], **entry)
    return Letter(
        story=story,
        sender=sender,
        to=tuple(to),
        content=content,
        inside=inside,
        then=Then(**then) if then else None,
        told=told,
    )


def _content(
    number: int,
    sender: str,
    to: str,
    *,
    subject: str,
    text: str,
    html: str = "",
    headers: Mapping[str, str] | None = None,
    files: tuple[dict[str, Any], ...] = (),
) -> bytes:
    """The same bytes each time."""
    message = EmailMessage(policy=SMTP if sender.isascii() and to.isascii() else SMTPUTF8)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"], message["Message-ID"] = DATE, f"<{number}@trial.example>"
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(f"{text}\n")
    if html:
        message.add_alternative(html, subtype="html")
    for file in files:
        kind, _, subtype = file["type"].partition("/")
        message.add_attachment(_file(file), maintype=kind, subtype=subtype, filename=file["name"])
    for depth, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_trial_{number}_{depth}")
    return message.as_bytes()


def _file(file: Mapping[str, Any]) -> bytes:
    start: bytes = MADE[file["made"]]() if "made" in file else str(file.get("text", "")).encode()
    return start.ljust(file.get("size", 0), b"\0")


def _locked_zip() -> bytes:
    """An archive of one file that says it is encrypted (APPNOTE section 4.4.4: bit 0 of its flags)."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writing:
        writing.writestr(zipfile.ZipInfo("ho-so.xlsx"), b"as good as random")
    content = bytearray(archive.getvalue())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


MADE: Mapping[str, Callable[[], bytes]] = {
    # The first bytes of a Windows program, and nothing behind them.
    "program": lambda: (
        b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff" + bytes(46) + b"\x40\0\0\0PE\0\0L\x01" + bytes(64)
    ),
    "pdf": lambda: b"%PDF-1.4\n%%EOF\n",
    "image": lambda: b"II*\x00",
    "film": lambda: b"\x00\x00\x00\x18ftypmp42" + bytes(1000),
    "locked-zip": _locked_zip,
}
"""What can be in a file, by the word for it."""
