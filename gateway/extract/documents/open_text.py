"""OpenDocument (ODF 1.3, part 3): text, tables, notes, annotations, page headers, scripts and objects."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from gateway.extract.documents.fields import formula_facts, remote
from gateway.extract.documents.markup import value
from gateway.extract.documents.story import Story
from gateway.extract.formats import Fact, Member
from gateway.reading import Link, Trait, Zone
from gateway.traits import Mark

SPACES = 100
"""Spaces that one element may stand for."""

_ZONES = {
    **dict.fromkeys(("header", "header-left", "header-first"), Zone.PAGE_HEADER),
    **dict.fromkeys(("footer", "footer-left", "footer-first"), Zone.PAGE_FOOTER),
    **dict.fromkeys(("note", "notes"), Zone.NOTE),
    "annotation": Zone.COMMENT,
    **dict.fromkeys(("text-box", "custom-shape"), Zone.TEXT_BOX),
    "meta": Zone.PROPERTY,
}
_LINES = frozenset({"p", "h"})
_PROPERTIES = frozenset({"title", "description", "subject", "keyword", "creator", "initial-creator", "user-defined"})


class OpenText:
    """A handler for `markup.parse`. `fonts` are names of fonts, as for `OfficeText`."""

    def __init__(self, place: str, kind: str) -> None:
        self.story = Story(kind)
        self.facts: list[Fact] = []
        self.fonts: set[str] = set()
        self._place = place
        self._depth = 0  # of paragraphs: only in them characters are text
        self._links: list[tuple[str, list[str]]] = []
        self._cells: list[str] = []
        self._blob: list[str] | None = None
        self._script: list[str] | None = None

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """See `markup.Handler`."""
        if name in _ZONES:
            self.story.open(_ZONES[name])
        if name in _LINES or (name in _PROPERTIES and self.story.zone is Zone.PROPERTY):
            self._depth += 1
        elif name == "s":
            count = value(attributes, "c")
            self.data(" " * min(int(count) if count.isdecimal() and len(count) < 6 else 1, SPACES))
        elif name == "tab":
            self.data("\t")
        elif name == "line-break":
            self.data("\n")
        elif name in ("a", "shape") or name == "event-listener":
            self._leads(name, attributes)
        elif name == "table-cell" or name == "covered-table-cell":
            self._cells.append(value(attributes, "formula"))
        elif name == "table":
            self.story.write(value(attributes, "name") + "\n", Zone.PROPERTY)
        elif name in ("object", "object-ole", "plugin", "applet", "floating-frame", "image"):
            self._object(name, attributes)
        elif name == "binary-data":
            self._blob = []
        elif name == "script" or name == "module":
            self.facts.append(Trait(word=Mark.MACRO, detail=value(attributes, "name") or value(attributes, "language")))
        elif name in ("dde-source", "dde-connection-decl", "dde-connection"):
            said = (value(attributes, f"dde-{each}") for each in ("application", "topic", "item"))
            self.facts.append(Trait(word=Mark.DDE, detail=" ".join(filter(None, said))[:300]))
        elif name == "font-face":
            self.fonts.update(attributes.values())
        elif name in _SOURCES:
            self._fetched(name, value(attributes, "href"))
        elif name == "template":
            target = value(attributes, "href")
            if remote(target):
                self.facts.append(Trait(word=Mark.REMOTE_TEMPLATE, detail=target[:300]))
        elif name == "variable-set" or name == "user-field-decl":
            self.story.write(value(attributes, "string-value") + "\n", Zone.PROPERTY)

    def end(self, name: str) -> None:
        """See `markup.Handler`."""
        if name in _LINES or (name in _PROPERTIES and self.story.zone is Zone.PROPERTY):
            self._depth = max(self._depth - 1, 0)
            self.story.line()
        elif name == "a" and self._links:
            target, seen = self._links.pop()
            self.facts.append(Link(place=self._place, target=target, text="".join(seen)))
        elif name in ("table-cell", "covered-table-cell") and self._cells:
            if formula := self._cells.pop():
                self.facts += formula_facts(formula.partition("=")[2] or formula, self._place)
                if "DDE(" in formula.upper():
                    self.facts.append(Trait(word=Mark.DDE, detail=formula[:300]))
            self.story.cell()
        elif name == "table-row":
            self.story.row()
        elif name == "binary-data":
            blob, self._blob = "".join(self._blob or ()), None
            try:
                self.facts.append(Member(content=base64.b64decode("".join(blob.split()) + "==")))
            except (binascii.Error, ValueError):
                self.facts.append(Member(content=blob.encode()))
        if name in _ZONES:
            self.story.close()

    def data(self, text: str) -> None:
        """See `markup.Handler`."""
        if self._blob is not None:
            self._blob.append(text)
        elif self._depth:
            self.story.write(text)
            if self._links:
                self._links[-1][1].append(text)

    def finish(self) -> list[Fact]:
        """All that was found, when the part has been read."""
        return [*self.story.texts(self._place), *self.facts]

    def _leads(self, name: str, attributes: Mapping[str, str]) -> None:
        target = value(attributes, "href")
        if name == "a":
            self._links.append((target, []))
        if name == "event-listener":
            script = target or value(attributes, "macro-name")
            self.facts.append(Trait(word=Mark.MACRO, detail=script[:300]))
            if value(attributes, "event-name").rpartition(":")[2] in _AT_ONCE:
                self.facts.append(Trait(word=Mark.AUTO_MACRO, detail=script[:300]))

    def _object(self, name: str, attributes: Mapping[str, str]) -> None:
        target = value(attributes, "href")
        if name == "image":
            if remote(target):
                self.facts.append(Link(place=self._place, target=target, source="image"))
            return
        if name == "object-ole":
            self.facts.append(Trait(word=Mark.OLE_OBJECT, detail=(value(attributes, "class-id") or target)[:300]))
        elif name in ("plugin", "applet"):
            self.facts.append(Trait(word=Mark.OLE_OBJECT, detail=f"{name} {target}"[:300]))
        self._fetched(name, target)

    def _fetched(self, name: str, target: str) -> None:
        if remote(target):
            self.facts.append(Trait(word=Mark.EXTERNAL_LINK, detail=f"{name}: {target}"[:300]))
            self.facts.append(Link(place=self._place, target=target, source=name))


_AT_ONCE = frozenset({"load", "load-finished", "on-load", "unload", "new", "print", "start-app", "view-created"})
_SOURCES = frozenset({"database-source-sql", "database-source-table", "section-source", "table-source"}) | {
    "cell-range-source"
}
