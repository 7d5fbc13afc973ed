"""One file opened in this process, as the sandboxed one would."""

from __future__ import annotations

from gateway.extract.formats import Member
from gateway.extract.frames import assembled
from gateway.extract.opening import Opening
from gateway.extract.room import Room
from gateway.reading import Reading


def opened(data: bytes, *names: str, room: Room | None = None, media_type: str = "") -> Reading:
    member = Member(names=names, content=data, media_type=media_type)
    return assembled(list(Opening(room or Room()).open(member, "", 0)))


def blind(reading: Reading) -> set[tuple[str, str]]:
    return {(each.place, each.reason.value) for each in reading.blind}


def kinds(reading: Reading) -> dict[str, str]:
    return {file.place: file.kind for file in reading.files if file.depth}
