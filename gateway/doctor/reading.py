"""Whether attached files can be read here, and how well the process that reads them is held."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator

from gateway.doctor.model import Line, Patient, fail, ok, warn
from gateway.errors import Unavailable
from gateway.extract.opener import Opener
from gateway.extract.recognise import PROGRAM


async def reading(patient: Patient) -> AsyncIterator[Line]:
    """The sandbox started, and what it is held by; the program that recognises pictures, where it is asked for."""
    settings = patient.settings.reading
    async with Opener(settings) as opener:
        try:
            strength = await opener.sandbox.strength()
        except Unavailable as error:
            yield fail("sandbox", str(error), "filters that read files cannot look until it starts")
        else:
            walls = ["limits of memory, time and descriptors"]
            walls += ["a filter of system calls"] * strength.seccomp + ["a network of its own"] * strength.namespace
            seen = f"files are read behind {', '.join(walls)}"
            if strength.seccomp:
                yield ok("sandbox", seen)
            else:
                advice = "run on a kernel with seccomp; reading.system_call_filter: required opens no file without it"
                yield warn("sandbox", seen, advice)
    if settings.ocr:
        if shutil.which(PROGRAM):
            yield ok("ocr", f"{PROGRAM} recognises pictures")
        else:
            yield fail("ocr", f"{PROGRAM} is not there", "install tesseract-ocr and tesseract-ocr-vie, or set ocr: off")
