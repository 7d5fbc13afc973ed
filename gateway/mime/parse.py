"""A message to its tree of parts, as byte spans: nothing is copied, nothing a stranger sends raises.

Where readers disagree, the tree holds what any of them would show: a body is split by every boundary that some reader
takes, parts after the closing boundary are parts, each name of a file is kept. What is odd is named in `Part.defects`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gateway.mail import Part, Raw, Span
from gateway.mime.declared import declared
from gateway.mime.decode import IDENTITY, UUENCODE, measured
from gateway.mime.defects import Defect
from gateway.mime.header import MAX_HEADER, MAX_HEADERS, read_head
from gateway.mime.multipart import Room, boundaries, split
from gateway.mime.names import MAX_NAMES
from gateway.mime.uuencode import names_in_text

MAX_FIELDS = 10_000
"""Lines of all heads of a message in which fields are listed; a digest of a busy list has 2,000."""

MAX_DEPTH = 50
"""Parts within parts. Postfix stops at 100 (mime_nesting_limit), Rspamd at 64; honest mail has ten."""

MAX_PARTS = 1_000
"""Parts of a message. A digest of a busy list has a hundred."""

MAX_BOUNDARY_LINES = 20_000
"""Lines that begin with a boundary: bounds the time spent on those that only look like one."""

MESSAGES = frozenset({"message/rfc822", "message/global", "message/news"})
"""The types of a part that is a whole message (RFC 2046 section 5.2.1, RFC 6532 section 3.7, RFC 5537 section 4.1)."""

_WHOLE = ".TEXT"
_ELSEWHERE = {"message/partial": Defect.PARTIAL_MESSAGE, "message/external-body": Defect.EXTERNAL_BODY}


_NOTHING = Part(label="", headers=(), head=Span(0, 0), body=Span(0, 0))


@dataclass(slots=True)
class _Draft:
    """A part while it is read; `prefix` begins its children's labels, `default` is its type unless it names one."""

    label: str
    prefix: str
    depth: int
    span: Span
    default: str = "text/plain"
    children: list[_Draft] = field(default_factory=list)
    lines: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    part: Part = _NOTHING


def parse(raw: Raw) -> Part:
    """The message as a tree; for any bytes, in linear time and without recursion."""
    room, headers_left = Room(MAX_PARTS - 1, MAX_BOUNDARY_LINES), MAX_FIELDS
    drafts = [_Draft("", "", 0, Span(0, len(raw)))]
    for draft in drafts:  # grows as children are found
        _read(raw, draft, room, max(min(headers_left, MAX_HEADERS), 0))
        headers_left -= draft.lines
        drafts += draft.children
    for draft in reversed(drafts):
        draft.part = Part(**draft.facts, children=tuple(child.part for child in draft.children))
    return drafts[0].part


def _read(raw: Raw, draft: _Draft, room: Room, most_headers: int) -> None:
    """What there is to know of a part but its children, which are left in the draft as well."""
    head = read_head(raw, draft.span, most_headers)
    draft.lines = head.lines
    said = declared(head.block)
    defects: list[Defect] = [*head.defects, *said.defects]
    if len(head.block) > MAX_HEADER and any(len(one.text) > MAX_HEADER for one in head.fields):
        defects.append(Defect.LIMIT_HEADER)
    media_type = said.media_types[0] if said.media_types else draft.default
    encoding = said.encodings[0] if said.encodings else "7bit"

    readings = said.media_types or (media_type,)
    multipart = False
    for one in readings:
        multipart = multipart or one.startswith("multipart/")
        if one in _ELSEWHERE:
            defects.append(_ELSEWHERE[one])
    if draft.label.endswith(_WHOLE) and not multipart:
        draft.label = draft.prefix = f"{draft.prefix}.1"
    if multipart:
        defects += _descend_multipart(raw, draft, head.body, said.parameters.get("boundary", ()), media_type, room)
        if encoding not in IDENTITY:
            defects.append(Defect.ENCODED_MULTIPART)
    elif not MESSAGES.isdisjoint(readings):
        defects += _descend_message(draft, head.body, encoding, room)

    names, size = said.names, len(head.body)
    if not draft.children:
        if encoding in UUENCODE or (media_type.startswith("text/") and encoding in IDENTITY):
            inside = names_in_text(raw, head.body)
            names = tuple(dict.fromkeys([*names, *inside]))[:MAX_NAMES] if inside else names
            if inside and encoding in IDENTITY:
                defects.append(Defect.UUENCODED_TEXT)
        size, odd = measured(raw, head.body, encoding)
        if odd:
            defects.append(Defect.BROKEN_BASE64 if encoding == "base64" else Defect.BROKEN_QUOTED_PRINTABLE)
    draft.facts = {
        "label": draft.label,
        "headers": head.fields,
        "head": head.span,
        "body": head.body,
        "media_type": media_type,
        "parameters": said.first,
        "disposition": said.disposition,
        "encoding": encoding,
        "names": names,
        "size": size,
        "defects": tuple(dict.fromkeys(map(str, defects))) if defects else (),
    }


def _descend_multipart(
    raw: Raw, draft: _Draft, body: Span, values: Iterable[str], media_type: str, room: Room
) -> list[Defect]:
    if draft.depth >= MAX_DEPTH:
        return [Defect.LIMIT_DEPTH]
    delimiters, defects = boundaries(raw, body, values)
    result = split(raw, body, delimiters, room)
    # RFC 2046 section 5.1.5.
    default = "message/rfc822" if media_type == "multipart/digest" else "text/plain"
    stem = f"{draft.prefix}." if draft.prefix else ""
    for number, span in enumerate(result.parts, 1):
        label = f"{stem}{number}"
        draft.children.append(_Draft(label, label, draft.depth + 1, span, default))
    return defects + result.defects


def _descend_message(draft: _Draft, body: Span, encoding: str, room: Room) -> list[Defect]:
    """An enclosed message. As IMAP numbers (RFC 9051 section 6.4.5.1): its parts are numbered within it, its only
    part is 1, and the whole of a multipart one is TEXT."""
    if encoding not in IDENTITY:
        return [Defect.ENCODED_MESSAGE]  # its parts are no spans: `enclosures` has it
    if draft.depth >= MAX_DEPTH:
        return [Defect.LIMIT_DEPTH]
    if room.parts <= 0:
        return [Defect.LIMIT_PARTS]
    room.parts -= 1
    prefix = draft.prefix or "1"
    draft.children.append(_Draft(prefix + _WHOLE, prefix, draft.depth + 1, body))
    return []
