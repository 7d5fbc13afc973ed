"""Filters that last: those that remember mail, those that learn from people, and those with engines behind them, when
mail is answered, when one policy follows another, and when the service ends.

Only the running service calls the functions. `explain`, `test`, `replay`, `doctor` and a rescan of kept mail ask
filters as well, and what they ask about is never remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import structlog

from gateway.mail import Mail
from gateway.reply import Reply
from gateway.verdict import Filter, Finding, Report

log = structlog.get_logger()

Lesson = list[Any]
"""What a filter learns from one mail, in plain JSON values: small, and in any form that the filter understands."""

Tell = Callable[[str, Lesson], None]
"""Tells the other workers what the filter of this name learns."""


def alone(name: str, lesson: Lesson) -> None:
    """There are no other workers."""


@runtime_checkable
class Lasting(Protocol):
    """A filter that remembers mail. `inspect` looks at what is remembered and changes nothing."""

    async def answered(self, mail: Mail, reply: Reply, found: Iterable[Finding]) -> Lesson | None:
        """A client's mail, in which this filter has found this, has this answer, and is remembered accordingly: a
        client that was deferred sends it again. What the same filter of other workers should know (see `Heeding`).

        Called once for each mail, before its content is given up and before the client hears the answer: it takes
        microseconds.
        """
        ...

    def inherit(self, earlier: Any) -> None:
        """Go on with the memory of the filter of the same class that the policy before had. Both may be asked for a
        while."""
        ...

    def keep_in(self, folder: Path) -> None:
        """Remember what is kept in this folder, and keep it there from now on. Raises OSError."""
        ...

    async def save(self) -> None:
        """Write down what has changed. Raises OSError: then it is tried again the next time."""
        ...


@runtime_checkable
class Heeding(Protocol):
    """A filter that remembers what its siblings in other workers were told: each client's mail is spread over all."""

    def heed(self, lesson: Lesson) -> None:
        """A sibling's `answered` has returned this, a moment ago."""
        ...


Deed = Literal["released", "deleted"]
"""What a person did with kept mail."""


@runtime_checkable
class Learning(Protocol):
    """A filter that learns from what people do with mail that was kept for what it found (`custody/lessons.py`)."""

    never_learn: frozenset[str]
    """Filters: it learns nothing of mail for which a rule on findings of one of these holds."""

    def learns(self, deed: Deed, found: frozenset[str]) -> bool:
        """True if it learns from this deed to mail that rules kept for these kinds of its findings."""
        ...

    async def corrected(self, mail: Mail, deed: Deed) -> None:
        """A person has done this with the mail, which has been opened. What is learned is on stable storage then, where
        the service and the commands see it. Raises ValueError, OSError."""
        ...


async def answered(
    filters: Mapping[str, Filter], mail: Mail, reply: Reply, reports: Iterable[Report], tell: Tell
) -> None:
    """Have every filter that remembers know the answer, here and by `tell` elsewhere. Never raises: the answer
    stands."""
    found = {report.filter: report.findings for report in reports}
    for name, each in _lasting(filters):
        try:
            lesson = await each.answered(mail, reply, found.get(name, ()))
            if lesson is not None:
                tell(name, lesson)
        except Exception:
            log.exception("filter does not remember", filter=name, id=mail.id)


def heed(filters: Mapping[str, Filter], name: str, lesson: Lesson) -> None:
    """Have a filter know what its sibling in another worker learned. Never raises: the sibling's policy may be another
    one for a moment, or its version."""
    each = filters.get(name)
    if isinstance(each, Heeding):
        try:
            each.heed(lesson)
        except Exception:
            log.exception("filter does not heed another worker", filter=name)


def begin(filters: Mapping[str, Filter], earlier: Mapping[str, Filter], folder: Path) -> None:
    """Give new filters the memory of those before them, or what their folders below `folder` hold. Never raises:
    a filter whose folder cannot be used remembers as long as the service runs."""
    for name, each in _lasting(filters):
        before = earlier.get(name)
        if isinstance(before, type(each)):
            each.inherit(before)
            continue
        try:
            each.keep_in(folder / name)
        except OSError as error:
            log.error("filter remembers in memory only", filter=name, reason=str(error))


async def save(filters: Mapping[str, Filter]) -> None:
    """Have every filter that remembers write down what has changed. Never raises."""
    for name, each in _lasting(filters):
        try:
            await each.save()
        except OSError as error:
            log.error("filter's memory not saved", filter=name, reason=str(error))
        except Exception:
            log.exception("bug in saving a filter's memory", filter=name)


def close(filters: Mapping[str, Filter]) -> None:
    """End what filters have open with their engines. Called once nobody is asked by them any more. Never raises."""
    for name, each in filters.items():
        end = getattr(each, "close", None)
        if end is not None:
            try:
                end()
            except Exception:
                log.exception("filter not closed", filter=name)


def _lasting(filters: Mapping[str, Filter]) -> Iterator[tuple[str, Lasting]]:
    return ((name, each) for name, each in filters.items() if isinstance(each, Lasting))
