"""Several engines of one kind asked as one: the idlest first, another where it fails, a second where it dawdles."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from gateway.engines.breaker import Breaker, Circuit
from gateway.errors import Unavailable

A = TypeVar("A")
"""What an engine is addressed by."""

R = TypeVar("R")
"""What it answers."""

HEDGE_AFTER = 0.5
"""The share of the time there is after which a second engine is asked as well: one may hang and still be alive."""


class EngineFailure(Exception):
    """One engine could not be asked or did not answer. Its text says why, for operators."""


@dataclass(slots=True, eq=False)
class Engine(Generic[A]):
    """One engine. `name` is from the policy, hence a label of metrics; `asked` is the number of requests on their way,
    `seconds` how long the last answer took."""

    name: str
    address: A
    breaker: Breaker = field(default_factory=Breaker)
    asked: int = 0
    seconds: float = 0.0

    @property
    def up(self) -> bool:
        """True unless it is being left alone."""
        return self.breaker.state is Circuit.CLOSED

    async def ask(self, question: Callable[[A], Awaitable[R]], patience: float) -> R:
        """Its answer. Raises EngineFailure, also where there is none after `patience` seconds."""
        started = time.monotonic()
        self.asked += 1
        try:
            async with asyncio.timeout(patience):
                answer = await question(self.address)
        except (OSError, EOFError, EngineFailure) as error:  # TimeoutError is an OSError
            self.breaker.failed(time.monotonic())
            reason = f"no answer in {patience:.1f} s" if isinstance(error, TimeoutError) else str(error)
            raise EngineFailure(f"{self.name}: {reason or type(error).__name__}") from error
        except BaseException:
            self.breaker.abandoned(time.monotonic())
            raise
        finally:
            self.asked -= 1
        self.breaker.succeeded()
        self.seconds = time.monotonic() - started
        return answer


async def one_answer(engines: Sequence[Engine[A]], question: Callable[[A], Awaitable[R]], patience: float) -> R:
    """The first answer of any engine, within `patience` seconds.

    The idlest is asked; another when it fails, or when half of the time has gone. Raises Unavailable where none has
    answered, with each one's reason.
    """
    end = time.monotonic() + patience
    waiting = sorted(engines, key=lambda engine: engine.asked)
    reasons: list[str] = []
    asked: set[asyncio.Task[R]] = set()
    try:
        while True:
            left = end - time.monotonic()
            engine = _next(waiting) if left > 0 else None
            if engine is not None:
                asked.add(asyncio.create_task(engine.ask(question, left)))
            if not asked:
                raise Unavailable("; ".join(reasons) or _left_alone(engines))
            hedge = left * HEDGE_AFTER if waiting and left > 0 else None
            done, asked = await asyncio.wait(asked, timeout=hedge, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                error = task.exception()
                if error is None:
                    return task.result()
                if not isinstance(error, EngineFailure):
                    raise error
                reasons.append(str(error))
    finally:
        for task in asked:
            task.cancel()


async def every_answer(
    engines: Sequence[Engine[A]], question: Callable[[A], Awaitable[R]], patience: float
) -> tuple[list[tuple[str, R]], list[str]]:
    """What each engine answers, by its name, and why others did not."""
    ready = [engine for engine in engines if engine.breaker.lets_through(time.monotonic())]
    results = await asyncio.gather(*(engine.ask(question, patience) for engine in ready), return_exceptions=True)
    answers: list[tuple[str, R]] = []
    reasons = [_left_alone([engine]) for engine in engines if engine not in ready]
    for engine, result in zip(ready, results, strict=True):
        if isinstance(result, EngineFailure):
            reasons.append(str(result))
        elif isinstance(result, BaseException):
            raise result
        else:
            answers.append((engine.name, result))
    return answers, reasons


def _next(waiting: list[Engine[A]]) -> Engine[A] | None:
    """The first that may be asked, taken out of the list."""
    while waiting:
        engine = waiting.pop(0)
        if engine.breaker.lets_through(time.monotonic()):
            return engine
    return None


def _left_alone(engines: Sequence[Engine[A]]) -> str:
    return "; ".join(f"{engine.name}: left alone after {engine.breaker.failures} failures" for engine in engines)
