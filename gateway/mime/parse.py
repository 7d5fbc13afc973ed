"""A message to its tree of parts, as byte spans: nothing is copied, nothing a stranger sends raises.

Where readers disagree, the tree holds what any of them would show: a body is split by every boundary that some reader
takes, parts after the closing boundary are parts, each name of a file is kept. What is odd is named in `Part.defects`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import islice

from gateway.mail import Part, Raw, Span
from gateway.mime.charsets import guessed
from gateway.mime.decode import ENCODINGS, IDENTITY, UUENCODE, decoded_size
from gateway.mime.defects import Defect
from gateway.mime.header import MAX_HEADER, MAX_HEADERS, Field, read_head, unfolded
from gateway.mime.multipart import Room, boundaries, split
from gateway.mime.names import MAX_NAMES, file_names
from gateway.mime.parameters import MAX_TEXT, Structured, merged, structured, without_comments
from gateway.mime.scan import occurrences

MAX_FIELDS = 10_000
"""Fields, and lines that are none, listed of all heads of a message; a digest of a busy list has 2,000."""

MAX_DEPTH = 50
"""Parts within parts. Postfix stops at 100 (mime_nesting_limit), Rspamd at 64; honest mail has ten."""

MAX_PARTS = 1_000
"""Parts of a message. A digest of a busy list has a hundred."""

MAX_BOUNDARY_LINES = 20_000
"""Lines that begin with a boundary: bounds the time spent on those that only look like one."""

READINGS = 3
"""Fields of one name that are read where there should be one."""

TEXT_MARKS = 1_000
"""Lines of one text that begin like a uuencoded file and are looked at."""

MESSAGES = frozenset({"message/rfc822", "message/global"})
"""The types of a part that is a whole message (RFC 2046 section 5.2.1, RFC 6532 section 3.7)."""

_WHOLE = ".TEXT"
_MEDIA_TYPE = re.compile(r"[!-.0-~]+/[!-~]+")
_ENCODING = re.compile(r"[a-z0-9-]+")
_FILE_IN_TEXT = re.compile(rb"\nbegin [0-7]{3,4} ([^\r\n]{1,255})\r?\n")
_UUENCODE_MARK = b"\nbegin "


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
    part: Part | None = None


@dataclass(slots=True)
class _Content:
    """The fields about the content, each as often as it came."""

    types: list[Structured] = field(default_factory=list)
    dispositions: list[Structured] = field(default_factory=list)
    encodings: list[str] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)


def parse(raw: Raw) -> Part:
    """The message as a tree; for any bytes, in linear time and without recursion."""
    room, headers_left = Room(MAX_PARTS - 1, MAX_BOUNDARY_LINES), MAX_FIELDS
    drafts = [_Draft("", "", 0, Span(0, len(raw)))]
    for draft in drafts:  # grows as children are found
        draft.part = _read(raw, draft, room, min(headers_left, MAX_HEADERS))
        headers_left -= draft.lines
        drafts += draft.children
    for draft in reversed(drafts):
        if draft.children and draft.part is not None:
            children = tuple(child.part for child in draft.children if child.part is not None)
            draft.part = replace(draft.part, children=children)
    root = drafts[0].part
    assert root is not None
    return root


def _read(raw: Raw, draft: _Draft, room: Room, most_headers: int) -> Part:
    """The part without its children, which are left in the draft."""
    head = read_head(raw, draft.span, most_headers)
    draft.lines = head.lines
    defects: list[Defect] = list(head.defects)
    content = _content_of(head.fields)
    defects += content.defects
    if len(head.span) > MAX_HEADER and any(len(one.text) > MAX_HEADER for one in head.fields):
        defects.append(Defect.LIMIT_HEADER)
    media_types = [one.token for one in content.types if _MEDIA_TYPE.fullmatch(one.token)]
    if content.types and not media_types:
        defects.append(Defect.BAD_TYPE)
    media_type = media_types[0] if media_types else draft.default
    encoding = content.encodings[0] if content.encodings else "7bit"
    if encoding not in ENCODINGS:
        defects.append(Defect.UNKNOWN_ENCODING)

    readings = {media_type, *media_types}
    multipart = any(one.startswith("multipart/") for one in readings)
    parameters = merged(content.types)
    if multipart:
        defects += _descend_multipart(raw, draft, head.body, parameters.get("boundary", ()), media_type, room)
        if encoding not in IDENTITY:
            defects.append(Defect.ENCODED_MULTIPART)
    elif readings & MESSAGES:
        defects += _descend_message(draft, head.body, encoding, room)
    if draft.label.endswith(_WHOLE) and not multipart:
        draft.label = f"{draft.prefix}.1"

    names = file_names(merged(content.dispositions), parameters)
    if not draft.children and (encoding in UUENCODE or (media_type.startswith("text/") and encoding in IDENTITY)):
        inside = _files_in_text(raw, head.body)
        names = list(dict.fromkeys([*names, *inside]))[:MAX_NAMES]
        if inside and encoding in IDENTITY:
            defects.append(Defect.UUENCODED_TEXT)

    return Part(
        label=draft.label,
        headers=head.fields,
        head=head.span,
        body=head.body,
        media_type=media_type,
        parameters={name: values[0] for name, values in parameters.items()},
        disposition=next((one.token for one in content.dispositions), ""),
        encoding=encoding,
        names=tuple(names),
        size=len(head.body) if draft.children else decoded_size(raw, head.body, encoding),
        defects=tuple(str(defect) for defect in dict.fromkeys(defects)),
    )


def _content_of(found: Iterable[Field]) -> _Content:
    content = _Content()
    for one in found:
        name = one.name.lower()
        if name == "content-type":
            _add(content, content.types, one.text, Defect.DUPLICATE_TYPE)
        elif name == "content-disposition":
            _add(content, content.dispositions, one.text, Defect.DUPLICATE_DISPOSITION)
        elif name == "content-transfer-encoding":
            word = _ENCODING.search(without_comments(unfolded(one.text)[:MAX_TEXT]).lower())
            if content.encodings:
                content.defects.append(Defect.DUPLICATE_ENCODING)
            content.encodings.append(word[0] if word else "")
    return content


def _add(content: _Content, found: list[Structured], value: bytes, duplicate: Defect) -> None:
    if found:
        content.defects.append(duplicate)
    if len(found) == READINGS:
        content.defects.append(Defect.LIMIT_PARAMETERS)
        return
    found.append(structured(unfolded(value)[: MAX_TEXT + 1]))  # enough to tell that there is more
    if found[-1].cut:
        content.defects.append(Defect.LIMIT_PARAMETERS)


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
        return [Defect.ENCODED_MESSAGE]
    if draft.depth >= MAX_DEPTH:
        return [Defect.LIMIT_DEPTH]
    if room.parts <= 0:
        return [Defect.LIMIT_PARTS]
    room.parts -= 1
    prefix = draft.prefix or "1"
    draft.children.append(_Draft(prefix + _WHOLE, prefix, draft.depth + 1, body))
    return []


def _files_in_text(raw: Raw, body: Span) -> list[str]:
    """Names of uuencoded files within a body."""
    names = []
    for at in islice(occurrences(raw, _UUENCODE_MARK, max(body.start - 1, 0), body.stop), TEXT_MARKS):
        begin = _FILE_IN_TEXT.match(raw[at : min(at + 300, body.stop)])
        if begin:
            names.append(guessed(begin[1]).strip())
    return names
