"""The outgoing message as an MTA wants it told: not the message, but what is to be changed on the one it has. Pure.

What goes on is made by `gateway/mime/edit.py` for every front end alike. Its spans of the original tell which fields
stay; the rest follows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
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
    placed = _placed(layout, kept, new)
    occurrence = _occurrences(layout)
    changed = [
        ChangeHeader(occurrence[place], each.name, each.value)
        for place, each in sorted(placed.items(), key=lambda item: item[0])
    ]
    stay = kept | placed.keys()
    gone = [place for place in reversed(range(len(layout.names))) if place not in stay]
    removed = [ChangeHeader(occurrence[place], layout.names[place], b"") for place in gone]
    return [*changed, *removed, *_insertions(kept, placed, new)]


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


def _placed(layout: Layout, kept: set[int], new: Sequence[_New]) -> dict[int, _New]:
    """Which new fields can have the place of one of the same name that is gone, with the order of all kept.

    From the bottom up: below a place that was given away only what comes after it may have another.
    """
    placed: dict[int, _New] = {}
    end = len(layout.names)
    for each in reversed(new):
        last = next((place for place in range(each.before, end) if place in kept), end)
        name = each.name.lower()
        for place in range(last - 1, each.before - 1, -1):
            if layout.names[place].lower() == name:
                placed[place] = each
                end = place
                break
        else:
            end = last
    return placed


def _insertions(kept: set[int], placed: dict[int, _New], new: Sequence[_New]) -> list[InsertHeader]:
    """The new fields without a place, each put where it belongs among those that are there by then."""
    taken = {id(each): place for place, each in placed.items()}
    stay = sorted(kept | placed.keys())
    on_top: list[InsertHeader] = []
    below: list[InsertHeader] = []
    floor = 0  # fields of the original that stay and stand above
    for each in new:
        floor = max(floor, bisect_left(stay, each.before))
        if id(each) in taken:
            floor = max(floor, bisect_left(stay, taken[id(each)]) + 1)
        elif floor == 0:
            on_top.insert(0, InsertHeader(0, each.name, each.value))
        else:
            below.append(InsertHeader(floor + len(on_top) + len(below), each.name, each.value))
    return [*on_top, *below]


def _occurrences(layout: Layout) -> list[int]:
    """Of the fields of its name, which one each is, counted from 1."""
    counted: Counter[bytes] = Counter()
    places = []
    for name in map(bytes.lower, layout.names):
        counted[name] += 1
        places.append(counted[name])
    return places


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
