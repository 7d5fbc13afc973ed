"""A notice's words: the templates of its kind in each language, filled with what strangers wrote made harmless."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.numbers import format_decimal
from babel.units import format_unit
from jinja2 import FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gateway.mime.compose import one_line
from gateway.mime.names import shown
from gateway.notices.model import GatheredSummary, MessageNotice, Notice
from gateway.verdict import Action

VALUE_LIMIT = 300
"""Characters of a value that strangers wrote: a long subject, or an address of the greatest length."""

COMMENT_LIMIT = 2_000
"""Characters of what a person said of his decision, and of the reason why a message was kept."""

TEXT_LIMIT = 4_000
"""Characters of a rule's own text."""

MOST_ADDRESSES = 10
"""Addresses that a summary names; of the others it gives the number."""

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")

_DATE = {"vi": "HH:mm 'ngày' dd/MM/y", "en": "d MMMM y, HH:mm"}
_ACTIONS = {
    "vi": {
        Action.ACCEPT: "được chuyển tiếp",
        Action.TAG: "được chuyển tiếp kèm ghi chú hoặc thay đổi",
        Action.HOLD: "được giữ chờ duyệt",
        Action.QUARANTINE: "được giữ lại",
        Action.DISCARD: "bị hủy",
        Action.DEFER: "chưa được nhận, máy gửi sẽ thử lại",
        Action.REJECT: "không được nhận",
    },
    "en": {
        Action.ACCEPT: "handed on",
        Action.TAG: "handed on, marked or changed",
        Action.HOLD: "held for approval",
        Action.QUARANTINE: "kept",
        Action.DISCARD: "discarded",
        Action.DEFER: "not taken yet, its server will try again",
        Action.REJECT: "not accepted",
    },
}
_TEMPLATES = Path(__file__).parent / "templates"
_SCHEME = re.compile(r"(?<=[a-z0-9]):(?=//)", re.IGNORECASE)
_WWW = re.compile(r"\bwww\.", re.IGNORECASE)


class Safe(str):
    """Text of ours, or made harmless already: it is shown as it is."""

    __slots__ = ()


def harmless(text: str, limit: int = VALUE_LIMIT) -> Safe:
    """A stranger's text for a line of ours: one line, nothing invisible, no quotation mark that could end ours.

    Addresses of the web are broken, for programs make links of them: nobody is to follow a stranger's link because it
    stood in a notice of ours.
    """
    plain = shown(" ".join(text.splitlines()), limit).translate({0x201C: '"', 0x201D: '"'})
    return Safe(_WWW.sub("www[.]", _SCHEME.sub("[:]", plain)))


@dataclass(frozen=True, slots=True)
class Language:
    """How dates, sizes and numbers are written in a language."""

    code: Literal["vi", "en"]
    timezone: tzinfo

    def date(self, moment: datetime) -> Safe:
        """Minute and day, by the clock on the wall."""
        written = format_datetime(moment, _DATE[self.code], tzinfo=self.timezone, locale=self.code)
        offset = moment.astimezone(self.timezone).strftime("%z")
        return Safe(f"{written} (GMT{offset[:3]})" if offset else written)

    def action(self, action: Action) -> Safe:
        """What was done with a message."""
        return Safe(_ACTIONS[self.code][action])

    def number(self, value: int) -> Safe:
        """With the language's separators."""
        return Safe(format_decimal(value, locale=self.code))

    def size(self, size: int) -> Safe:
        """Bytes, kilobytes or megabytes (of 1,000 each, as the words say)."""
        for unit, bytes_each in (("megabyte", 1_000_000), ("kilobyte", 1_000)):
            if size >= bytes_each:
                return Safe(format_unit(round(size / bytes_each, 1), f"digital-{unit}", "short", locale=self.code))
        return Safe(format_unit(size, "digital-byte", "short", locale=self.code))


@dataclass(frozen=True, slots=True)
class Section:
    """A notice in one language: a title, and paragraphs of lines."""

    language: str
    title: str
    paragraphs: tuple[tuple[str, ...], ...]


def section(notice: Notice, language: Language, contact: str, link: str) -> Section:
    """The notice in this language. `contact` is who answers questions; `link` stands on a line of its own."""
    text = _environment.get_template(f"{notice.kind}.{language.code}.txt").render(
        notice=notice,
        original=notice.original if isinstance(notice, MessageNotice) else None,
        text=_own_lines(notice, language),
        contact=contact,
        link=Safe(link),
        say=language,
        most_addresses=MOST_ADDRESSES,
        comment_limit=COMMENT_LIMIT,
    )
    title, *paragraphs = (tuple(block.split("\n")) for block in re.split(r"\n{2,}", text.strip("\n")))
    return Section(language.code, " ".join(title), tuple(paragraphs))


def plain(sections: Sequence[Section]) -> str:
    """The notice as plain text, one language below the other."""
    return _environment.get_template("letter.txt").render(sections=_safe(sections))


def html(sections: Sequence[Section], link: str) -> str:
    """The same as a page without anything to load or to run; a line that is `link` becomes a link."""
    return _environment.get_template("letter.html").render(sections=_safe(sections), link=Safe(link))


def _safe(sections: Sequence[Section]) -> list[dict[str, Any]]:
    return [
        {
            "language": Safe(each.language),
            "title": Safe(each.title),
            "paragraphs": [[Safe(line) for line in paragraph] for paragraph in each.paragraphs],
        }
        for each in sections
    ]


def _own_lines(notice: Notice, language: Language) -> list[Safe]:
    """The rule's own text, which an administrator wrote: its lines and links stay."""
    if not isinstance(notice, (MessageNotice, GatheredSummary)) or notice.text is None:
        return []
    text = notice.text.vi if language.code == "vi" else notice.text.en
    return [Safe(line) for raw in text[:TEXT_LIMIT].splitlines() if (line := one_line(raw))]


def _finalized(value: Any) -> Any:
    return value if isinstance(value, Safe) else harmless(str(value))


_environment = ImmutableSandboxedEnvironment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=select_autoescape(["html"], default_for_string=False),
    undefined=StrictUndefined,
    finalize=_finalized,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_environment.filters["up_to"] = lambda value, limit: harmless(value, limit)
