"""A notice as a message: RFC 5322 bytes whose header fields are ours, whatever strangers wrote in what they tell of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from email.utils import format_datetime

from gateway.mime.compose import base64_lines, content_fields, crlf_lines, field
from gateway.notices.guard import writable
from gateway.notices.marker import mark
from gateway.notices.model import ANSWERS, ApprovalRequest, KeptRecipient, MessageNotice, Notice, ReleasedRecipient
from gateway.notices.original import MARKER, from_inside
from gateway.notices.wording import VIETNAM, Language, Section, harmless, html, plain, section

SUBJECT_LIMIT = 80
"""Characters of the original's subject in ours: what a list of messages shows."""

LINK_LIMIT = 2_000
"""Characters of a link; longer ones are cut by programs."""

# RFC 5322 section 3.6.4, without comments, quotes, literals, and the "?" that would make it look like an encoded word.
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9!#$%&'*+/=^_`{|}~.-]{1,200}@[A-Za-z0-9.-]{1,200}>")
_HOSTNAME = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,10}")
_LINK = re.compile(r"https?://[!-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What stands on every notice. Raises ValueError for an address or a host name that cannot.

    `mailbox` is its From, `hostname` ours; `contact` the address that answers questions (`mailbox` where it is ""),
    `key` makes the mark, dates are by the clock of `timezone`.
    """

    mailbox: str
    hostname: str
    key: bytes
    contact: str = ""
    timezone: tzinfo = VIETNAM

    def __post_init__(self) -> None:
        for address in (self.mailbox, self.contact or self.mailbox):
            if not writable(address):
                raise ValueError(f"{address!r} is no address that a notice can come from")
        if not _HOSTNAME.fullmatch(self.hostname):
            raise ValueError(f"{self.hostname!r} is no host name")


def compose(notice: Notice, letterhead: Letterhead) -> bytes:
    """The message, to be sent from the null sender (RFC 3834 section 3.3): CRLF, 7 bit, Vietnamese before English.

    The same notice gives the same bytes and the same Message-ID, so a server that gets it twice can know.
    """
    contact = letterhead.contact or letterhead.mailbox
    link = link_of(notice)
    languages = (Language("vi", letterhead.timezone), Language("en", letterhead.timezone))
    sections = [section(notice, language, contact, link) for language in languages]
    boundary = f"=_{notice.id}"  # RFC 2045 section 6.7: "=_" is in no quoted-printable text; in base64 neither
    lines = [
        *(field(name, value) for name, value in _fields(notice, letterhead, sections)),
        b"MIME-Version: 1.0\r\n",
        f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'.encode("ascii"),
        *_part(boundary, "text/plain", plain(sections)),
        *_part(boundary, "text/html", html(sections, link)),
        f"--{boundary}--\r\n".encode("ascii"),
    ]
    return b"".join(lines)


def link_of(notice: Notice) -> str:
    """The link of a notice that has one, "" where it is none that a program should open."""
    link = notice.link if isinstance(notice, (ApprovalRequest, KeptRecipient)) else ""
    return link if len(link) <= LINK_LIMIT and _LINK.fullmatch(link) else ""


def _part(boundary: str, media_type: str, text: str) -> Iterator[bytes]:
    yield f"--{boundary}\r\n".encode("ascii") + content_fields(media_type) + b"\r\n"
    yield base64_lines(crlf_lines(text).encode("utf-8", "replace"))


def _fields(notice: Notice, letterhead: Letterhead, sections: list[Section]) -> Iterator[tuple[str, str]]:
    yield "From", f"Mailwarden <{letterhead.mailbox}>"
    yield "To", f"<{notice.to}>" if writable(notice.to) else "undisclosed-recipients:;"
    if letterhead.contact:
        yield "Reply-To", f"<{letterhead.contact}>"
    yield "Subject", _subject(notice, sections)
    yield "Date", format_datetime(notice.moment.astimezone(letterhead.timezone))
    yield "Message-ID", f"<{notice.id}@{letterhead.hostname}>"
    if isinstance(notice, MessageNotice) and _knows_the_original(notice):
        yield "In-Reply-To", notice.original.message_id
        yield "References", notice.original.message_id
    # RFC 3834 section 5; Exchange heeds its own field ([MS-OXCMAIL] section 2.2.3.2.14).
    yield "Auto-Submitted", "auto-replied" if isinstance(notice, ANSWERS) else "auto-generated"
    yield "X-Auto-Response-Suppress", "All"
    yield "Content-Language", "vi, en"
    yield MARKER, mark(letterhead.key, notice.id, notice.to, notice.moment)


def _knows_the_original(notice: MessageNotice) -> bool:
    """True if the addressee has the original, so that his program can show both together."""
    has_it = isinstance(notice, (*ANSWERS, ReleasedRecipient))
    return has_it and _MESSAGE_ID.fullmatch(notice.original.message_id) is not None


def _subject(notice: Notice, sections: list[Section]) -> str:
    """Both titles; with them the original's subject, unless it comes from outside: no stranger writes our subjects."""
    titles = " / ".join(each.title for each in sections)
    subject = harmless(notice.original.subject, SUBJECT_LIMIT) if isinstance(notice, MessageNotice) else ""
    inside = isinstance(notice, MessageNotice) and from_inside(notice.original)
    return f"{titles}: {subject}" if subject and inside else titles
