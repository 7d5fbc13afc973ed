"""virus: ask clamd, YARA rules and lists of digests about the whole message and about every file in it.

The file before is `gateway/pipeline.py`, which runs this; the file after is `gateway/decide.py`. The whole message is
scanned and each decoded part and archive member besides: what clamd's own MIME reader would miss is scanned all the
same. "Clean" is only what an engine called clean; no answer, a limit or nonsense is "could not look".
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import ClassVar, Literal

from filters._clamd.control import describe
from filters._clamd.daemon import Daemon
from filters._clamd.session import Address
from filters._virus.digests import Digests
from filters._yara import Rules
from gateway.engines.spread import Engine, EngineFailure, every_answer, one_answer
from gateway.errors import Unavailable
from gateway.mail import Mail, Part, Raw
from gateway.mime.decode import IDENTITY
from gateway.mime.enclosed import readings
from gateway.mime.scan import windows
from gateway.schema.scalars import Duration, Size
from gateway.verdict import Evidence, Finding

AT_ONCE = 8
"""Scans of one message on their way at the same time; a mail with a thousand parts must not take all of clamd."""

KNOWN = 10_000
"""Digests of content that was clean a moment ago: a mail to 300 people, a file forwarded, a logo in every signature."""

KNOWN_FOR = 300.0
"""Seconds for which clean stays clean: clamd loads new signatures every few hours, an outbreak is minutes old."""

INLINE = 64 * 1024
"""Bytes of a mail whose parts are decoded on the event loop."""

CHUNK = 128 * 1024
"""Bytes sent to clamd at a time."""

NOTHING_CONFIGURED = "no scanner is configured: give filters.virus the option clamd, yara or digests"

HEURISTIC = ("Heuristics.", "PUA.")
"""Beginnings of names by which clamd says that something is odd rather than known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Infected(Finding):
    """Known malware. `signature` is its name, `engine` which one knew it ("clamd", "yara", "digests"), `place` where
    it is ("" is the message as a whole), `digest` the SHA-256 of the file in hex."""

    code: ClassVar[str] = "infected"
    signature: str
    engine: str
    place: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicious(Finding):
    """What clamd finds odd (its names begin with Heuristics or PUA: encrypted archives, macros, phishing). Fields as
    for infected."""

    code: ClassVar[str] = "suspicious"
    signature: str
    engine: str
    place: str
    digest: str


@dataclass(slots=True, eq=False)
class _Clean:
    """Digests that were called clean, and until when that is believed; the oldest are forgotten first."""

    until: OrderedDict[str, float] = field(default_factory=OrderedDict)

    def __contains__(self, digest: str) -> bool:
        return self.until.get(digest, 0.0) > time.monotonic()

    def add(self, digest: str) -> None:
        self.until[digest] = time.monotonic() + KNOWN_FOR
        self.until.move_to_end(digest)
        while len(self.until) > KNOWN:
            self.until.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Something to scan: where it is, how long, its digest ("" for the whole message). Its bytes are decoded anew each
    time, so that of a large mail only what is being scanned is in memory."""

    place: str
    size: int
    digest: str
    content: Callable[[], Raw]

    def chunks(self) -> Iterator[bytes]:
        """The bytes in the pieces that are sent."""
        return windows(self.content(), 0, self.size, CHUNK)


@dataclass(frozen=True, kw_only=True)
class Virus:
    """Scans with clamd and YARA, and knows files by their digests. With none of these configured it cannot look, and
    says so; digests alone find what was found before, byte for byte."""

    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (Infected, Suspicious)
    READS: ClassVar[bool] = True

    clamd: tuple[Address, ...] = ()
    """Where clamd listens: "unix:/run/clamav/clamd.ctl", "127.0.0.1:3310". Several share the load and stand in for each
    other."""

    agree: Literal["one", "most", "all"] = "one"
    """How many of several daemons must have looked: one of them, most, or all (where their signatures differ)."""

    patience: Duration = Duration(30)
    """How long one scan may take."""

    largest: Size = Size(100_000_000)
    """What is larger is not sent: clamd's StreamMaxLength (100 MB by default) would end the session. It counts as
    "could not look"."""

    yara: Path | None = None
    """A folder of YARA rules (*.yar, *.yara), or one file of them."""

    digests: Path | None = None
    """A folder of lists of digests (*.sha256, *.txt), or one list: a line for each file that nobody shall have, its
    SHA-256 and, if wanted, its name, as sha256sum(1) writes them."""

    engines: tuple[Engine[Daemon], ...] = field(init=False, repr=False, compare=False)
    _rules: Rules | None = field(init=False, repr=False, compare=False)
    _digests: Digests = field(init=False, repr=False, compare=False)
    _clean: _Clean = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        engines = tuple(Engine(f"clamd-{number}", Daemon(address)) for number, address in enumerate(self.clamd, 1))
        object.__setattr__(self, "engines", engines)
        object.__setattr__(self, "_rules", Rules.load(self.yara) if self.yara is not None else None)
        object.__setattr__(self, "_digests", Digests.load(self.digests) if self.digests is not None else Digests({}))
        object.__setattr__(self, "_clean", _Clean())

    @property
    def SCANS(self) -> bool:
        """Whether the content of files is wanted, and not only their digests."""
        return bool(self.engines or self._rules)

    @property
    def shortfall(self) -> str:
        """What an operator should know although it can look, "" if nothing."""
        if self.engines or not (self._rules or self.digests):
            return ""
        return "no virus scanner is asked: only what is listed or has a rule of your own is found"

    async def inspect(self, mail: Mail) -> AsyncIterator[Finding]:
        """What is found, as the answers come. Raises Unavailable at the end where something was not scanned."""
        if not self.SCANS and self.digests is None:
            raise Unavailable(NOTHING_CONFIGURED)
        for finding in self._known(mail):
            yield finding
        if not self.SCANS:
            return
        reasons: list[str] = []
        free = asyncio.Semaphore(AT_ONCE)

        async def scan(piece: _Piece) -> list[Finding]:
            async with free:
                return await self._scan(piece, reasons)

        pieces = self._pieces(mail)
        listed = list(pieces) if mail.size <= INLINE else await asyncio.to_thread(list, pieces)
        async with asyncio.TaskGroup() as group:
            scans = [group.create_task(scan(piece)) for piece in listed]
            for next_done in asyncio.as_completed(scans):
                for finding in await next_done:
                    yield finding
        if reasons:
            raise Unavailable("; ".join(dict.fromkeys(reasons)))

    async def ping(self) -> str:
        """What the daemons say of themselves: version, signatures and their age; and what is known without them.
        Raises Unavailable."""
        if not self.SCANS and self.digests is None:
            raise Unavailable(NOTHING_CONFIGURED)
        told = [f"{engine.name}: {await describe(engine.address.address)}" for engine in self.engines]
        told += ["YARA rules"] if self._rules is not None else []
        told += [f"{len(self._digests.names)} digests"] if self.digests is not None else []
        return "; ".join(told)

    def close(self) -> None:
        """End the sessions; the filter is not used again."""
        for engine in self.engines:
            engine.address.close()

    def _known(self, mail: Mail) -> Iterator[Finding]:
        """What the lists have, of the files in each way in which some program decodes them."""
        for file in mail.reading.files:
            if file.digest and (name := self._digests.name_of(file.digest)):
                where = (Evidence(file.place, 0, name),)
                yield Infected(signature=name, engine="digests", place=file.place, digest=file.digest, evidence=where)

    def _pieces(self, mail: Mail) -> Iterator[_Piece]:
        """The message, then every file and decoded part that differs from what the message shows as it is."""
        yield _Piece("", mail.size, "", lambda: mail.raw)
        seen: set[str] = set()
        for place, content in _contents(mail):
            data = content()
            digest = hashlib.sha256(data).hexdigest()
            if digest not in seen and digest not in self._clean:
                seen.add(digest)
                yield _Piece(place, len(data), digest, content)

    async def _scan(self, piece: _Piece, reasons: list[str]) -> list[Finding]:
        if piece.size > self.largest:
            reasons.append(f"{piece.place or 'the message'} is larger than {self.largest} bytes")
            return []
        found: list[Finding] = []
        try:
            if self.engines:
                found += [_finding(engine, said, piece) for engine, said in await self._answers(piece) if said != "OK"]
            if self._rules is not None:
                found += [
                    Infected(signature=rule, engine="yara", place=piece.place, digest=piece.digest)
                    for rule in await asyncio.to_thread(self._rules.matches, piece.content()[:])
                ]
        except Unavailable as error:
            reasons.append(str(error))
        else:
            if not found and piece.digest:
                self._clean.add(piece.digest)
        return found

    async def _answers(self, piece: _Piece) -> list[tuple[str, str]]:
        """What the daemons say: "OK" or "NAME FOUND", by engine. Raises Unavailable where too few have looked."""

        async def ask(daemon: Daemon) -> str:
            said = await daemon.scan(piece.chunks())
            if said != "OK" and not said.endswith(" FOUND"):
                raise EngineFailure(said[:200])
            return said

        if self.agree == "one":
            return [("clamd", await one_answer(self.engines, ask, self.patience))]
        answers, reasons = await every_answer(self.engines, ask, self.patience)
        enough = len(self.engines) if self.agree == "all" else len(self.engines) // 2 + 1
        if len(answers) < enough and all(said == "OK" for _, said in answers):
            raise Unavailable("; ".join(reasons))
        return answers


def _contents(mail: Mail) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Each part's bytes in every way in which some program decodes them, and each file's inside, with its place."""
    for part in mail.root.walk():
        for number, one in enumerate(readings(mail.raw, part)):
            if one.encoding not in IDENTITY:
                yield part.label, partial(_reading, mail.raw, part, number)
    for file in mail.reading.files:
        if file.content is not None:
            yield file.place, partial(bytes, file.content)


def _reading(raw: Raw, part: Part, number: int) -> bytes:
    return next(islice(readings(raw, part), number, None)).content


def _finding(engine: str, said: str, piece: _Piece) -> Finding:
    signature = said.removesuffix(" FOUND")
    kind = Suspicious if signature.startswith(HEURISTIC) else Infected
    where = (Evidence(piece.place, 0, signature),)
    return kind(signature=signature, engine=engine, place=piece.place, digest=piece.digest, evidence=where)


