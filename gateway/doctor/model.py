"""What a check is given, and what it says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from gateway.config import Settings
from gateway.pipeline import OpenMail
from gateway.policy.model import Policy


class State(StrEnum):
    """How it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at: how it is, what was seen, and what to do, where something is to be done."""

    about: str
    state: State
    seen: str
    advice: str = ""


def ok(about: str, seen: str) -> Line:
    """It is as it should be."""
    return Line(about, State.OK, seen)


def warn(about: str, seen: str, advice: str) -> Line:
    """It works, and will surprise."""
    return Line(about, State.WARN, seen, advice)


def fail(about: str, seen: str, advice: str) -> Line:
    """It does not work."""
    return Line(about, State.FAIL, seen, advice)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """The gateway that is looked at, from outside: whether it runs or not. `postfix` is the folder of Postfix's
    configuration, None for the usual one."""

    settings: Settings
    policy: Policy
    now: datetime
    open_mail: OpenMail
    postfix: Path | None = None


Check = Callable[[Patient], AsyncIterator[Line]]
"""An async generator of lines. What it cannot find out is a line, not an exception."""
