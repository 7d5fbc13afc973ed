"""The outgoing message as an MTA wants it told: not the message, but what is to be changed on the one it has. Pure.

What goes on is made by `gateway/mime/edit.py` for every front end alike. Its spans of the original tell which fields
stay; the rest follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.mail import Raw, Span
from gateway.milter.answers import ChangeHeader, InsertHeader, ReplaceBody
from gateway.milter.commands import BODY_LIMIT
from gateway.mime.header import fields

Piece = bytes | Span


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the MTA's fields lie in the message that was rebuilt from them, and where the body begins.

    `spaced`: the MTA sends the space behind the colon as a part of the value, and takes it so.
    """

    names: tuple[bytes, ...]
    spans: tuple[Span, ...]
    body: int
    spaced: bool


@dataclass(frozen=True, slots=True)
class _New:
    """A field that is not in the original. `before`: how many fields of the original stand above its place."""

    name: bytes
    value: bytes
    before: int


def header_changes(layout: Layout, pieces: Sequence[Piece]) -> list[ChangeHeader | InsertHeader]:
    """What makes the outgoing head of the MTA's. Raises ValueError where a piece keeps half a field.

    In this order: values in place; removals, the last of a name first, since MTAs differ in whether those behind it
    move up; insertions, those on top the lowest first, since MTAs differ in whether their own Received counts.
    """
    kept, new = _head(layout, pieces)
    gone = [place for place in range(len(layout.names)) if place not in kept]
    changed: list[ChangeHeader | InsertHeader] = []
    inserted: list[_New] = []
    for each in new:
        place = next((place for place in gone if _same_place(layout, kept, place, each)), None)
        if place is None:
            inserted.append(each)
        else:
            gone.remove(place)
            kept.add(place)
            changed.append(ChangeHeader(_occurrence(layout, place), each.name, each.value))
    removed = [ChangeHeader(_occurrence(layout, place), layout.names[place], b"") for place in reversed(gone)]
    on_top = [InsertHeader(0, each.name, each.value) for each in reversed(inserted) if not each.before]
    below = [
        InsertHeader(len(on_top) + count + sum(place < each.before for place in kept), each.name, each.value)
        for count, each in enumerate(each for each in inserted if each.before)
    ]
    return [*changed, *removed, *on_top, *below]


def body_changes(layout: Layout, raw: Raw, pieces: Sequence[Piece]) -> Iterator[ReplaceBody]:
    """The new body in pieces that a packet takes; nothing where the body stays."""
    body = list(_body(layout, pieces))
    if body == [Span(layout.body, len(raw))] or (not body and len(raw) == layout.body):
        return
    for piece in body:
        start, stop = (piece.start, piece.stop) if isinstance(piece, Span) else (0, len(piece))
        source = raw if isinstance(piece, Span) else piece
        for at in range(start, stop, BODY_LIMIT):
            yield ReplaceBody(source[at : min(stop, at + BODY_LIMIT)])


def _head(layout: Layout, pieces: Sequence[Piece]) -> tuple[set[int], list[_New]]:
    """Which fields stay, and the new ones in their order."""
    kept: set[int] = set()
    new: list[_New] = []
    at = 0  # the first field that is not above what has been gone through
    for piece in pieces:
        if isinstance(piece, bytes):
            new += [_new(layout, line.name, line.text, at) for line in fields(piece, 0) if line.name]
            continue
        while at < len(layout.spans) and layout.spans[at].start < piece.start:
            at += 1
        while at < len(layout.spans) and layout.spans[at].stop <= piece.stop:
            kept.add(at)
            at += 1
        if at < len(layout.spans) and layout.spans[at].start < piece.stop:
            raise ValueError("half a field is kept")
        if piece.stop >= layout.body:
            break
    return kept, new


def _new(layout: Layout, name: str, text: bytes, before: int) -> _New:
    value = text.removesuffix(b"\n").removesuffix(b"\r").replace(b"\r\n", b"\n")
    return _New(name.encode("ascii"), value if layout.spaced else value.removeprefix(b" "), before)


def _same_place(layout: Layout, kept: set[int], place: int, new: _New) -> bool:
    """True for a field of the same name that is gone, with nothing kept between it and the new one."""
    if layout.names[place].lower() != new.name.lower():
        return False
    between = range(min(place, new.before), max(place, new.before))
    return not any(other in kept for other in between if other != place)


def _occurrence(layout: Layout, place: int) -> int:
    """Of the fields of this name, which one it is, counted from 1."""
    name = layout.names[place].lower()
    return sum(other.lower() == name for other in layout.names[: place + 1])


def _body(layout: Layout, pieces: Sequence[Piece]) -> Iterator[Piece]:
    """The outgoing body: all that follows the empty line behind the head."""
    inside = False
    for piece in pieces:
        if isinstance(piece, bytes):
            if inside:
                yield piece
        elif piece.stop >= layout.body:
            inside = True
            if piece.stop > layout.body:
                yield Span(max(piece.start, layout.body), piece.stop)
