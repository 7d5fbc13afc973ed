"""What of the policy is suspended at the moment, by whom and until when."""

from __future__ import annotations

from collections.abc import AsyncIterator

from gateway.bypass import file
from gateway.doctor.model import Line, Patient, fail, ok, warn


async def bypass(patient: Patient) -> AsyncIterator[Line]:
    """One line for each bypass that counts, or one that there is none."""
    try:
        written = file.read(patient.settings.state)
    except (OSError, ValueError) as error:
        advice = "nothing is bypassed by it; `mailwarden bypass --end` removes it; ask who can write there"
        yield fail("bypass", f"{patient.settings.state / file.NAME} cannot be used: {error}", advice)
        return
    counting = [each for each in written if each.counts(patient.now)]
    for each in counting:
        seen = f"{each.label} until {each.ends.astimezone():%Y-%m-%d %H:%M} by {each.by.actor}: {each.reason}"
        yield warn("bypass", seen, "mail passes unchecked meanwhile: `mailwarden bypass --end` as soon as it is mended")
    if not counting:
        yield ok("bypass", "nothing is bypassed")
