"""The head of a part to its fields: where each lies, its name and its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from gateway.mail import Raw, Span
from gateway.mime.charsets import guessed
from gateway.mime.defects import Defect
from gateway.mime.words import decode_words

MAX_HEAD = 256 * 1024
"""Bytes of a head. A long way with signatures and seals makes 30 kB; Postfix keeps 100 kB of one field."""

MAX_HEADER = 64 * 1024
"""Bytes read of one field: a To field with a thousand addresses has 40 kB."""

MAX_HEADERS = 1_000
"""Fields listed of one head. Long-travelled mail has a hundred."""

FIRST_LOOK = 4 * 1024
"""Bytes in which the end of a head is looked for before the trouble is taken to copy MAX_HEAD."""

# A name, if there is one, and the text of a line and of those that continue it (RFC 5322 sections 2.2 and 2.2.3). White
# space before the colon is obsolete syntax (section 4.5) that every reader takes.
_FIELD = re.compile(rb"(?:([!-9;-~]++)[ \t]*+:)?+([^\n]*+(?:\n[ \t][^\n]*+)*+\n?)")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_HEAD_END = re.compile(rb"\n\r?\n")
_EMPTY_LINE = re.compile(rb"\r?\n")
_MBOX_LINE = (b"From ", b">From ")


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


@lru_cache(maxsize=64)
def _decoded(text: bytes) -> str:
    """Many rules ask for the few fields of one message."""
    return decode_words(unfolded(text))


class Head(NamedTuple):
    """What stands before the body. The empty line between `span` and `body` belongs to neither.

    `lines` counts the fields and the lines that are none."""

    span: Span
    body: Span
    fields: tuple[Field, ...]
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


def unfolded(value: bytes) -> str:
    """The text of a field without its folds (RFC 5322 section 2.2.3); encoded words are left as they are."""
    line = value.strip(b" \t\r\n")
    return guessed(_FOLD.sub(b"", line) if b"\n" in line else line)


def read_head(raw: Raw, span: Span, most: int = MAX_HEADERS) -> Head:
    """The head of the part that lies at `span`, with at most `most` fields.

    A line that is no field ends the head, as it does for Postfix and the standard library; unless fields about the
    content follow it, because some readers go on.
    """
    block, end, defects = _find_head(raw, span)
    listed = list(islice(fields(block, span.start), most + 1))
    if len(listed) > most:
        defects.append(Defect.LIMIT_HEADERS)
        listed.pop()
    stop, following = span.start + len(block), end
    if b"\0" in block:
        defects.append(Defect.NUL_IN_HEAD)
    if block.count(b"\r") != block.count(b"\r\n"):
        defects.append(Defect.BARE_CR)
    lines = len(listed)
    unnamed = [(place, line) for place, line in enumerate(listed) if not line.name]
    last = _last_about_content(listed) if unnamed else -1
    for place, line in unnamed:
        if place == 0 and block.startswith(_MBOX_LINE):
            defects.append(Defect.MBOX_LINE)
        elif place < last:
            defects.append(Defect.JUNK_IN_HEAD)
        else:
            defects.append(Defect.NO_SEPARATOR)
            stop = following = line.start
            listed = listed[:place]
            break
    named = tuple(line for line in listed if line.name)
    return Head(Span(span.start, stop), Span(following, span.stop), named, lines, tuple(dict.fromkeys(defects)))


def _last_about_content(listed: list[Field]) -> int:
    return max((place for place, line in enumerate(listed) if line.name.lower().startswith("content-")), default=-1)


def _find_head(raw: Raw, span: Span) -> tuple[bytes, int, list[Defect]]:
    """The bytes of the head without the empty line behind it, and where the body begins."""
    block = b""
    for size in (FIRST_LOOK, MAX_HEAD):
        block = raw[span.start : min(span.start + size, span.stop)]
        empty = _EMPTY_LINE.match(block)
        if empty:
            return b"", span.start + empty.end(), []
        end = _HEAD_END.search(block)
        if end:
            return block[: end.start() + 1], span.start + end.end(), []
        if len(block) == len(span):
            return block, span.stop, [Defect.NO_SEPARATOR]
    block = block[: block.rfind(b"\n") + 1] or block
    return block, span.start + len(block), [Defect.LIMIT_HEAD]
