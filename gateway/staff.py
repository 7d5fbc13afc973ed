"""A worker as the supervisor sees it: a process, the way to it, and what it last said."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.channel import Channel, Message, welcome
from gateway.merging import Numbers
from gateway.sockets import Sockets

START_WITHIN = 60.0
"""Seconds from the start of a process until it takes mail: many times what it needs, also on a busy machine."""

HUNG_AFTER = 30.0
"""Seconds without a word after which a worker is taken to hang. It has something to say every second."""


class Worker:
    """`number` is its place among the workers, from 1; one that takes the place of another has the same.

    `ready` is done when it takes mail or never will, `over` when it has ended; what it says is handed to `heard`.
    """

    def __init__(
        self,
        number: int,
        process: asyncio.subprocess.Process,
        channel: Channel,
        heard: Callable[[Worker, bytes, Message], None],
    ) -> None:
        self.number = number
        self.numbers: Numbers = []
        self.problems: Sequence[str] = ()
        self.trouble = ""
        self.sessions = 0
        self.policy = ""
        self.rules = 0
        self.retired = False
        self.counted = asyncio.Event()
        self.off_duty = asyncio.Event()
        self.reloaded = asyncio.Event()
        self.reloaded.set()  # there is nothing to wait for
        self.ready: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.started = self.last_word = time.monotonic()
        self._process = process
        self._channel = channel
        self._heard = heard
        self.over = asyncio.create_task(self._listen(), name=f"worker {number}")

    @classmethod
    async def start(
        cls,
        number: int,
        arguments: Sequence[str],
        sockets: Sockets,
        heard: Callable[[Worker, bytes, Message], None],
        **facts: object,
    ) -> Worker:
        """Start a process with these arguments in place of ours, and hand it the sockets. Raises OSError."""
        ours, theirs = socket.socketpair()
        with theirs:
            welcome(ours, sockets, **facts)
            process = await asyncio.create_subprocess_exec(
                *_like_ourselves("worker", *arguments, "--channel", str(theirs.fileno())),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                process_group=0,  # a terminal's Ctrl-C is for the supervisor
            )
        return cls(number, process, await Channel.over(ours), heard)

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def serves(self) -> bool:
        """True while it takes mail."""
        return self.ready.done() and self.ready.result() and not self.retired and not self.over.done()

    @property
    def hangs(self) -> bool:
        """True if it has said nothing for too long."""
        limit = HUNG_AFTER if self.ready.done() else START_WITHIN
        return not self.over.done() and time.monotonic() - self.last_word > limit

    def say(self, kind: str, **facts: object) -> None:
        """Send it a message."""
        self._channel.say(kind, **facts)

    def pass_on(self, line: bytes) -> None:
        """Send it what another worker has said, if it listens."""
        self._channel.pass_on(line)

    def retire(self) -> None:
        """Others take the new clients; it ends with the sessions that it has."""
        self.retired = True
        self.say("retire")

    def stop(self) -> None:
        """Have it drain and end."""
        self.retired = True
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            self._process.send_signal(number)

    async def _listen(self) -> int:
        async for line, message in self._channel.messages():
            self.last_word = time.monotonic()
            match message:
                case {"kind": "refused", "problems": problems}:
                    self.problems = problems
                case {"kind": "ready" | "reloaded" as kind, "policy": policy, "rules": rules}:
                    self.policy, self.rules = policy, rules
                    if kind == "ready":
                        self.ready.set_result(True)
                    else:
                        self.reloaded.set()
                case {"kind": "state", "trouble": trouble, "sessions": sessions}:
                    self.trouble, self.sessions = trouble, sessions
                case {"kind": "numbers", "numbers": numbers}:
                    self.numbers = numbers
                    self.counted.set()
                case {"kind": "duties", "be": "off"}:
                    self.off_duty.set()
            self._heard(self, line, message)
        code = await self._process.wait()
        await self._channel.close()
        if not self.ready.done():
            self.ready.set_result(False)
        for each in (self.counted, self.off_duty, self.reloaded):
            each.set()
        return code


def _like_ourselves(*arguments: str) -> tuple[str, ...]:
    """The command line that starts this program as we were started, with other arguments: by its path or as a module.
    What is installed now is what runs, which is how an upgrade comes about."""
    ours = sys.orig_argv[1:]
    return (sys.executable, *ours[: ours.index("serve")], *arguments)


def command(config: Path, workers: int) -> Sequence[str]:
    """The arguments of a worker, but for its channel."""
    return "-c", str(config), "--workers", str(workers)
