"""Collects a document's texts by zone while it is walked, with the links in them.

Zones nest (a text box in a page's header); what is written goes to the innermost one.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.extract.room import Full
from gateway.reading import Reason, Text, Zone

CHARACTERS = 16 * 1024 * 1024
"""Characters of one part of a document. A million cells that all point to one long shared string are a bomb."""


class Story:
    """`write` adds to the text of the zone that is open; `texts` gives all that was written, one Text for a zone."""

    __slots__ = ("_kind", "_left", "_parts", "_zones")

    def __init__(self, kind: str, zone: Zone = Zone.ATTACHMENT) -> None:
        self._kind = kind
        self._zones: list[Zone] = [zone]
        self._parts: dict[Zone, list[str]] = {}
        self._left = CHARACTERS

    @property
    def zone(self) -> Zone:
        """The innermost zone."""
        return self._zones[-1]

    def open(self, zone: Zone) -> None:
        """A zone begins."""
        self._zones.append(zone)

    def close(self) -> None:
        """The innermost zone ends, and with it its last line."""
        self.line()
        if len(self._zones) > 1:
            self._zones.pop()

    def write(self, text: str, zone: Zone | None = None) -> None:
        """Characters that follow those before. Raises Full."""
        if text:
            self._left -= len(text)
            if self._left < 0:
                raise Full(Reason.TOO_BIG, f"a text of more than {CHARACTERS} characters")
            self._parts.setdefault(zone or self._zones[-1], []).append(text)

    def line(self, zone: Zone | None = None) -> None:
        """The line ends, if it has begun."""
        parts = self._parts.get(zone or self._zones[-1])
        if parts and not parts[-1].endswith("\n"):
            parts.append("\n")

    def cell(self) -> None:
        """A cell of a row ends: a tab instead of the end of its last line."""
        parts = self._parts.setdefault(self._zones[-1], [])
        if parts and parts[-1] == "\n":
            parts.pop()
        parts.append("\t")

    def row(self) -> None:
        """A row ends."""
        parts = self._parts.get(self._zones[-1])
        if parts and parts[-1] == "\t":
            parts.pop()
        self.line()

    def texts(self, place: str) -> Iterator[Text]:
        """What was written, in the order in which the zones began."""
        for zone, parts in self._parts.items():
            content = "".join(parts)
            if content.strip():
                yield Text(place=place, zone=zone, content=content, kind=self._kind)
