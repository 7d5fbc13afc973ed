"""Programs of the system that know something: asked without a shell, for a few seconds."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE

WITHIN = 5.0
"""Seconds: these programs answer in milliseconds, or hang."""

MOST = 1_000_000
"""Characters of an answer: a master.cf is some ten thousand."""


class NotThere(Exception):
    """The program is not there, or does not answer. Its text says which."""


async def output_of(program: str, *arguments: str) -> str:
    """What the program prints. Raises NotThere."""
    try:
        process = await asyncio.create_subprocess_exec(program, *arguments, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    except OSError as error:
        raise NotThere(f"{program}: {error.strerror or error}") from None
    try:
        async with asyncio.timeout(WITHIN):
            output, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise NotThere(f"{program}: no answer within {WITHIN:g} s") from None
    if process.returncode:
        first = errors.decode("utf-8", "replace").strip().partition("\n")[0]
        raise NotThere(f"{program}: {first or f'exit code {process.returncode}'}")
    return output.decode("utf-8", "replace")[:MOST]
