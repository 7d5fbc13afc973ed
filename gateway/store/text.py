"""Text as the database compares it, and moments as it orders them."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

COMPARED = 512
"""Characters of a column that is compared: an address has at most 320 (RFC 3696, errata 1690); the rest is not lost,
it is in the entry or record itself."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def storable(text: str) -> str:
    """The text with what UTF-8 cannot carry (the surrogates of undecodable bytes) written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def folded(text: str) -> str:
    """The text as it is compared: one Unicode form, no case, clipped. Both what is stored and what is asked for."""
    if text.isascii():
        return text.lower()[:COMPARED]
    return storable(unicodedata.normalize("NFC", text).casefold())[:COMPARED]


def clipped(text: str) -> str:
    """The text as it is compared where case counts: ids and words of ours."""
    return (text if text.isascii() else storable(text))[:COMPARED]


def microseconds(moment: datetime) -> int:
    """Since 1970 in UTC."""
    return (moment.astimezone(UTC) - EPOCH) // MICROSECOND


def moment_of(count: int) -> datetime:
    """The moment of that many microseconds, in UTC."""
    return EPOCH + timedelta(microseconds=count)
