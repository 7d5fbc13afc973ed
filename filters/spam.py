"""spam: ask rspamd, SpamAssassin and a classifier of our own how much a mail looks like spam, and tell mail to many.

The file before is `gateway/pipeline.py`, which runs this; the file after is `gateway/decide.py`. Each engine gives a
finding of its own, and policies put them together: one that is sure, two that agree. The classifier needs no server; it
weighs words, form and phrases (`_spam/model.py`), and learns from the mails that people call spam or ham: with
`mailwarden learn`, and by what they do with mail that was kept as spam.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

from filters._spam import rspamd, spamd
from filters._spam.answers import Opinion, Symbol
from filters._spam.bulk import Kind, mass
from filters._spam.features import Features, features_of
from filters._spam.http import Address, Server
from filters._spam.learned import Kind as Learned
from filters._spam.learned import Learnt, Lesson, Memory, learn
from filters._spam.model import TAG, Model, load_model
from filters._spam.phrases import Offers, Said
from filters._spam.school import School
from gateway.engines.spread import Engine, EngineFailure, one_answer
from gateway.errors import Unavailable
from gateway.mail import Mail
from gateway.schema.scalars import Duration, Size
from gateway.verdict import Evidence, Finding

GTUBE = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-" + b"TEST-EMAIL*C.34X"
"""The text by which every spam filter can be tried, in two pieces: this file is no spam."""

GTUBE_SCORE = 1000.0

INLINE = 64 * 1024
"""Bytes of a mail that is looked at on the event loop."""

TOLD = 8
"""Symbols told of in the detail of a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score(Finding):
    """What one engine says. `engine` is rspamd, spamd or embedded; `score` its points, `required` the points from which
    it takes mail for spam, and `share` the one divided by the other: from 1 on it is spam for each engine, 2 is twice
    the points. `action` is the engine's own word ("reject", "add header", "spam", "ham"), `symbols` the names of its
    tests that hit, the weightiest first."""

    code: ClassVar[str] = "score"
    engine: str
    score: float
    required: float
    share: float
    action: str
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk(Finding):
    """Mail to many: `kind` is newsletter (bulk headers, or a sending platform), list (a discussion list) or
    advertisement (labelled [QC] or [AD] first in the subject, decree 91/2020). `has_unsubscribe` tells whether there is
    a way to be taken off, `label` is the label as written."""

    code: ClassVar[str] = "bulk"
    kind: Kind
    has_unsubscribe: bool
    label: str


@dataclass(frozen=True, kw_only=True)
class Spam:
    """Asks every kind of engine that is configured: rspamd, spamd, the embedded classifier."""

    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (Score, Bulk)
    READS: ClassVar[bool] = True

    rspamd: tuple[Address, ...] = ()
    """Normal workers of rspamd: "127.0.0.1:11333". Several share the load and stand in for each other."""

    rspamd_required: float = 6.0
    """Points from which rspamd marks mail (`actions.add_header` of its settings): older ones do not tell."""

    spamd: tuple[Address, ...] = ()
    """SpamAssassin's spamd: "127.0.0.1:783", "unix:/run/spamd.sock"."""

    embedded: bool = True
    """Whether the classifier of our own is asked."""

    patience: Duration = Duration(15)
    """How long an engine may take."""

    largest: Size = Size(10_000_000)
    """What is larger is not sent to the engines, which refuse it or take very long: it counts as "could not look"."""

    learned: Path | None = field(default=None, metadata={"memory": True})
    """The file that `mailwarden learn` writes and the classifier reads."""

    learn_released: bool = True
    """Learn as ham what was kept for its score and a person then releases or approves. Needs `learned`."""

    learn_deleted: bool = False
    """Learn as spam what was kept for its score and a person then deletes. For where people delete nothing but spam."""

    never_learn: frozenset[str] = frozenset({"secret_marks"})
    """Filters on whose findings no rule may hold for a mail that is learned so: its words are kept. What a rule with
    `store: never` is for is not learned either."""

    engines: tuple[Engine[Server] | Engine[Address], ...] = field(init=False, repr=False, compare=False)
    _rspamds: tuple[Engine[Server], ...] = field(init=False, repr=False, compare=False)
    _spamds: tuple[Engine[Address], ...] = field(init=False, repr=False, compare=False)
    _model: Model = field(init=False, repr=False, compare=False)
    _offers: Offers = field(init=False, repr=False, compare=False)
    _memory: Memory | None = field(init=False, repr=False, compare=False)
    _school: School | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rspamds = tuple(Engine(f"rspamd-{number}", Server(each)) for number, each in enumerate(self.rspamd, 1))
        spamds = tuple(Engine(f"spamd-{number}", each) for number, each in enumerate(self.spamd, 1))
        for name, value in (
            ("engines", (*rspamds, *spamds)),
            ("_rspamds", rspamds),
            ("_spamds", spamds),
            ("_model", load_model()),
            ("_offers", Offers.load()),
            ("_memory", Memory(self.learned) if self.learned is not None else None),
            ("_school", School(self.learned) if self.learned is not None else None),
        ):
            object.__setattr__(self, name, value)

    async def inspect(self, mail: Mail) -> AsyncIterator[Finding]:
        """One finding for each engine that answered, and one for mail to many. Raises Unavailable at the end where one
        did not answer."""
        if not self.engines and not self.embedded:
            raise Unavailable("no engine is configured: give filters.spam the option rspamd, spamd or embedded")
        reasons: list[str] = []
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._asked(name, mail, reasons)) for name in ("rspamd", "spamd")]
            if sent := mass(mail):
                yield Bulk(
                    kind=sent.kind, has_unsubscribe=sent.has_unsubscribe, label=sent.label, detail=", ".join(sent.why)
                )
            if self.embedded:
                yield await self._own(mail, reasons)
            for task in asked:
                if (finding := await task) is not None:
                    yield finding
        if reasons:
            raise Unavailable("; ".join(reasons))

    async def ping(self) -> str:
        """What the engines say of themselves. Raises Unavailable with those that do not answer."""
        told = ["embedded: answers"] if self.embedded else []
        reasons = []
        for engine in self.engines:
            try:
                async with asyncio.timeout(self.patience):
                    if isinstance(engine.address, Server):
                        said = (await engine.address.ask("GET", "/ping", (), b""))[:20].decode("ascii", "replace")
                    else:
                        said = await spamd.version(engine.address)
                told.append(f"{engine.name}: {said.strip()}")
            except (OSError, EngineFailure) as error:
                reasons.append(f"{engine.name}: {error or type(error).__name__}")
        if reasons:
            raise Unavailable("; ".join(reasons))
        return "; ".join(told)

    def close(self) -> None:
        """End the connections; the filter is not used again."""
        for engine in self._rspamds:
            engine.address.close()

    def learn(self, mails: Iterable[Mail], kind: Learned) -> Learnt:
        """Take the mails, which have been read, as examples of spam or ham. A mail counts once.

        Raises ValueError where no file is configured or the file is damaged, OSError where it cannot be written.
        """
        if self.learned is None:
            raise ValueError("the filter has no option `learned`, which names the file")
        return learn(self.learned, [self._lesson(mail) for mail in mails], kind)

    def learns(self, deed: Literal["released", "deleted"], found: frozenset[str]) -> bool:
        """True for mail that was kept for its score, as the options want it."""
        wanted = self.learn_released if deed == "released" else self.learn_deleted
        return wanted and self._school is not None and Score.code in found

    async def corrected(self, mail: Mail, deed: Literal["released", "deleted"]) -> None:
        """Learn the mail, which has been read, from what a person did with it. Raises ValueError, OSError."""
        if self._school is not None:
            lesson = self._lesson(mail) if mail.size <= INLINE else await asyncio.to_thread(self._lesson, mail)
            await self._school.take(lesson, "ham" if deed == "released" else "spam")

    async def _features(self, mail: Mail) -> Features:
        """The features; of a large mail in a thread, although they are taken from its first pages."""
        if mail.size <= INLINE:
            return features_of(mail, self._offers)
        return await asyncio.to_thread(features_of, mail, self._offers)

    def _lesson(self, mail: Mail) -> Lesson:
        features = features_of(mail, self._offers)
        return Lesson(hashlib.sha256(mail.raw[:]).hexdigest(), frozenset({*features.words, *features.form}))

    async def _asked(self, name: str, mail: Mail, reasons: list[str]) -> Finding | None:
        """The finding of one kind of engine, None where there is none or it could not look."""
        configured = self._rspamds if name == "rspamd" else self._spamds
        if not configured:
            return None
        if mail.size > self.largest:
            reasons.append(f"{name}: the message is larger than {self.largest} bytes")
            return None
        try:
            if name == "rspamd":
                question = partial(rspamd.asked, mail=mail, required=self.rspamd_required)
                opinion = await one_answer(self._rspamds, question, self.patience)
            else:
                opinion = await one_answer(self._spamds, partial(spamd.asked, mail=mail), self.patience)
        except Unavailable as error:
            reasons.append(str(error))
            return None
        return _finding(name, opinion)

    async def _own(self, mail: Mail, reasons: list[str]) -> Finding:
        """The classifier's finding."""
        if any(GTUBE.decode() in text.content for text in mail.reading.texts):
            return _finding("embedded", Opinion(GTUBE_SCORE, TAG, "spam", (Symbol("GTUBE", GTUBE_SCORE),)))
        features = await self._features(mail)
        learned = {}
        if self._memory is not None:
            try:
                if self._memory.stale:
                    await asyncio.to_thread(self._memory.refresh)
            except (ValueError, OSError) as error:
                reasons.append(f"embedded: {error}")
            learned = self._memory.experience.points({*features.words, *features.form})
        judged = self._model.judge(features, learned)
        symbols = tuple(Symbol(name, round(points, 2)) for name, points in judged.parts)
        action = "spam" if judged.score >= TAG else "ham"
        return _finding(
            "embedded", Opinion(judged.score, TAG, action, symbols), tuple(_evidence(features.said.values()))
        )


def _finding(engine: str, opinion: Opinion, evidence: tuple[Evidence, ...] = ()) -> Score:
    return Score(
        engine=engine,
        score=opinion.score,
        required=opinion.required,
        share=round(opinion.score / opinion.required, 2) if opinion.required > 0 else 0.0,
        action=opinion.action,
        symbols=tuple(symbol.name for symbol in opinion.symbols),
        detail=", ".join(_told(symbol) for symbol in opinion.symbols[:TOLD]),
        evidence=evidence,
    )


def _told(symbol: Symbol) -> str:
    return f"{symbol.name}({symbol.score:g}){f' [{symbol.told}]' if symbol.told else ''}"


def _evidence(said: Iterable[Said]) -> Iterator[Evidence]:
    for each in said:
        first, last = each.text.plain.original(each.start, each.stop)
        yield Evidence(each.text.place, first, " ".join(each.text.content[first:last].split())[:80])
