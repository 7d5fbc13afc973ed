"""Texts and HTML to what a person reads in them, and where they lead."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.reading import Link, Text, Trait, Zone
from gateway.text.addresses import Anchor, written_links
from gateway.text.hypertext import meta_charset, read_html
from gateway.text.readings import read_text
from gateway.traits import Mark

MAX_LINKS = 5_000
"""Links of one text that are told of."""

SCRIPT_SHOWN = 300
"""Characters of a script that are told of."""


def text_facts(data: bytes, place: str, zone: Zone, charset: str = "", kind: str = "text") -> Iterator[Text | Link]:
    """Each reading of a text, and the addresses written out in it."""
    links: dict[Anchor, None] = {}
    for reading in read_text(data, charset):
        yield Text(place=place, zone=zone, content=reading.text, kind=kind, charset=reading.charset)
        links |= dict.fromkeys(written_links(reading.text))
    yield from _links(links, place)


def html_facts(data: bytes, place: str, zone: Zone, charset: str = "") -> Iterator[Text | Link | Trait]:
    """What HTML shows, what it hides, where it leads, and that it has scripts."""
    links: dict[Anchor, None] = {}
    for number, reading in enumerate(read_text(data, charset, meta_charset(data))):
        found = read_html(reading.text)
        if found.visible.strip() or number == 0:
            yield Text(place=place, zone=zone, content=found.visible, kind="html", charset=reading.charset)
        if found.hidden.strip():
            yield Text(place=place, zone=Zone.HIDDEN, content=found.hidden, kind="html", charset=reading.charset)
        if number == 0:
            for script in found.scripts:
                yield Trait(word=Mark.SCRIPT, detail=script.strip()[:SCRIPT_SHOWN])
        links |= dict.fromkeys(found.links)
    yield from _links(links, place)


def _links(found: dict[Anchor, None], place: str) -> Iterator[Link]:
    for anchor in list(found)[:MAX_LINKS]:
        yield Link(place=place, target=anchor.target, text=anchor.text, source=anchor.source, button=anchor.button)
