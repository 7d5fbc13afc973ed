"""The clock: records, notices and expiry go by it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

from gateway.doctor.model import Line, Patient, fail, ok, warn
from gateway.doctor.programs import NotThere, output_of
from gateway.errors import StoreUnavailable
from gateway.store.summaries import Summaries

AHEAD = timedelta(minutes=1)
"""How far the newest record may be ahead of us: another node's clock need not be exact."""


async def clock(patient: Patient) -> AsyncIterator[Line]:
    """Is it synchronised, and has it gone backwards?"""
    yield await _synchronised()
    try:
        newest = await asyncio.to_thread(Summaries(patient.settings.state / "store").newest)
    except StoreUnavailable:
        return  # the store's own check says so
    if newest is not None and newest > patient.now + AHEAD:
        seen = f"the newest audit record is of {newest:%Y-%m-%d %H:%M:%S} UTC, now is {patient.now:%Y-%m-%d %H:%M:%S}"
        yield fail("clock", seen, "the clock was ahead, or is behind: set it by NTP before mail is taken")
    elif newest is not None:
        yield ok("clock", "not behind the newest audit record")


async def _synchronised() -> Line:
    advice = "run chrony or systemd-timesyncd: records of several machines are compared by time"
    try:
        said = (await output_of("timedatectl", "show", "--property=NTPSynchronized", "--value")).strip()
    except NotThere as error:
        return warn("clock", f"whether it is synchronised cannot be told: {error}", advice)
    return ok("clock", "synchronised") if said == "yes" else warn("clock", "not synchronised", advice)
