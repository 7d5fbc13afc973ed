"""Sends the canaries through the running gateway, where the settings want them sent."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.doctor.model import Line, Patient, fail, ok, warn
from gateway.selfprobe import prober_outside


async def selfprobe(patient: Patient) -> AsyncIterator[Line]:
    """One line for each canary."""
    if (probe := patient.settings.probe) is None:
        yield ok("self-probe", "off: `probe` in the settings sends canaries through the live port")
        return
    prober = prober_outside(patient.settings, probe)
    if prober is None:
        yield warn("self-probe", "no gateway has run here yet", "start it, and look again; best as its user")
        return
    async for result in prober.round():
        about, seen = f"canary {result.canary}", f"{result.outcome} in {result.seconds:.2f} s"
        if result.good:
            yield ok(about, seen)
        else:
            seen += f", expected {result.expected}" + (f": {result.detail}" if result.detail else "")
            yield fail(about, seen, "the log has the reason; `mailwarden probe` tries again")
