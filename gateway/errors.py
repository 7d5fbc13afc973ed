"""The few errors that are raised on purpose: whose fault something is, is its type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.reply import Reply


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in an operator's file, at the place where it is. Lines and columns count from 1."""

    path: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.message}"


class ConfigurationError(Exception):
    """The operator's: a policy or a settings file that cannot be used. Carries every problem, sorted."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Unavailable(Exception):
    """A filter's only way to say "could not look". Its text is for operators, never for the client."""


class StoreUnavailable(Exception):
    """The store's: it is full, locked, broken or away. Nothing was taken; the client hears 4xx and keeps the mail."""


class Refused(Exception):
    """The answer to a client's command or message is this reply; nothing more happens for it."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__(str(reply))


class HopError(Exception):
    """The next hop's: it refused, lied, hung or went away. `reply` is what our client is to hear.

    `kind` is one word of a closed set for the metrics: refused, unreachable, closed, timeout, garbage, tls.
    """

    def __init__(self, reply: Reply, *, kind: str, detail: str = "") -> None:
        self.reply = reply
        self.kind = kind
        self.detail = detail
        super().__init__(detail or str(reply))
