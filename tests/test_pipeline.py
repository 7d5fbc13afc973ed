"""The pipeline: filters run under one deadline, and "could not look" is never "found nothing"."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from gateway.errors import Unavailable
from gateway.mail import Client, Envelope, Mail, Recipient
from gateway.mime.parse import parse
from gateway.pipeline import INLINE, OpenMail, examine
from gateway.reading import Reading, Text, Zone
from gateway.verdict import Finding, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen(Finding):
    """Something was seen."""

    code: ClassVar[str] = "seen"
    what: str


@dataclass(frozen=True)
class Pure:
    """Finds something, then ends as it is told."""

    FINDINGS: ClassVar = (Seen,)
    end: Exception | None = None

    def inspect(self, mail: Mail) -> Iterator[Finding]:
        yield Seen(what="first")
        if self.end:
            raise self.end


@dataclass(frozen=True)
class Net:
    """The same over a network."""

    FINDINGS: ClassVar = (Seen,)
    end: Exception | None = None
    hangs: bool = False

    async def inspect(self, mail: Mail) -> AsyncIterator[Finding]:
        yield Seen(what="first")
        if self.hangs:
            await asyncio.Event().wait()
        if self.end:
            raise self.end


ENDS = {
    "it ends well": (None, ""),
    "it could not look": (Unavailable("the scanner is down"), "unavailable"),
    "it has a bug": (KeyError("secret"), "bug"),
    "something in it timed out": (TimeoutError(), "deadline"),
}


def mail(size: int = 10) -> Mail:
    raw = b"Subject: x\r\n\r\n" + b"a" * size
    return Mail(
        id="01ARZ3NDEKTSV4RRFF",
        listener="inbound",
        received=datetime.now(UTC),
        client=Client(),
        envelope=Envelope("a@example.org", (Recipient("b@example.gov.vn"),)),
        inside=False,
        raw=raw,
        root=parse(raw),
    )


async def never(mail: Mail, *, deadline: float, scanned: bool = False) -> Reading:
    """Opens no mail: nobody should have asked."""
    raise AssertionError


async def reports(
    filters: dict[str, Any], of: Mail, seconds: float = 10, opening: OpenMail = never
) -> tuple[tuple[Report, ...], list[Report]]:
    observed: list[Report] = []
    deadline = asyncio.get_running_loop().time() + seconds
    return await examine(filters, of, deadline=deadline, observe=observed.append, open_mail=opening), observed


@pytest.mark.parametrize(("end", "failure"), ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("kind", [Pure, Net])
@pytest.mark.parametrize("size", [10, INLINE + 1], ids=["small", "large"])
async def test_what_was_found_before_a_failure_counts(
    kind: Any, end: Exception | None, failure: str, size: int
) -> None:
    [report], observed = await reports({"it": kind(end)}, mail(size))
    assert (report.findings, report.failure) == ((Seen(what="first"),), failure)
    assert observed == [report]
    assert "secret" not in report.reason


async def test_a_filter_that_hangs_does_not_hold_up_the_others() -> None:
    (slow, quick), _ = await reports({"slow": Net(hangs=True), "quick": Pure()}, mail(), seconds=0.05)
    assert (slow.filter, slow.failure, slow.findings) == ("slow", "deadline", (Seen(what="first"),))
    assert (quick.filter, quick.failure) == ("quick", "")


async def test_no_filters_no_reports() -> None:
    assert await reports({}, mail()) == ((), [])


@dataclass(frozen=True)
class Reads:
    """Tells what it read."""

    FINDINGS: ClassVar = (Seen,)
    READS: ClassVar = True

    def inspect(self, mail: Mail) -> Iterator[Finding]:
        for text in mail.reading.texts:
            yield Seen(what=text.content)


async def test_a_mail_is_opened_once_for_all_filters_that_read_and_the_others_need_not_wait() -> None:
    opened: list[bool] = []
    looked = asyncio.Event()

    class Quick(Pure):
        def inspect(self, mail: Mail) -> Iterator[Finding]:
            looked.set()
            return super().inspect(mail)

    async def opening(mail: Mail, *, deadline: float, scanned: bool = False) -> Reading:
        opened.append(scanned)
        await looked.wait()
        return Reading(texts=(Text(place="", zone=Zone.BODY, content="inside"),))

    found, _ = await reports({"a": Reads(), "b": Quick(), "c": Reads()}, mail(), opening=opening)
    assert [report.findings[0].what for report in found] == ["inside", "first", "inside"]  # type: ignore[attr-defined]
    assert opened == [False]


OPENINGS = {
    "files cannot be read": (Unavailable("the sandbox is down"), "unavailable", "the sandbox is down"),
    "opening takes too long": (TimeoutError(), "deadline", "the mail was not opened in time"),
    "opening has a bug": (KeyError("secret"), "bug", "an error in opening the mail; see the log"),
}


@pytest.mark.parametrize(("error", "failure", "reason"), OPENINGS.values(), ids=OPENINGS)
async def test_a_mail_that_cannot_be_opened_is_not_an_empty_one(error: Exception, failure: str, reason: str) -> None:
    async def opening(mail: Mail, *, deadline: float, scanned: bool = False) -> Reading:
        raise error

    (blind, sees), _ = await reports({"reads": Reads(), "sees": Pure()}, mail(), opening=opening)
    assert (blind.failure, blind.reason, blind.findings) == (failure, reason, ())
    assert sees.failure == ""
