"""Files inline in iCalendar and vCard objects (RFC 5545 section 3.8.1.1, RFC 2426 section 2.4.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.mime.decode import lenient_base64
from gateway.mime.enclosure import MAX_ENCLOSURES, Enclosure, Means
from gateway.reading import Reason
from gateway.text.charsets import guessed

_STARTS = (b"begin:vcalendar", b"begin:vcard", b"begin:icalendar")
_STARTS_WITHIN = 1_024
_FOLDS = (b"\r\n ", b"\n ", b"\r\n\t", b"\n\t")
_INLINE = re.compile(
    rb"^(?:ATTACH|PHOTO|LOGO|SOUND|KEY|IMAGE|X-[A-Z-]{1,40})((?:;[^:\n]{0,400})?):(?:data:[^,\n]{0,100},)?([A-Za-z0-9+/=]{8,})",
    re.IGNORECASE | re.MULTILINE,
)
_NAME = re.compile(rb'(?:X-FILENAME|FILENAME|X-APPLE-FILENAME|X-LABEL)="?([^;:"\r\n]{1,255})', re.IGNORECASE)
_TYPE = re.compile(rb"FMTTYPE=\"?([!-~]{1,100}?)[\";:]", re.IGNORECASE)


def inline_files(text: bytes) -> Iterator[Enclosure]:
    """The files within a calendar or a card, decoded."""
    if not any(start in text[:_STARTS_WITHIN].lower() for start in _STARTS):
        return
    for fold in _FOLDS:
        text = text.replace(fold, b"")
    for number, found in enumerate(_INLINE.finditer(text), 1):
        if number > MAX_ENCLOSURES:
            yield Enclosure(suffix="calendar", how=Means.CALENDAR, blind=Reason.TOO_MANY)
            return
        name, declared = _NAME.search(found[1]), _TYPE.search(found[1] + b";")
        yield Enclosure(
            suffix=f"calendar-{number}",
            how=Means.CALENDAR,
            content=lenient_base64(found[2]),
            names=(guessed(name[1]),) if name else (),
            media_type=guessed(declared[1]).lower() if declared else "",
        )
