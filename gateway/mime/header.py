"""The head of a part to its fields: where each lies, its name and its text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple, overload

from gateway.mail import Raw, Span
from gateway.mime.defects import Defect
from gateway.mime.words import decode_words
from gateway.text.charsets import guessed

MAX_HEAD = 256 * 1024
"""Bytes of a head. A long way with signatures and seals makes 30 kB; Postfix keeps 100 kB of one field."""

MAX_HEADER = 64 * 1024
"""Bytes read of one field: a To field with a thousand addresses has 40 kB."""

MAX_HEADERS = 1_000
"""Fields listed of one head. Long-travelled mail has a hundred."""

MAX_ABOUT_CONTENT = 30
"""Fields about the content that are read of one head. There are eight that mean something."""

REMEMBERED = 512
"""Bytes of a head that is kept when examined: those of the parts of most mail say one of a few things."""

FIRST_LOOK = 4 * 1024
"""Bytes in which the end of a head is looked for before the trouble is taken to copy MAX_HEAD."""

# A name, if there is one, and the text of a line and of those that continue it (RFC 5322 sections 2.2 and 2.2.3). White
# space before the colon is obsolete syntax (section 4.5) that every reader takes.
_FIELD = re.compile(rb"(?:([!-9;-~]++)[ \t]*+:)?+([^\n]*+(?:\n[ \t][^\n]*+)*+\n?)")
# A head in which nothing is odd: names directly before their colons, no line without one, no NUL, no lone CR.
_REGULAR = re.compile(rb"(?:[!-9;-~]++:[^\r\n\0]*+(?:\r?\n[ \t][^\r\n\0]*+)*+(?:\r?\n|\Z))*+")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_CONTENT, _CONTENT_LINE = b"content-", b"\ncontent-"
MBOX_LINE = (b"From ", b">From ")
"""How the line begins that a mailbox file puts in front of a message."""


class Field(NamedTuple):
    """The bytes `start` to `stop` of a message: a `Header`, or with the name "" a line that is none.

    `text` is what follows the colon, as it was sent.
    """

    name: str
    text: bytes
    start: int
    stop: int

    @property
    def value(self) -> str:
        """The text, unfolded and decoded, as far as MAX_HEADER."""
        return _decoded(self.text[:MAX_HEADER])

    @property
    def span(self) -> Span:
        """Where it lies, line ending included."""
        return Span(self.start, self.stop)

    @property
    def spaced(self) -> bool:
        """True if white space stands between name and colon."""
        return bool(self.name) and self.stop - self.start > len(self.name) + 1 + len(self.text)


@lru_cache(maxsize=64)
def _decoded(text: bytes) -> str:
    """Many rules ask for the few fields of one message."""
    return decode_words(unfolded(text))


class Fields(Sequence[Field]):
    """The fields of a head, which are told apart when somebody asks for one: of most parts nobody does."""

    __slots__ = ("_block", "_listed", "_most", "_offset")

    def __init__(self, block: bytes, offset: int, most: int) -> None:
        self._block, self._offset, self._most = block, offset, most
        self._listed: tuple[Field, ...] | None = None

    def _fields(self) -> tuple[Field, ...]:
        if self._listed is None:
            self._listed = tuple(one for one in islice(fields(self._block, self._offset), self._most) if one.name)
        return self._listed

    def __iter__(self) -> Iterator[Field]:
        return iter(self._fields())

    def __len__(self) -> int:
        return len(self._fields())

    @overload
    def __getitem__(self, place: int) -> Field: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Field, ...]: ...

    def __getitem__(self, place: int | slice) -> Field | tuple[Field, ...]:
        return self._fields()[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fields) and self._fields() == other._fields()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._fields())


class Head(NamedTuple):
    """What stands before the body. The empty line between `span` and `body` belongs to neither.

    `block` are the bytes of `span`; `lines` counts them, or where it matters the fields and the lines that are none."""

    span: Span
    body: Span
    block: bytes
    fields: Fields
    lines: int
    defects: tuple[Defect, ...]


def fields(head: bytes, offset: int) -> Iterator[Field]:
    """The fields of a head that lies at `offset`, in order; together they cover all of it."""
    for line in _FIELD.finditer(head):
        start, stop = line.span()
        if start == stop:
            return
        name, text = line.groups()
        yield Field(name.decode("ascii") if name else "", text, offset + start, offset + stop)


def about_content(head: bytes) -> list[tuple[str, bytes]]:
    """Name, in lower case, and text of the fields whose names begin with "content-", the first MAX_ABOUT_CONTENT."""
    lower = head.lower()
    found = list[tuple[str, bytes]]()
    line = -1 if lower.startswith(_CONTENT) else lower.find(_CONTENT_LINE)
    if line < 0 and not lower.startswith(_CONTENT):
        return found
    for _ in range(MAX_ABOUT_CONTENT):
        field = _FIELD.match(head, line + 1)
        if field is not None and field[1]:
            found.append((field[1].decode("ascii").lower(), field[2]))
        line = lower.find(_CONTENT_LINE, line + 1)
        if line < 0:
            break
    return found


def unfolded(value: bytes) -> str:
    """The text of a field without its folds (RFC 5322 section 2.2.3); encoded words are left as they are."""
    line = value.strip(b" \t\r\n")
    return guessed(_FOLD.sub(b"", line) if b"\n" in line else line)


def read_head(raw: Raw, span: Span, most: int = MAX_HEADERS) -> Head:
    """The head of the part that lies at `span`, with at most `most` fields.

    A line that is no field ends the head, as it does for Postfix and the standard library; unless fields about the
    content follow it, because some readers go on.
    """
    block, following, defect = _find_head(raw, span)
    short = len(block) <= REMEMBERED and most == MAX_HEADERS
    lines, cut, defects = _remembered(block) if short else _examined(block, most)
    if defect is not None:
        defects = tuple(dict.fromkeys((defect, *defects)))
    if cut < len(block):
        block, following = block[:cut], span.start + cut
    head = Span(span.start, span.start + len(block))
    return Head(head, Span(following, span.stop), block, Fields(block, span.start, most), lines, defects)


def _examined(block: bytes, most: int = MAX_HEADERS) -> tuple[int, int, tuple[Defect, ...]]:
    """How many fields, and lines that are none, a head has; where it ends; and what is odd about it."""
    lines = block.count(b"\n")
    if lines <= most and _REGULAR.fullmatch(block):
        return lines, len(block), ()
    listed, defects = list(islice(fields(block, 0), most + 1)), list[Defect]()
    if len(listed) > most:
        defects.append(Defect.LIMIT_HEADERS)
        listed.pop()
    if b"\0" in block:
        defects.append(Defect.NUL_IN_HEAD)
    if block.count(b"\r") != block.count(b"\r\n"):
        defects.append(Defect.BARE_CR)
    if any(line.spaced for line in listed):
        defects.append(Defect.SPACE_BEFORE_COLON)
    unnamed = [(place, line) for place, line in enumerate(listed) if not line.name]
    last = _last_about_content(listed) if unnamed else -1
    for place, line in unnamed:
        if place == 0 and block.startswith(MBOX_LINE):
            defects.append(Defect.MBOX_LINE)
        elif place < last:
            defects.append(Defect.JUNK_IN_HEAD)
        else:
            defects.append(Defect.NO_SEPARATOR)
            return len(listed), line.start, tuple(dict.fromkeys(defects))
    return len(listed), len(block), tuple(dict.fromkeys(defects))


_remembered = lru_cache(maxsize=512)(_examined)


def _last_about_content(listed: list[Field]) -> int:
    return max((place for place, line in enumerate(listed) if line.name.lower().startswith("content-")), default=-1)


def _find_head(raw: Raw, span: Span) -> tuple[bytes, int, Defect | None]:
    """The bytes of the head without the empty line behind it, where the body begins, and what is wrong about that."""
    block = b""
    for size in (FIRST_LOOK, MAX_HEAD):
        block = raw[span.start : min(span.start + size, span.stop)]
        if block[:2] == b"\r\n" or block[:1] == b"\n":
            return b"", span.start + 1 + (block[:1] == b"\r"), None
        end, short = block.find(b"\n\r\n"), block.find(b"\n\n")
        if end >= 0 or short >= 0:
            length, end = (2, short) if end < 0 or 0 <= short < end else (3, end)
            return block[: end + 1], span.start + end + length, None
        if len(block) == len(span):
            return block, span.stop, Defect.NO_SEPARATOR
    block = block[: block.rfind(b"\n") + 1] or block
    return block, span.start + len(block), Defect.LIMIT_HEAD
