"""Asks each filter that can be asked whether it can look: those that have a `ping`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable

from gateway.doctor.model import Line, Patient, fail, ok, warn
from gateway.errors import Unavailable

WITHIN = 5.0
"""Seconds for one answer: a message gives all its filters together a minute."""


@runtime_checkable
class Pinged(Protocol):
    """A filter with an engine behind it."""

    async def ping(self) -> str:
        """What the engine says of itself: name, version, age of its signatures. Raises Unavailable.

        A filter that answers and still sees little says so by an attribute `shortfall`.
        """
        ...


async def engines(patient: Patient) -> AsyncIterator[Line]:
    """One line for each filter of the policy that has an engine."""
    for name, each in patient.policy.filters.items():
        if isinstance(each, Pinged):
            yield await _asked(name, each)


async def _asked(name: str, engine: Pinged) -> Line:
    advice = f"start the engine, or correct the options of {name}: until then mail that needs it waits"
    try:
        async with asyncio.timeout(WITHIN):
            said = await engine.ping()
    except Unavailable as error:
        return fail(f"engine {name}", str(error), advice)
    except TimeoutError:
        return fail(f"engine {name}", f"no answer within {WITHIN:g} s", advice)
    if shortfall := getattr(engine, "shortfall", ""):
        return warn(f"engine {name}", said, shortfall)
    return ok(f"engine {name}", said)
