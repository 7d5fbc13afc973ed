"""What a message holds, part by part: texts that are read in place, and files that somebody opens next."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.extract.formats import Member
from gateway.extract.texts import html_facts, text_facts
from gateway.mail import Part, Raw
from gateway.mime.enclosed import Content, Enclosure, enclosures, readings, within
from gateway.mime.kinds import binary_kind_of
from gateway.reading import Blind, Link, Text, Trait, Zone
from gateway.text.readings import reread

TEXT_LIMIT = 1024 * 1024
"""Bytes of one inline text that are read in place; a longer one is no letter, and is opened like a file."""

MAX_SENDERS = 20
"""Names of senders that are told; a From field has one, seldom more (RFC 5322 section 3.6.2)."""

_SENDERS = frozenset({"from", "sender", "reply-to"})
_ADDRESS = re.compile(r"<[^<>]*>|\([^()]*\)")

Found = Text | Link | Trait | Blind | Member


def contents(raw: Raw, root: Part) -> Iterator[Found]:
    """Everything in a message, in its order. Places begin with the label of the part."""
    for part in root.walk():
        yield from _header_texts(part)
        seen: set[bytes] = set()
        for reading in readings(raw, part):
            if reading.content not in seen:
                seen.add(reading.content)
                yield from _content(part, reading)
        for enclosure in enclosures(raw, part):
            yield enclosed(enclosure, part.label)


def enclosed(enclosure: Enclosure, place: str) -> Member:
    """What lies within something else, as a file to be opened."""
    missing = enclosure.blind is not None and not enclosure.content
    return Member(
        names=enclosure.names,
        label="/".join(filter(None, (place, enclosure.suffix))),
        content=None if missing else enclosure.content,
        media_type=enclosure.media_type,
        charset=enclosure.charset,
        reason=enclosure.blind,
    )


def _content(part: Part, reading: Content) -> Iterator[Found]:
    content, charset = reading.content, (reading.charsets or ("",))[0]
    inline = not part.names and part.disposition != "attachment" and len(content) <= TEXT_LIMIT
    texts = [media_type for media_type in reading.media_types if media_type.startswith("text/")]
    if not inline or not texts or binary_kind_of(content[:4096]):
        declared = reading.media_types[0] if reading.media_types else part.media_type
        yield Member(names=part.names, label=part.label, content=content, media_type=declared, charset=charset)
        return
    for label in reading.charsets or ("",):
        if "text/html" in texts:
            yield from html_facts(content, part.label, Zone.BODY, label)
        if texts != ["text/html"]:
            yield from text_facts(content, part.label, Zone.BODY, label)
    for enclosure in within(content, texts[0]):
        yield enclosed(enclosure, part.label)


def _header_texts(part: Part) -> Iterator[Text]:
    """The texts that mail programs show of a header: subject, and the names that addresses are shown by."""
    senders = 0
    for header in part.headers:
        name = header.name.lower()
        if name == "subject" and (value := header.value.strip()):
            yield from _in_all_readings(value, part.label, Zone.SUBJECT)
        elif name in _SENDERS and senders < MAX_SENDERS:
            senders += 1
            shown = _ADDRESS.sub(" ", header.value).strip().strip('"').strip()
            if (shown and "@" not in shown) or (shown and "<" in header.value):
                yield from _in_all_readings(shown, part.label, Zone.SENDER_NAME)


def _in_all_readings(text: str, place: str, zone: Zone) -> Iterator[Text]:
    yield Text(place=place, zone=zone, content=text)
    for other in reread(text):
        yield Text(place=place, zone=zone, content=other.text, charset=other.charset)
