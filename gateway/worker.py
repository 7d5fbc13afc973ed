"""One of several workers: a gateway that is told by its supervisor what else to do.

It hears: `duties` (on or off: `duties.py`), `reload` (a digest whose tests have been run, or ""), `lessons` (what
filters of other workers learned), `save` (what filters remember), `numbers` (say them), `retire` (others take the new
clients). It says: `refused` (why it cannot start), `ready`, `state` once a second, `duties`, `reloaded`, `lessons`,
`numbers`. SIGTERM, or a supervisor that has gone, drains and ends it.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog
import uvloop

from gateway import lasting, logs
from gateway.alone import keep
from gateway.app import Gateway
from gateway.channel import Channel, Gone, Message, welcomed
from gateway.config import load_settings
from gateway.errors import ConfigurationError, Problem
from gateway.merging import snapshot
from gateway.policy.load import load
from gateway.shares import share

STATE_EVERY = 1.0
"""Seconds between two words to the supervisor about how we are."""

LESSONS_EVERY = 0.02
"""Seconds for which lessons are gathered: as many messages as come in that time may not be known to the others."""

LESSONS = 10_000
"""Lessons that wait to be told; more are lost. It is what comes in seconds of an event loop that does not run."""

log = structlog.get_logger()


def run(config: Path, workers: int, way: socket.socket) -> None:
    """Be one of so many workers until it is over. `way` leads to the supervisor.

    Raises ConfigurationError, OSError, StoreUnavailable: it cannot start.
    """
    settings = load_settings(config)
    logs.configure(settings.log.level, settings.log.format)
    logs.settle()
    policy = load(settings.policy)
    try:
        sockets, facts = welcomed(way)
    except Gone:
        return
    lessons: list[tuple[str, lasting.Lesson]] = []

    def tell(name: str, lesson: lasting.Lesson) -> None:
        if len(lessons) < LESSONS:
            lessons.append((name, lesson))

    gateway = Gateway(share(settings, workers), policy, sockets=sockets, tell=tell)
    uvloop.run(_Worker(gateway, lessons, in_force=facts["policy"], linger=facts["linger"]).serve(way))


def refused(way: socket.socket, problems: Sequence[str]) -> None:
    """Tell the supervisor why this worker cannot start."""
    way.setblocking(True)
    way.sendall(json.dumps({"kind": "refused", "problems": problems}).encode() + b"\n")


class _Worker:
    """`in_force` is the digest of the policy that the others have, "" if there are no others; `linger` is for how many
    seconds sessions may go on when the whole service stops."""

    def __init__(
        self, gateway: Gateway, lessons: list[tuple[str, lasting.Lesson]], *, in_force: str, linger: float
    ) -> None:
        self._gateway = gateway
        self._lessons = lessons
        self._in_force = in_force
        self._linger = linger
        self._off_duty = asyncio.Event()
        self._duty: asyncio.Task[None] | None = None
        self._reloads: set[asyncio.Task[None]] = set()

    async def serve(self, way: socket.socket) -> None:
        """Until it is over. Raises ConfigurationError for a policy that the others would not take."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._gateway.stop, self._linger)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR2):
            loop.add_signal_handler(number, lambda: None)  # these are for the supervisor
        gateway = self._gateway
        async with gateway.serving():
            await self._try_policy()
            channel = await Channel.over(way)
            tasks = [
                loop.create_task(work, name=name)
                for name, work in {
                    "state": self._say_state(channel),
                    "lessons": self._tell_lessons(channel),
                    "supervisor": self._obey(channel),
                }.items()
            ]
            keep()
            log.info("worker ready", policy=gateway.policy.digest, rules=len(gateway.policy.rules))
            channel.say("ready", policy=gateway.policy.digest, rules=len(gateway.policy.rules))
            await gateway.until_stopped()
            await self._be(channel, "off")
        await self._say_numbers(channel)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await channel.close()
        log.info("worker stopped")

    async def _try_policy(self) -> None:
        """The others have refused, or not seen yet, a policy that is not in force: its own tests must allow it."""
        policy = self._gateway.policy
        if self._in_force not in ("", policy.digest) and (failures := await self._gateway.failed_cases(policy)):
            path = str(self._gateway.settings.policy)
            raise ConfigurationError(tuple(Problem(path, 1, 1, failure) for failure in failures))

    async def _obey(self, channel: Channel) -> None:
        async for _, message in channel.messages():
            await self._do(channel, message)
        log.error("the supervisor has gone")
        self._gateway.stop(self._linger)

    async def _do(self, channel: Channel, message: Message) -> None:
        match message:
            case {"kind": "lessons", "lessons": lessons}:
                for name, lesson in lessons:
                    lasting.heed(self._gateway.policy.filters, name, lesson)
            case {"kind": "duties", "be": be}:
                await self._be(channel, be)
            case {"kind": "reload", "tested": tested}:
                task = asyncio.create_task(self._reload(channel, tested), name="reload")
                self._reloads.add(task)
                task.add_done_callback(self._reloads.discard)
            case {"kind": "save"}:
                await lasting.save(self._gateway.policy.filters)
            case {"kind": "numbers"}:
                await self._say_numbers(channel)
            case {"kind": "retire"}:
                self._gateway.stop(linger=float("inf"))

    async def _be(self, channel: Channel, be: str) -> None:
        """On duty or off it."""
        if be == "on" and self._duty is None:
            self._off_duty.clear()
            self._duty = asyncio.create_task(self._do_duties(channel), name="duties")
        elif be == "off" and self._duty is not None:
            self._off_duty.set()
            await asyncio.wait([self._duty])
            self._duty = None
        channel.say("duties", be=be)

    async def _do_duties(self, channel: Channel) -> None:
        async def reload() -> None:
            await self._reload(channel, "")

        try:
            async with self._gateway.duties.with_reload(reload).done():
                await self._off_duty.wait()
        except OSError as error:
            log.error("duties not done", reason=str(error))
        except Exception:
            log.exception("bug in duties")

    async def _reload(self, channel: Channel, tested: str) -> None:
        taken = await self._gateway.reload(tested)
        policy = self._gateway.policy
        channel.say("reloaded", taken=taken, policy=policy.digest, rules=len(policy.rules))

    async def _say_state(self, channel: Channel) -> None:
        while True:
            trouble = await asyncio.to_thread(self._gateway.trouble)
            channel.offer("state", trouble=trouble, sessions=self._gateway.sessions)
            await asyncio.sleep(STATE_EVERY)

    async def _say_numbers(self, channel: Channel) -> None:
        numbers: Any = await asyncio.to_thread(snapshot, self._gateway.metrics.registry)
        channel.offer("numbers", numbers=numbers)

    async def _tell_lessons(self, channel: Channel) -> None:
        while True:
            await asyncio.sleep(LESSONS_EVERY)
            if self._lessons:
                told, self._lessons[:] = list(self._lessons), []
                channel.offer("lessons", lessons=told)
