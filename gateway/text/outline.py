"""The open elements of HTML while it is read, as browsers keep them: what closes what, and what lives on (HTML Standard
section 13.2.6), as far as it decides what a text belongs to. On the whole each step takes constant time, however deep
the nesting, which a tree of nodes would not: where formatting is opened anew in each paragraph, a tree grows with the
square of the text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Generic, TypeVar

Own = TypeVar("Own")
State = TypeVar("State")

DEEPEST = 512
"""Elements open at once; browsers nest no deeper."""

VOID = frozenset(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr".split()
)
"""Elements that have no content and no end."""

_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
_SCOPES = frozenset("applet caption html marquee object table td template th button".split())
_LISTS = frozenset("ul ol dl menu dir select".split())
_ENDS_PARAGRAPH = frozenset(
    "address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure footer form "
    "h1 h2 h3 h4 h5 h6 header hgroup hr li listing main menu nav ol p pre section summary table ul".split()
)
_SPECIAL = _ENDS_PARAGRAPH | _SCOPES | frozenset("body head noscript select tbody tfoot thead tr".split())
_ENDS_LIKE = {
    **dict.fromkeys(("dd", "dt"), ("dd", "dt")),
    **dict.fromkeys(("option", "optgroup"), ("option",)),
    "li": ("li",),
}
_ENDS_IN_TABLE = {
    **dict.fromkeys(("td", "th"), ("td", "th")),
    **dict.fromkeys(("tbody", "thead", "tfoot"), ("tbody", "thead", "tfoot", "tr")),
    "tr": ("tr",),
}
_ENDS_SOMETHING = _ENDS_PARAGRAPH | frozenset(_ENDS_LIKE) | frozenset(_ENDS_IN_TABLE) | {"a", "nobr"}
_TABLE_PARTS = frozenset("caption tbody td tfoot th thead tr".split())


class Outline(Generic[Own, State]):
    """The open elements. Each has something of its `own`, and a `state` made of its parent's and of that.

    They are kept as tuples, which are the fastest to make: name, own, state, and the places of the nearest element of
    each sort at or below: scope, special, list, table.
    """

    __slots__ = ("_combined", "_open", "_places", "_root", "state")

    def __init__(self, root: State, combined: Callable[[State, Own], State]) -> None:
        self._combined = combined
        self._root = root
        self._open: list[tuple[str, Own, State, int, int, int, int]] = []
        self._places: dict[str, list[int]] = defaultdict(list)
        self.state = root
        """Of the innermost element."""

    def begin(self, name: str) -> None:
        """An element of that name is about to open: what ends by it, ends."""
        if not self._open or name not in _ENDS_SOMETHING:
            return
        _, _, _, scope, _, lists, table = self._open[-1]
        if name in _ENDS_PARAGRAPH and (paragraphs := self._places["p"]) and paragraphs[-1] > scope:
            self._end(paragraphs[-1])
        if name in _ENDS_LIKE:
            self._end_any(_ENDS_LIKE[name], max(scope, lists))
        elif name in _ENDS_IN_TABLE:
            self._end_any(_ENDS_IN_TABLE[name], table)
        elif name in ("a", "nobr") and (places := self._places[name]) and places[-1] > scope:
            self._remove(places[-1])

    def open(self, name: str, own: Own) -> None:
        """An element opens. `begin` comes before, and VOID elements never come."""
        opened = self._open
        place = len(opened)
        if place == DEEPEST:
            return
        scope = special = lists = table = -1
        if place:
            _, _, _, scope, special, lists, table = opened[-1]
        if name in _SPECIAL:
            special = place
            if name in _SCOPES:
                scope = place
                table = place if name == "table" else table
            elif name in _LISTS:
                lists = place
        self.state = state = self._combined(self.state, own)
        opened.append((name, own, state, scope, special, lists, table))
        self._places[name].append(place)

    def close(self, name: str) -> None:
        """An end tag: it may end several elements, or none."""
        opened, places = self._open, self._places.get(name)
        if not places:
            return
        top, _, _, scope, special, _, table = opened[-1]
        if top == name:
            opened.pop()
            places.pop()
            self.state = opened[-1][2] if opened else self._root
        elif name in _FORMATTING:
            if places[-1] > scope:
                self._remove(places[-1])
        elif name in _TABLE_PARTS:
            if places[-1] > table:
                self._end(places[-1])
        elif name in _SCOPES or places[-1] > (scope if name in _SPECIAL else special):
            self._end(places[-1])

    def _end_any(self, names: tuple[str, ...], above: int) -> None:
        """The outermost of these ends, if it is above a place."""
        found = [places[-1] for name in names if (places := self._places.get(name)) and places[-1] > above]
        if found:
            self._end(min(found))

    def _end(self, place: int) -> None:
        """The element ends with all that is in it, but formatting lives on, unless it is shut in."""
        shut_in = self._open[place][0] in _SCOPES
        self._reopen([] if shut_in else [each for each in self._open[place + 1 :] if each[0] in _FORMATTING], place)

    def _remove(self, place: int) -> None:
        """The element ends; what is in it stays open."""
        self._reopen(self._open[place + 1 :], place)

    def _reopen(self, elements: list[tuple[str, Own, State, int, int, int, int]], place: int) -> None:
        for each in self._open[place:]:
            self._places[each[0]].pop()
        del self._open[place:]
        self.state = self._open[-1][2] if self._open else self._root
        for each in elements:
            self.open(each[0], each[1])
