"""Forms in a PDF that draw each other (ISO 32000-1, 8.10): in a circle, or doubling at each step, so that a page of a
kilobyte is drawn for ever. PDFium has no defence against that but its browser's patience.

What a form leads to is taken from its dictionary and the plain objects that it names, without regard to which name is
which: a circle of forms is never meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST = 1_000_000
"""Drawings of forms that one form may come to. PDFium does as many in a second; a map has some ten thousand."""

FORMS = 5_000
"""Forms of a document that are followed; more of them are left to the time that the reader has."""

OBJECT = 4 * 1024
"""Bytes of an object that names others."""

FAR = 3
"""Objects between a form and the forms that it names: its resources, their XObject dictionary."""

_NUMBER = re.compile(rb"(\d{1,9})\s+\d{1,9}\s+obj\b")
# Not where a form leads, but what it belongs to or looks like.
_OTHER = rb"(?:Parent|P|Page|OC|Metadata|PieceInfo|Font|ExtGState|ColorSpace|Pattern|Shading|Properties|Length|SMask)"
_NAMED = re.compile(rb"(?<!\d)(\d{1,9})\s+\d{1,9}\s+R\b")
_NOT_FOLLOWED = re.compile(rb"/" + _OTHER + rb"\s*(?:\d{1,9}\s+\d{1,9}\s+R\b|<<[^<>]{0,4000}>>)")
_DRAW = re.compile(rb"/[^\s/<>\[\]()]{1,127}\s{1,9}Do\b")


def number_of(text: bytes) -> int:
    """The number of the object that the text ends in, -1 if none begins there."""
    numbers = _NUMBER.findall(text, max(0, len(text) - OBJECT))
    return int(numbers[-1]) if numbers else -1


def draws(content: bytes) -> int:
    """How many drawings of other objects a form's content has."""
    return sum(1 for _ in _DRAW.finditer(content))


def endless(forms: dict[int, tuple[bytes, int]], texts: Iterable[bytes]) -> bool:
    """True if the forms (dictionary and number of drawings, by object) draw each other for ever, or nearly."""
    objects: dict[int, bytes] = {}
    if len(forms) > FORMS or not any(drawn for _, drawn in forms.values()):
        return False
    for text in texts:
        for found in _NUMBER.finditer(text):
            objects[int(found[1])] = text[found.end() : found.end() + OBJECT].partition(b"endobj")[0]
    leads = {number: _leads(dictionary, forms, objects) for number, (dictionary, _) in forms.items()}
    costs: dict[int, int] = {}
    return any(_cost(number, forms, leads, costs) > MOST for number in forms)


def _leads(dictionary: bytes, forms: dict[int, tuple[bytes, int]], objects: dict[int, bytes]) -> set[int]:
    found: set[int] = set()
    seen: set[int] = set()
    texts = [dictionary]
    for _ in range(FAR):
        named = {int(number) for text in texts for number in _NAMED.findall(_NOT_FOLLOWED.sub(b"", text))} - seen
        seen |= named
        found |= named & forms.keys()
        texts = [objects[number] for number in named - forms.keys() if number in objects]
    return found


def _cost(start: int, forms: dict[int, tuple[bytes, int]], leads: dict[int, set[int]], costs: dict[int, int]) -> int:
    """Drawings that one drawing of a form comes to; more than MOST for one within itself. Without recursion: a chain
    may be as long as there are forms."""
    on_way: set[int] = set()
    stack = [start]
    while stack:
        number = stack[-1]
        if number in costs:
            stack.pop()
            continue
        on_way.add(number)
        drawn = forms[number][1]
        waiting = [each for each in leads[number] if each not in costs] if drawn else []
        if any(each in on_way for each in waiting):
            costs.update(dict.fromkeys(on_way, MOST + 1))
            return MOST + 1
        if waiting:
            stack.append(waiting[0])
            continue
        deepest = max((costs[each] for each in leads[number]), default=1) if drawn else 0
        costs[number] = min(1 + drawn * deepest, MOST + 1)
        on_way.discard(number)
        stack.pop()
    return costs[start]
