"""What a message is for programs that read its form in another way than `parse` does, as messages of their own.

The tree has what the book and most programs make of it. Here is the rest: the texts around the parts, parts under a
transfer encoding, boundaries that only begin a line, and other opinions on what ends a line and where a head ends.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice

from gateway.mail import Part, Raw, Span
from gateway.mime.declared import declared
from gateway.mime.decode import decoded
from gateway.mime.defects import Defect
from gateway.mime.enclosure import ENCLOSURE_LIMIT, MAX_ENCLOSURES, Enclosure, Means
from gateway.mime.header import MAX_HEADERS, MBOX_LINE, about_content, fields
from gateway.mime.multipart import BOUNDARY_LIMIT, Room, boundaries, split
from gateway.mime.parse import MAX_BOUNDARY_LINES, MAX_PARTS
from gateway.mime.scan import occurrences, windows
from gateway.reading import Reason

_JUNK = frozenset({Defect.JUNK_IN_HEAD, Defect.SPACE_BEFORE_COLON})
_AROUND = frozenset({Defect.PREAMBLE, Defect.EPILOGUE, Defect.BOUNDARY_PREFIX})
_MESSAGE = "message/rfc822"


def rereadings(raw: Raw, part: Part) -> Iterator[Enclosure]:
    """The other readings of one part of `parse(raw)`; of the root also those of the whole message."""
    if not part.label:
        yield from _with_other_lines(raw, part)
    yield from _behind_junk(raw, part)
    if Defect.ENCODED_MULTIPART in part.defects:
        yield from _encoded(raw, part)
    if not _AROUND.isdisjoint(part.defects):
        yield from _around_parts(raw, part)


def _message(suffix: str, content: bytes, how: Means = Means.MESSAGE) -> Enclosure:
    return Enclosure(suffix=suffix, how=how, content=content, media_type=_MESSAGE)


def _with_other_lines(raw: Raw, root: Part) -> Iterator[Enclosure]:
    """The message for programs that end lines at a lone CR, or that do not see a NUL."""
    defects = {defect for part in root.walk() for defect in part.defects}
    lone = Defect.BARE_CR in defects or _has(b"\r--", raw)
    binary = any(part.encoding == "binary" for part in root.walk())
    with_nul = Defect.NUL_IN_HEAD in defects or (not binary and _has(b"\0", raw))
    if not lone and not with_nul:
        return
    if len(raw) > ENCLOSURE_LIMIT:
        yield Enclosure(suffix="lines", how=Means.LINES, blind=Reason.TOO_BIG)
        return
    if lone:
        yield _message("lines", b"".join(_ended_by_lf(raw)), Means.LINES)
    if with_nul:
        without = (window.translate(None, b"\0") for window in windows(raw, 0, len(raw)))
        yield _message("nul", b"".join(without), Means.LINES)


def _ended_by_lf(raw: Raw) -> Iterator[bytes]:
    carried = b""
    for window in windows(raw, 0, len(raw)):
        text = carried + window.translate(None, b"\0")
        carried = text[-1:] if text.endswith(b"\r") else b""
        yield text[: len(text) - len(carried)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    yield carried.replace(b"\r", b"\n")


def _has(mark: bytes, raw: Raw) -> bool:
    return next(occurrences(raw, mark, 0, len(raw)), None) is not None


def _behind_junk(raw: Raw, part: Part) -> Iterator[Enclosure]:
    """The body for programs that begin it at the first line of the head that is no field, or that is one only for
    those who let a space stand before the colon."""
    if _JUNK.isdisjoint(part.defects):
        return
    for line in islice(fields(_head(raw, part), part.head.start), MAX_HEADERS):
        if line.spaced or (not line.name and not line.text.startswith(MBOX_LINE)):
            content = raw[line.start : min(part.body.stop, line.start + ENCLOSURE_LIMIT)]
            yield Enclosure(suffix="head", how=Means.HEAD, content=content, media_type="text/plain")
            return


def _around_parts(raw: Raw, part: Part) -> Iterator[Enclosure]:
    """The texts before, between and behind the parts of a multipart; and parts for programs that take a line for a
    boundary if it only begins with one."""
    delimiters, _ = boundaries(raw, part.body, _boundary_values(raw, part))
    result = split(raw, part.body, delimiters, Room(MAX_PARTS, MAX_BOUNDARY_LINES))
    for number, (span, where) in enumerate(islice(result.texts, MAX_ENCLOSURES), 1):
        how = Means.PREAMBLE if where is Defect.PREAMBLE else Means.EPILOGUE
        content = raw[span.start : min(span.stop, span.start + ENCLOSURE_LIMIT)]
        yield Enclosure(suffix=f"{how}-{number}", how=how, content=content, media_type="text/plain")
    if not result.prefixes:
        return
    explained = {b"--" + one.parameters.get("boundary", "").encode() for one in part.walk()[1:]}
    ends = sorted({*result.prefixes, *(one.stop for one in result.parts), part.body.stop})
    for number, at in enumerate(islice(result.prefixes, MAX_ENCLOSURES), 1):
        line = raw[at : min(at + 2 * BOUNDARY_LIMIT, part.body.stop)].partition(b"\n")[0]
        if line.rstrip() in explained or line.rstrip().removesuffix(b"--") in explained:
            continue
        stop = min(ends[bisect_right(ends, at)], at + len(line) + 1 + ENCLOSURE_LIMIT)
        yield _message(f"boundary-{number}", raw[at + len(line) + 1 : stop], Means.BOUNDARY)


def _encoded(raw: Raw, part: Part) -> Iterator[Enclosure]:
    """A multipart with its encoding undone, if there are boundaries then."""
    content = decoded(raw, part)
    delimiters, _ = boundaries(content, Span(0, len(content)), _boundary_values(raw, part))
    here = sum(1 for one in delimiters for _ in occurrences(raw, b"--" + one, part.body.start, part.body.stop))
    if sum(content.count(b"--" + one) for one in delimiters) > here:
        types = (text for name, text in about_content(_head(raw, part)) if name == "content-type")
        head = b"".join(b"Content-Type:" + text for text in types)
        yield _message("decoded", head.rstrip() + b"\r\n\r\n" + content)


def _boundary_values(raw: Raw, part: Part) -> tuple[str, ...]:
    return declared(_head(raw, part)).parameters.get("boundary", ())


def _head(raw: Raw, part: Part) -> bytes:
    return raw[part.head.start : part.head.stop]
