"""What programs show of a mail beside its parts by the book: a payload hidden by each trick is found, or said to be
out of sight."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.mime.enclosed import Content, Enclosure, enclosures, is_message, readings, within
from gateway.mime.parse import parse
from gateway.reading import Reason

from .tricks import NEEDLE, TRICKS

DEPTH = 8
UNSEEN = {
    "message/partial": Reason.FRAGMENT,
    "message/external-body": Reason.ELSEWHERE,
    "multipart/encrypted": Reason.ENCRYPTED,
    "S/MIME encrypted": Reason.ENCRYPTED,
    "PGP armour, encrypted": Reason.ENCRYPTED,
}



def everything(raw: bytes, depth: int = 0) -> Iterator[Content | Enclosure]:
    """All that can be read in a message, as the opener asks for it."""
    for part in parse(raw).walk():
        for reading in readings(raw, part):
            yield reading
            for media_type in reading.media_types:
                yield from looked_into(reading.content, media_type, part.names, depth + 1)
        for one in enclosures(raw, part):
            yield one
            yield from looked_into(one.content, one.media_type, one.names, depth + 1)


def looked_into(
    content: bytes, media_type: str, names: tuple[str, ...], depth: int
) -> Iterator[Content | Enclosure]:
    if depth > DEPTH:
        return
    if is_message(content, media_type, names):
        yield from everything(content, depth)
    for one in within(content, media_type, names):
        yield one
        yield from looked_into(one.content, one.media_type, one.names, depth + 1)


@pytest.mark.parametrize("trick", TRICKS)
def test_the_payload_is_found_or_said_to_be_out_of_sight(trick: str) -> None:
    found = list(everything(TRICKS[trick]))
    blind = {one.blind for one in found if isinstance(one, Enclosure)}
    if trick in UNSEEN:
        assert UNSEEN[trick] in blind
    else:
        assert blind <= {None}
        assert any(NEEDLE in one.content for one in found)
