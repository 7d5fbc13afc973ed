"""The gateway's side of the warm process: starts it, hands it files, takes what it tells, and believes none of it.

Whatever becomes of a file's reader (crash, hang, hunger) is an `Answer`; that there is no reader at all is Unavailable.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from gateway.errors import Unavailable
from gateway.extract.confinement import Strength
from gateway.extract.frames import Broken, Decoder, Told
from gateway.extract.job import Task, request
from gateway.reading import Reason

START_LIMIT = 20.0
"""Seconds in which the warm process must be ready; it takes half a second."""

ENDED_LIMIT = 5.0
"""Seconds in which the warm process must tell how a reader ended that has closed its socket."""

GRACE = 1.5
"""Seconds beyond a file's time after which we stop waiting; the warm process ends it before."""

TOLD_LIMIT = 128 * 1024 * 1024
"""Bytes that may be told of one file: its texts in JSON, and the inner files that are kept."""

PIECE = 256 * 1024

ATTEMPTS = 2
"""Times a file is given to a warm process, where the first dies under it."""

PACKET = 4096

WORKER = "gateway.extract.worker"
"""The module that is run."""

_ROOT = str(Path(__file__).resolve().parents[2])

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """What was told of a file; `ended` is why no more was, None if all was."""

    told: tuple[Told, ...]
    ended: Reason | None = None
    detail: str = ""


class _Gone(Exception):
    """The warm process died."""


@dataclass(slots=True)
class _Warm:
    """One warm process. `ended` has a future for each file that is open there."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    strength: Strength
    ended: dict[int, asyncio.Future[str]] = field(default_factory=dict)
    listening: asyncio.Task[None] | None = None

    def say(self, what: Mapping[str, object], *descriptors: int) -> None:
        """Raises _Gone."""
        try:
            socket.send_fds(self.control, [json.dumps(what).encode()], descriptors)
        except OSError as problem:
            raise _Gone(str(problem)) from None


class Sandbox:
    """At most `processes` files are open at once, each with `memory` bytes. With `strict`, a machine that cannot
    filter system calls opens no file at all (Unavailable)."""

    def __init__(self, *, processes: int, memory: int, strict: bool, module: str = WORKER) -> None:
        self.starts = 0
        self._module = module
        self._memory = memory
        self._strict = strict
        self._turns = asyncio.Semaphore(processes)
        self._starting = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._warm: _Warm | None = None

    async def read(self, task: Task, *, deadline: float) -> Answer:
        """Have a file opened. `deadline` is a time of the loop's clock.

        Raises Unavailable where no process can be had in time.
        """
        loop = asyncio.get_running_loop()
        problem = ""
        try:
            async with asyncio.timeout_at(deadline):
                await self._turns.acquire()
        except TimeoutError:
            raise Unavailable("reading files: all processes are busy") from None
        try:
            for _ in range(ATTEMPTS):
                warm = await self._ready(deadline)
                try:
                    return await self._read(warm, task, min(deadline, loop.time() + task.seconds + GRACE))
                except _Gone as gone:
                    problem = str(gone)
                    await self._bury(warm)
        finally:
            self._turns.release()
        raise Unavailable(f"reading files: the process died {ATTEMPTS} times: {problem}")

    async def strength(self) -> Strength:
        """What holds readers on this machine. Raises Unavailable."""
        return (await self._ready(asyncio.get_running_loop().time() + START_LIMIT)).strength

    async def close(self) -> None:
        """End the warm process, and with it every reader."""
        async with self._starting:
            if self._warm is not None:
                await self._bury(self._warm)

    async def _ready(self, deadline: float) -> _Warm:
        try:
            async with asyncio.timeout_at(deadline), self._starting:
                if self._warm is None:
                    self._warm = await self._start()
                return self._warm
        except TimeoutError:
            raise Unavailable("reading files: the process is not ready in time") from None

    async def _start(self) -> _Warm:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        # Nothing of our environment goes with it: secrets may be there.
        environment = {"LC_ALL": "C.UTF-8", "PATH": os.defpath, "PYTHONPATH": _ROOT}
        command = [sys.executable, "-P", "-m", self._module, str(theirs.fileno()), str(self._memory)]
        # Not in a thread: it dies with the thread that has started it.
        process = subprocess.Popen(  # noqa: S603, ASYNC220
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=environment,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        self.starts += 1
        try:
            async with asyncio.timeout(START_LIMIT):
                said = await asyncio.get_running_loop().sock_recv(ours, PACKET)
            ready = json.loads(said)
            strength = Strength(seccomp=ready["seccomp"] is True, namespace=ready["namespace"] is True)
        except BaseException as problem:
            ours.close()
            process.kill()
            process.wait()
            if isinstance(problem, (TimeoutError, OSError, ValueError, KeyError)):
                raise Unavailable(f"reading files: the process does not start: {problem!r}") from None
            raise
        warm = _Warm(process, ours, strength)
        if not strength.seccomp:
            log.warning("files are opened without a filter of system calls: this kernel has none", strict=self._strict)
            if self._strict:
                await self._bury(warm)
                raise Unavailable("reading files: this kernel cannot filter system calls, and the settings ask for it")
        warm.listening = asyncio.create_task(self._listen(warm), name="sandbox")
        return warm

    async def _listen(self, warm: _Warm) -> None:
        """Take what the warm process says of its children, until it dies."""
        loop = asyncio.get_running_loop()
        said = b""
        with contextlib.suppress(OSError):
            while said := await loop.sock_recv(warm.control, PACKET):
                ended = json.loads(said)
                future = warm.ended.get(ended["ended"])
                if future is not None and not future.done():
                    future.set_result(ended["how"])
        for future in warm.ended.values():
            if not future.done():
                future.set_exception(_Gone("it has closed its socket"))

    async def _bury(self, warm: _Warm) -> None:
        if self._warm is warm:
            self._warm = None
        warm.control.close()
        if warm.listening is not None and not warm.listening.done():
            warm.listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await warm.listening
        for future in warm.ended.values():
            if not future.done():
                future.set_exception(_Gone("it was ended"))
        warm.process.kill()
        warm.process.wait()

    async def _read(self, warm: _Warm, task: Task, deadline: float) -> Answer:
        loop = asyncio.get_running_loop()
        number = next(self._numbers)
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        ended = warm.ended[number] = loop.create_future()
        told: list[Told] = []
        sending: asyncio.Task[None] | None = None
        over = False
        try:
            with theirs:
                start = {"start": number, "seconds": task.seconds, "tool": task.what == "recognise"}
                warm.say(start, theirs.fileno())
            sending = asyncio.create_task(_send(ours, task))
            async with asyncio.timeout_at(deadline):
                refused, done = await _receive(ours, told)
                if refused:
                    return Answer(tuple(told), Reason.CRASHED, f"its reader said what may not be said: {refused}")
                async with asyncio.timeout(ENDED_LIMIT):
                    how = await asyncio.shield(ended)
            over = True
            return Answer(tuple(told)) if done else Answer(tuple(told), *_why(how))
        except TimeoutError:
            return Answer(tuple(told), Reason.TIMED_OUT, "not read to its end in time")
        finally:
            del warm.ended[number]
            ended.cancel()
            if sending is not None:
                sending.cancel()
            ours.close()
            if not over:
                with contextlib.suppress(_Gone):
                    warm.say({"stop": number})


async def _send(sock: socket.socket, task: Task) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):  # a reader that dies early takes no more
        for piece in request(task):
            await loop.sock_sendall(sock, piece)


async def _receive(sock: socket.socket, told: list[Told]) -> tuple[str, bool]:
    """Fill `told` until the far side closes: what was wrong with it, and whether it came to its end."""
    loop = asyncio.get_running_loop()
    decoder = Decoder(TOLD_LIMIT)
    with contextlib.suppress(ConnectionError):
        while data := await loop.sock_recv(sock, PIECE):
            try:
                told.extend(decoder.feed(data))
            except Broken as broken:
                return str(broken), False
    return "", decoder.done


def _why(how: str) -> tuple[Reason, str]:
    """The reason that a reader did not come to its end."""
    if how == "late":
        return Reason.TIMED_OUT, "not read to its end in time"
    if how == "memory":
        return Reason.TOO_BIG, "needs more memory than it may have"
    return Reason.CRASHED, f"its reader ended by {how}"
