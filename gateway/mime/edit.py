"""The outgoing message as pieces: spans of the one that came in, and new bytes where an edit asks for them.

What no edit names is never copied, decoded or written anew, so that it stays byte for byte what arrived and the
signatures over it hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gateway.mail import Part, Raw, Span
from gateway.mime.banner import bannered, with_banner
from gateway.mime.compose import LINE, Rewrite, field, notice, one_line, unstructured
from gateway.mime.header import fields, unfolded
from gateway.mime.words import decode_words
from gateway.verdict import AddHeader, Banner, Edit, RemoveHeader, ReplaceHeader, StripPart, TagSubject

Piece = bytes | Span
"""New bytes, or bytes of the original message."""

Change = tuple[Span, tuple[Piece, ...]]
"""What comes in the place of a span."""

_SPACE_WORD = b" =?utf-8?q?_?="


@dataclass(frozen=True, slots=True)
class _Line:
    """A header field of the outgoing message with its line ending; `name` in lower case, "" for a line that is none."""

    name: str
    text: bytes
    piece: Piece


def edited(raw: Raw, root: Part, edits: Sequence[Edit]) -> tuple[Piece, ...]:
    """The message with the edits done, in their order. `root` is what `parse` made of `raw`.

    A banner goes where `bannered(root)` says, which is nowhere in signed or encrypted mail; a label that no part has
    strips none. Raises ValueError for a name that no header field can have.
    """
    if not edits:
        return (Span(0, len(raw)),) if len(raw) else ()
    rewrites = list(_rewrites(raw, root, edits))
    changes: list[Change] = []
    original = lines = _lines(raw, root)
    for edit in edits:
        lines = _with_header(lines, edit)
    for rewrite in rewrites:
        part = rewrite.part
        if part is root:
            lines = _with_content(_with_version(lines) if rewrite.fields else lines, rewrite)
        elif rewrite.fields or not _separated(part):
            changes.append(_head_change(part, _with_content(_lines(raw, part), rewrite)))
    rewritten = any(rewrite.part is root for rewrite in rewrites)
    if lines != original or (rewritten and not _separated(root)):
        changes.append(_head_change(root, lines))
    changes += [(rewrite.span, (rewrite.body,)) for rewrite in rewrites]
    return tuple(_assembled(len(raw), changes))


def joined(raw: Raw, pieces: Iterable[Piece]) -> bytes:
    """The outgoing message in one: for small mail, and for tests."""
    return b"".join(raw[piece.start : piece.stop] if isinstance(piece, Span) else piece for piece in pieces)


def _rewrites(raw: Raw, root: Part, edits: Sequence[Edit]) -> Iterator[Rewrite]:
    """The parts whose content changes: those that are stripped, and those outside them that carry the banner."""
    notices = {edit.label: edit.notice for edit in edits if isinstance(edit, StripPart)}
    text = "\n".join(edit.text for edit in edits if isinstance(edit, Banner))
    gone: list[Span] = []
    for part in root.walk():
        if part.label in notices and not _within(part, gone):
            gone.append(part.body)
            yield notice(part, notices[part.label])
    for part in bannered(root) if text else ():
        if not _within(part, gone):
            yield with_banner(raw, part, text)


def _within(part: Part, spans: Iterable[Span]) -> bool:
    return any(span.start <= part.body.start and part.body.stop <= span.stop for span in spans)


def _lines(raw: Raw, part: Part) -> list[_Line]:
    found = fields(raw[part.head.start : part.head.stop], part.head.start)
    return [_Line(one.name.lower(), raw[one.start : one.stop], one.span) for one in found]


def _new(name: str, value: str) -> _Line:
    text = field(name, value)
    return _Line(name.lower(), text, text)


def _with_header(lines: list[_Line], edit: Edit) -> list[_Line]:
    match edit:
        case AddHeader(name, value):
            return _on_top(lines, _new(name, value))
        case RemoveHeader(name):
            return [line for line in lines if line.name != name.lower()]
        case ReplaceHeader(name, value):
            new = _new(name, value)
            place = next((place for place, line in enumerate(lines) if line.name == new.name), None)
            if place is None:
                return _on_top(lines, new)
            return [*lines[:place], new, *(line for line in lines[place + 1 :] if line.name != new.name)]
        case TagSubject(text):
            if not any(line.name == "subject" for line in lines):
                return _on_top(lines, _new("Subject", text))
            tagged = [_tagged(line, one_line(text)) if line.name == "subject" else line for line in lines]
            return lines if tagged == lines else tagged
        case _:
            return lines


def _on_top(lines: list[_Line], new: _Line) -> list[_Line]:
    first = 1 if lines and not lines[0].name else 0  # behind a mailbox file's "From " line
    return [*lines[:first], new, *lines[first:]]


def _tagged(line: _Line, tag: str) -> _Line:
    """The subject behind the tag, as it was sent: it is not decoded, for its charset may be one we do not know."""
    name, _, value = line.text.partition(b":")
    if decode_words(unfolded(value)).startswith(tag):
        return line
    rest = value.strip(b" \t\r\n")
    before = name + b":" + unstructured(tag, len(name) + 1)
    if before.endswith(b"?=") and rest.startswith(b"=?"):
        before += _SPACE_WORD  # RFC 2047 section 6.2: a plain space between two encoded words is not shown
    if not rest:
        return _Line(line.name, before + b"\r\n", before + b"\r\n")
    length = len(before.rpartition(b"\n")[2]) + 1 + len(rest.partition(b"\n")[0])
    text = before + (b" " if length <= LINE else b"\r\n ") + rest + b"\r\n"
    return _Line(line.name, text, text)


def _with_version(lines: list[_Line]) -> list[_Line]:
    """RFC 2045 section 4: without it the fields about the content mean nothing."""
    known = any(line.name == "mime-version" for line in lines)
    return lines if known else _on_top(lines, _new("MIME-Version", "1.0"))


def _with_content(lines: list[_Line], rewrite: Rewrite) -> list[_Line]:
    """The head with new fields about the content, in the place of the first that they replace."""
    if not rewrite.fields:
        return lines
    new = _Line("", rewrite.fields, rewrite.fields)
    place = next((place for place, line in enumerate(lines) if line.name.startswith(rewrite.replaced)), None)
    if place is None:
        return _on_top(lines, new)
    return [*lines[:place], new, *(line for line in lines[place + 1 :] if not line.name.startswith(rewrite.replaced))]


def _separated(part: Part) -> bool:
    return part.body.start > part.head.stop


def _head_change(part: Part, lines: list[_Line]) -> Change:
    """The new head with the empty line behind it; one is put in where the sender left it out."""
    pieces: list[Piece] = [line.piece for line in lines]
    if _separated(part):
        pieces.append(Span(part.head.stop, part.body.start))
    else:
        pieces.append(b"\r\n" if not lines or lines[-1].text.endswith(b"\n") else b"\r\n\r\n")
    return Span(part.head.start, part.body.start), tuple(pieces)


def _assembled(length: int, changes: list[Change]) -> list[Piece]:
    """The whole message: the changes, which do not overlap, and what is between them. Neighbouring spans are joined."""
    pieces: list[Piece] = []
    at = 0
    for span, new in [*sorted(changes, key=lambda change: change[0].start), (Span(length, length), ())]:
        for piece in (Span(at, span.start), *new):
            last = pieces[-1] if pieces else b""
            if isinstance(piece, Span) and isinstance(last, Span) and last.stop == piece.start:
                pieces[-1] = Span(last.start, piece.stop)
            elif len(piece):
                pieces.append(piece)
        at = span.stop
    return pieces
