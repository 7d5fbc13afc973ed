"""What a mail holds for a person who opens everything in it: texts, links, files at every depth, and what could not be
looked at. Filters that declare `READS = True` find it as `mail.reading`.

A place is a path: a part's label ("1.2"), and behind slashes the files inside ("2/bao-cao.zip/van-ban.docx").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from gateway.text.coding import coded
from gateway.text.folding import Folded, plain, toned
from gateway.text.squeezing import squeezed


class Zone(StrEnum):
    """Where in a mail or document a text stands."""

    SUBJECT = "subject"
    SENDER_NAME = "sender-name"
    BODY = "body"
    HIDDEN = "hidden"  # in the HTML, and not to be seen
    ATTACHMENT = "attachment"  # the running text of an attached file, at any depth
    PAGE_HEADER = "page-header"
    PAGE_FOOTER = "page-footer"
    TEXT_BOX = "text-box"
    NOTE = "note"  # foot and end notes, a slide's notes
    COMMENT = "comment"
    PROPERTY = "property"  # title, subject, keywords, sheet names, an archive's comment
    FILE_NAME = "file-name"
    IMAGE = "image"  # recognised in a picture


class Reason(StrEnum):
    """Why something could not be looked at."""

    ENCRYPTED = "encrypted"
    TOO_BIG = "too-big"
    TOO_DEEP = "too-deep"
    TOO_MANY = "too-many"
    BOMB = "bomb"
    UNSUPPORTED = "unsupported"
    CORRUPT = "corrupt"
    TIMED_OUT = "timed-out"
    CRASHED = "crashed"
    FRAGMENT = "fragment"  # message/partial: the rest came, or comes, by another mail
    ELSEWHERE = "elsewhere"  # message/external-body: the content is not in the mail


@dataclass(frozen=True, kw_only=True)
class Text:
    """One text that a person could read. Lines end with "\\n", cells of a row are parted by "\\t".

    Where programs disagree on the charset, each reading is a Text of its own with the same place. `kind` is the kind of
    the file it came from ("text", "html", "docx"), `charset` how its bytes were read, "" where that is no question.
    """

    place: str
    zone: Zone
    content: str
    kind: str = "text"
    charset: str = ""

    @cached_property
    def coded(self) -> bytes:
        """A byte for each character, for searches: `gateway/text/coding.py`."""
        return coded(self.content)

    @cached_property
    def toned(self) -> Folded:
        """Folded for matching, tones and diacritics kept."""
        return toned(self.content, self.coded)

    @cached_property
    def plain(self) -> Folded:
        """Folded for matching, without tones and diacritics."""
        return plain(self.content, self.coded)

    @cached_property
    def squeezed(self) -> Folded:
        """Folded like `plain`, with spaced-out writing, digits for letters and repeated letters undone."""
        return squeezed(self.content, self.plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where a text leads. `text` is what a person sees of it; `source` is the element (a, area, form, img, ...) or
    "text" for an address written out; `button` is true where it is drawn as one."""

    place: str
    target: str
    text: str = ""
    source: str = "a"
    button: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """Something about a file that its kind does not tell: macro, dde, remote-template, javascript, ... and where."""

    word: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An attached file, or one inside another at any depth. `names` are all it may be shown by, `kind` is by its bytes,
    `media_type` what was declared ("" inside archives), `size` in bytes once decoded, `start` its first bytes,
    `digest` the SHA-256 of the whole in hex ("" where the whole was not seen). `content` is the whole where a filter
    asked for it (`SCANS`) and there was room, None otherwise; of a part itself it is in the mail (`mime/decode.py`).
    """

    place: str
    names: tuple[str, ...] = ()
    kind: str = "data"
    media_type: str = ""
    size: int = 0
    depth: int = 0
    start: bytes = b""
    digest: str = ""
    traits: tuple[Trait, ...] = ()
    content: bytes | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind:
    """Something that could not be looked at, and why: never the same as having found nothing."""

    place: str
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """All of it, in the order of the mail."""

    texts: tuple[Text, ...] = ()
    links: tuple[Link, ...] = ()
    files: tuple[File, ...] = ()
    blind: tuple[Blind, ...] = ()

    def of(self, *zones: Zone) -> Iterator[Text]:
        """The texts that stand in one of the zones."""
        return (text for text in self.texts if text.zone in zones)

    def __add__(self, other: Reading) -> Reading:
        return Reading(
            texts=self.texts + other.texts,
            links=self.links + other.links,
            files=self.files + other.files,
            blind=self.blind + other.blind,
        )
