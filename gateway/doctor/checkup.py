"""All checks, one after the other. A new one is an async generator of lines, and one line here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import structlog

from gateway.doctor.bypass import bypass
from gateway.doctor.clock import clock
from gateway.doctor.engines import engines
from gateway.doctor.gate import gate
from gateway.doctor.model import Check, Line, Patient, fail
from gateway.doctor.network import listeners, next_hops, resolver
from gateway.doctor.policies import policies
from gateway.doctor.postfix import postfix
from gateway.doctor.reading import reading
from gateway.doctor.selfprobe import selfprobe
from gateway.doctor.storage import storage

CHECKS: tuple[Check, ...] = (
    policies,
    engines,
    reading,
    gate,
    bypass,
    storage,
    next_hops,
    listeners,
    selfprobe,
    resolver,
    postfix,
    clock,
)

CHECK_WITHIN = 120.0
"""Seconds for one check: the policy's cases, or the samples, with engines that take their time."""

log = structlog.get_logger()


async def checkup(patient: Patient) -> AsyncIterator[Line]:
    """Every line of every check. A check that breaks is a failed one, and stops no other."""
    for check in CHECKS:
        try:
            async with asyncio.timeout(CHECK_WITHIN):
                async for line in check(patient):
                    yield line
        except TimeoutError:
            yield fail(check.__name__, f"not done within {CHECK_WITHIN:g} s", "see what the machine waits for")
        except Exception as error:
            log.exception("check broke", check=check.__name__)
            yield fail(check.__name__, f"the check itself failed: {error}", "report this with the log")
