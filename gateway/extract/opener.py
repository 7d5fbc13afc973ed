"""A mail to its reading: what its parts hold, and all files inside them.

The file before is `gateway/pipeline.py`, which asks for it where a filter wants to know; the file after is
`gateway/extract/message.py`, which goes through the parts, and `sandbox.py`, which has files opened.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from gateway.extract import recognise
from gateway.extract.cache import Cache, placed
from gateway.extract.formats import Member
from gateway.extract.frames import Broken, Done, assembled
from gateway.extract.job import Task
from gateway.extract.message import contents
from gateway.extract.opening import MAX_NAMES, START
from gateway.extract.room import LINKS, TEXT
from gateway.extract.sandbox import Answer, Sandbox
from gateway.extract.witness import natures
from gateway.limits import FileReading
from gateway.mail import Mail
from gateway.mime.kinds import IMAGE_KINDS, MEDIA_KINDS, SNIFFED, kind_of
from gateway.mime.names import last_extensions
from gateway.reading import Blind, File, Link, Reading, Reason, Text, Trait, Zone

IN_PLACE = 64 * 1024
"""Bytes of a mail whose parts are gone through on the event loop; of a bigger one in a thread."""

KEEP = 32 * 1024 * 1024
"""Bytes of inner files of a mail that are kept for filters that scan them."""

PICTURES = 16 * 1024 * 1024
"""Bytes of pictures inside files of a mail that are kept to be recognised."""

MAX_PICTURES = 10
"""Pictures of a mail that are recognised: each takes a second of a processor."""

PICTURE_FLOOR = 3 * 1024
"""Bytes below which a picture is an icon or a line, and holds no text."""

PICTURE_SECONDS = 20.0

_PLAIN_TYPES = frozenset({"image", "audio", "video"})
_RECOGNISED = frozenset({"png", "jpeg", "tiff", "gif", "bmp", "webp"})


@dataclass(slots=True)
class _Budget:
    """What is left for the files of one mail."""

    until: float
    unfolded: int
    files: int
    keep: int
    text: int = TEXT
    links: int = LINKS
    pictures: int = MAX_PICTURES


class Opener:
    """Opens mails. The process that reads files is started with the first file; `async with` ends it.

    `counted` hears of each file: read, cached (known already), plain (nothing can be in it), or the Reason for which
    its reader came to no good end.
    """

    def __init__(self, settings: FileReading, counted: Callable[[str], None] = lambda outcome: None) -> None:
        self.cache = Cache(settings.cache)
        self.sandbox = Sandbox(
            processes=settings.processes, memory=settings.memory, strict=settings.system_call_filter == "required"
        )
        self._settings = settings
        self._counted = counted
        self._ocr = settings.ocr and shutil.which(recognise.PROGRAM) is not None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.sandbox.close()

    async def open(self, mail: Mail, *, deadline: float, scanned: bool = False) -> Reading:
        """What the mail holds; with `scanned`, inner files with their content as far as there is room.

        Raises Unavailable where files cannot be read at all: nothing of it is a reading then.
        """
        settings = self._settings
        budget = _Budget(
            until=min(deadline, asyncio.get_running_loop().time() + settings.seconds),
            unfolded=settings.unfolded,
            files=settings.files,
            keep=KEEP if scanned else 0,
        )
        parts = contents(mail.raw, mail.root)
        readings: list[Reading] = []
        while True:  # one at a time: no more of a large mail is decoded at once
            one = next(parts, None) if mail.size <= IN_PLACE else await asyncio.to_thread(next, parts, None)
            if one is None:
                return _together(readings)
            reading = await self._file(one, budget, deadline) if isinstance(one, Member) else _as_reading(one)
            readings.append(reading)

    async def _file(self, member: Member, budget: _Budget, deadline: float) -> Reading:
        place = member.place_in("")
        content = member.content
        if content is None:
            file = File(place=place, names=member.names, media_type=member.media_type, size=member.size)
            return _with_names(Reading(files=(file,), blind=(_blind(member, place),)))
        digest = hashlib.sha256(content).hexdigest()
        claims = (*last_extensions(member.names), member.media_type, member.charset)
        key = (digest, "scanned" if budget.keep else "", *claims)
        reading = self.cache.get(key)
        if reading is not None:
            self._counted("cached")
        else:
            if _plain(member, content):
                self._counted("plain")
                reading = Reading(files=(_seen(member, content, digest),))
            else:
                answer = await self._asked(replace(member, names=member.names[:MAX_NAMES]), budget, deadline)
                self._counted(answer.ended.value if answer.ended else "read")
                reading = _reading_of(answer, member, content, digest)
            if self._ocr:
                reading = await self._recognised(reading, content, budget, deadline)
            self.cache.put(key, reading)
        result = placed(reading, place, member.names, member.media_type)
        if member.reason is not None:
            result += Reading(blind=(_blind(member, place),))
        return _with_names(result)

    async def _asked(self, member: Member, budget: _Budget, deadline: float) -> Answer:
        loop = asyncio.get_running_loop()
        seconds = budget.until - loop.time()
        if seconds <= 0:
            return Answer((), Reason.TIMED_OUT, "the time for this message's files is over")
        settings = self._settings
        answer = await self.sandbox.read(
            Task(
                what="open",
                file=member,
                unfolded=max(budget.unfolded, 0),
                member=settings.member,
                files=max(budget.files, 0),
                depth=settings.depth,
                text=max(budget.text, 0),
                links=max(budget.links, 0),
                seconds=seconds,
                keep=max(budget.keep, 0),
                pictures=PICTURES if self._ocr else 0,
            ),
            deadline=deadline,
        )
        for told in answer.told:
            match told:
                case Done():
                    budget.unfolded -= told.unfolded
                    budget.files -= told.files
                case Text():
                    budget.text -= len(told.content)
                case Link():
                    budget.links -= 1
                case File():
                    budget.keep -= len(told.content or b"")
        return answer

    async def _recognised(self, reading: Reading, content: bytes, budget: _Budget, deadline: float) -> Reading:
        """The reading with the texts of the pictures in it."""
        loop = asyncio.get_running_loop()
        for file in reading.files:
            picture = file.content if file.depth else content
            if file.kind not in _RECOGNISED or file.size < PICTURE_FLOOR or picture is None:
                continue
            budget.pictures -= 1
            if budget.pictures < 0:
                reason, detail = Reason.TOO_MANY, f"more than {MAX_PICTURES} pictures to recognise"
                return reading + Reading(blind=(Blind(place=file.place, reason=reason, detail=detail),))
            seconds = min(PICTURE_SECONDS, deadline - loop.time())
            task = Task(what="recognise", file=Member(content=picture), seconds=max(seconds, 0.1))
            answer = await self.sandbox.read(task, deadline=deadline)
            texts = tuple(replace(one, place=file.place) for one in answer.told if isinstance(one, Text))
            blind = [replace(one, place=file.place) for one in answer.told if isinstance(one, Blind)]
            if answer.ended is not None:
                blind.append(Blind(place=file.place, reason=answer.ended, detail=answer.detail))
            reading += Reading(texts=texts, blind=tuple(blind))
        return reading


def _reading_of(answer: Answer, member: Member, content: bytes, digest: str) -> Reading:
    """What was told of a file, and why no more was. The file itself is in it whatever happened."""
    try:
        reading = assembled(list(answer.told))
    except Broken as broken:
        reading = Reading(blind=(Blind(place="", reason=Reason.CRASHED, detail=str(broken)),))
    if not any(file.depth == 0 for file in reading.files):
        reading = Reading(files=(_seen(member, content, digest),)) + reading
    if answer.ended is not None:
        reading += Reading(blind=(Blind(place="", reason=answer.ended, detail=answer.detail),))
    return reading


def _plain(member: Member, content: bytes) -> bool:
    """True for a picture, sound or film in which no program sees anything else: most are logos, and need no process."""
    kind = kind_of(content[:SNIFFED])
    if kind not in IMAGE_KINDS | MEDIA_KINDS or member.media_type.partition("/")[0] not in _PLAIN_TYPES:
        return False
    return len(list(natures(content, kind, member.names, member.media_type))) == 1


def _seen(member: Member, content: bytes, digest: str) -> File:
    """A file as far as it is seen from outside."""
    return File(
        place="",
        names=member.names,
        kind=kind_of(content[:SNIFFED]),
        media_type=member.media_type,
        size=len(content),
        start=content[:START],
        digest=digest,
    )


def _with_names(reading: Reading) -> Reading:
    """The names of files are texts too."""
    names = tuple(
        Text(place=file.place, zone=Zone.FILE_NAME, content=name, kind="name")
        for file in reading.files
        for name in file.names
    )
    return Reading(texts=names) + reading


def _as_reading(found: Text | Link | Trait | Blind) -> Reading:
    match found:
        case Text():
            return Reading(texts=(found,))
        case Link():
            return Reading(links=(found,))
        case Blind():
            return Reading(blind=(found,))
        case Trait():  # of the mail's own HTML: there is no file that has it
            return Reading()


def _together(readings: list[Reading]) -> Reading:
    return Reading(
        texts=tuple(text for each in readings for text in each.texts),
        links=tuple(link for each in readings for link in each.links),
        files=tuple(file for each in readings for file in each.files),
        blind=tuple(dict.fromkeys(blind for each in readings for blind in each.blind)),
    )


def _blind(member: Member, place: str) -> Blind:
    return Blind(place=place, reason=member.reason or Reason.UNSUPPORTED, detail=member.detail)
