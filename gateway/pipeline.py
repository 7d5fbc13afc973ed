"""A mail in, a verdict out: runs the filters that the policy needs, under one deadline, and decides nothing itself.

The file before is `gateway/mail.py`, which says what a mail is; the file after is a filter, `filters/attachments.py`,
and then `gateway/decide.py`, which makes a verdict of the reports.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Protocol, cast

import structlog

from gateway import decide
from gateway.errors import Unavailable
from gateway.mail import Mail
from gateway.policy.model import Policy
from gateway.reading import Reading
from gateway.verdict import Filter, Finding, Report, Verdict

INLINE = 64 * 1024
"""Bytes of a mail whose pure filters run on the event loop: below it they end before a thread would have started."""

Observe = Callable[[Report], None]


class OpenMail(Protocol):
    """What `gateway.extract.opener.Opener.open` does."""

    async def __call__(self, mail: Mail, *, deadline: float, scanned: bool = False) -> Reading:
        """What the mail holds. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class _NotOpened:
    """Why nobody could read the mail, in the words of a report."""

    failure: str
    reason: str


log = structlog.get_logger()


async def judge(
    policy: Policy, mail: Mail, *, deadline: float, observe: Observe, open_mail: OpenMail
) -> Verdict:
    """What the policy says of the mail.

    `deadline` is a time of the loop's clock; filters that miss it "could not look". `observe` is called with each
    report (metrics). `open_mail` is asked once, and only where a needed filter declares `READS`.
    """
    filters = {name: policy.filters[name] for name in decide.needed(policy, mail)}
    reports = await examine(filters, mail, deadline=deadline, observe=observe, open_mail=open_mail)
    return decide.decide(policy, mail, reports)


async def examine(
    filters: dict[str, Filter], mail: Mail, *, deadline: float, observe: Observe, open_mail: OpenMail
) -> tuple[Report, ...]:
    """One report for each filter, in the order given, whichever ends first. Those that read wait for the mail to be
    opened, the others do not; where it cannot be opened, those that read could not look."""
    readers = {name for name, each in filters.items() if getattr(each, "READS", False)}
    if len(filters) == 1 and not readers:  # most mail is looked at by one filter, and a task costs time
        [(name, each)] = filters.items()
        reports: tuple[Report, ...] = (await _report(name, each, mail, deadline),)
    else:
        async with asyncio.TaskGroup() as group:
            scanned = any(getattr(each, "SCANS", False) for each in filters.values())
            opened = group.create_task(_opened(mail, deadline, open_mail, scanned)) if readers else None
            tasks = [
                group.create_task(_after(opened, name, each, deadline))
                if opened is not None and name in readers
                else group.create_task(_report(name, each, mail, deadline))
                for name, each in filters.items()
            ]
        reports = tuple(task.result() for task in tasks)
    for report in reports:
        observe(report)
    return reports


async def _opened(mail: Mail, deadline: float, open_mail: OpenMail, scanned: bool) -> Mail | _NotOpened:
    """The mail with its reading, or why it has none."""
    if mail.opened is not None:
        return mail
    try:
        async with asyncio.timeout_at(deadline):
            return replace(mail, opened=await open_mail(mail, deadline=deadline, scanned=scanned))
    except Unavailable as error:
        return _NotOpened("unavailable", str(error))
    except TimeoutError:
        return _NotOpened("deadline", "the mail was not opened in time")
    except Exception:
        log.exception("mail not opened", id=mail.id)
        return _NotOpened("bug", "an error in opening the mail; see the log")


async def _after(opened: asyncio.Task[Mail | _NotOpened], name: str, each: Filter, deadline: float) -> Report:
    """The report of a filter that reads."""
    mail = await opened
    if isinstance(mail, _NotOpened):
        return Report(name, failure=mail.failure, reason=mail.reason)
    return await _report(name, each, mail, deadline)


async def _report(name: str, each: Filter, mail: Mail, deadline: float) -> Report:
    """Run one filter. What it found before a failure still counts; only cancellation passes through."""
    found: list[Finding] = []
    failure = reason = ""
    started = time.perf_counter()
    try:
        if _talks(type(each)):
            async with asyncio.timeout_at(deadline):
                async for finding in cast(AsyncIterator[Finding], each.inspect(mail)):
                    found.append(finding)
        elif mail.size <= INLINE:
            _collect(cast(Iterator[Finding], each.inspect(mail)), found)
        else:
            async with asyncio.timeout_at(deadline):
                await asyncio.to_thread(_collect, cast(Iterator[Finding], each.inspect(mail)), found)
    except Unavailable as error:
        failure, reason = "unavailable", str(error)
    except TimeoutError:
        failure, reason = "deadline", "not done in time"
    except Exception:
        failure, reason = "bug", "an error of the filter itself; see the log"
        log.exception("filter failed", filter=name, id=mail.id)
    return Report(name, tuple(found), failure, reason, time.perf_counter() - started)


@cache
def _talks(kind: type[Filter]) -> bool:
    """True for a filter that talks to a network."""
    return inspect.isasyncgenfunction(kind.inspect)


def _collect(findings: Iterator[Finding], found: list[Finding]) -> None:
    """Append one by one, so that what was found before a failure is kept."""
    for finding in findings:
        found.append(finding)
