"""Filters that last: those that remember mail, and those with engines behind them, when mail is answered, when one
policy follows another, and when the service ends.

Only the running service calls this. `explain`, `test`, `replay`, `doctor` and a rescan of kept mail ask filters as
well, and what they ask about is never remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import structlog

from gateway.mail import Mail
from gateway.reply import Reply
from gateway.verdict import Filter

log = structlog.get_logger()


@runtime_checkable
class Lasting(Protocol):
    """A filter that remembers mail. `inspect` looks at what is remembered and changes nothing."""

    async def answered(self, mail: Mail, reply: Reply) -> None:
        """A client's mail has this answer, and is remembered accordingly: a client that was deferred sends it again.

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


async def answered(filters: Mapping[str, Filter], mail: Mail, reply: Reply) -> None:
    """Have every filter that remembers know the answer. Never raises: the answer stands."""
    for name, each in _lasting(filters):
        try:
            await each.answered(mail, reply)
        except Exception:
            log.exception("filter does not remember", filter=name, id=mail.id)


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
