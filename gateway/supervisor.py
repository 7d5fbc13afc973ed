"""Looks after several workers: opens the sockets, starts the workers, and has another in the place of each that ends.

It takes no mail itself and holds nothing that is lost with it: no policy, no store. Sockets are opened once, here or by
systemd, and inherited: when a worker goes, whoever waits in the queue is taken by another (`sockets.py`). What only one
process may do, one of the workers does (`duties.py`). If the supervisor dies, its workers drain and end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import structlog

from gateway.channel import Message
from gateway.config import Settings, load_settings
from gateway.errors import ConfigurationError
from gateway.merging import Merger, Numbers, Service
from gateway.sockets import Sockets, close, open_sockets
from gateway.staff import Worker, command
from gateway.status import StatusServer
from gateway.systemd import LINGER, Notifier, watched

LOOK_EVERY = 1.0
"""Seconds between two looks at how the workers are."""

COUNT_EVERY = 5.0
"""Seconds between two questions for numbers: what the death of a worker takes from the counters."""

NUMBERS_WITHIN = 2.0
"""Seconds for the workers' answers to a scrape; whoever is later is shown by its last numbers."""

OFF_DUTY_WITHIN = 15.0
"""Seconds until a worker has ended its duties: the page's answers under way have ten (`page/serve.py`)."""

RELOAD_WITHIN = 60.0
"""Seconds until all workers have a new policy; then systemd hears that we are ready, whoever is late."""

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
"""Seconds until a worker that has died again soon gets a successor: twice as long each time."""

PROVEN_AFTER = 60.0
"""Seconds of service after which a death is a new one."""

END_AFTER_DRAIN = 30.0
"""Seconds beyond `drain` after which a worker that does not end is killed: notices and page have their own time."""

HUNG = "hangs"
"""The trouble of a worker that was killed for it."""

log = structlog.get_logger()


async def supervise(
    config: Path, settings: Settings, count: int, given: Sequence[tuple[str, socket.socket]], notifier: Notifier
) -> int:
    """Run the service until SIGTERM or SIGINT; the exit code. `given` are the sockets that systemd has opened.

    Raises OSError where an address cannot be had.
    """
    supervisor = Supervisor(
        config, settings, count, open_sockets(settings, given), notifier, linger=LINGER if given else 0.0
    )
    return await supervisor.run()


class Supervisor:
    """`linger` is for how many seconds sessions may go on when the service stops."""

    def __init__(
        self, config: Path, settings: Settings, count: int, sockets: Sockets, notifier: Notifier, *, linger: float
    ) -> None:
        self._config = config
        self._settings = settings
        self._sockets = sockets
        self._notifier = notifier
        self._linger = linger
        self._places = {number: asyncio.Lock() for number in range(1, count + 1)}
        self._current: dict[int, Worker] = {}
        self._all: set[Worker] = set()
        self._on_duty: Worker | None = None
        self._deaths: Counter[int] = Counter()
        self._replaced: Counter[str] = Counter({"died": 0, "hung": 0, "asked": 0})
        self._merger = Merger()
        self._work: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._rolling = asyncio.Lock()
        self._reloading = asyncio.Lock()

    async def run(self) -> int:
        """Until it is over; the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        for number in (signal.SIGHUP, signal.SIGUSR2):
            loop.add_signal_handler(number, lambda: None)  # what they ask for is being done: all is read and started
        looking = asyncio.create_task(self._look(), name="look")
        try:
            async with watched(self._notifier, lambda: ""):
                return await self._serve()
        finally:
            looking.cancel()

    async def _serve(self) -> int:
        workers = await asyncio.gather(*(self._start(number) for number in self._places))
        if not all(worker.ready.result() for worker in workers):
            stopped = self._stopping.is_set()
            await self._end()
            if stopped:
                return os.EX_OK
            return _cannot_start(workers)
        for worker in workers:
            self._current[worker.number] = worker
        self._elect()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._do, self._reload)
        loop.add_signal_handler(signal.SIGUSR2, self._do, self._roll)
        status = self._status_server()
        log.info("ready", policy=self._policy, rules=workers[0].rules, workers=len(workers))
        self._notifier.ready(self._status())
        await self._stopping.wait()
        log.info("draining", sessions=sum(worker.sessions for worker in self._all))
        self._notifier.stopping("draining")
        await self._end()
        if status is not None:
            await asyncio.to_thread(status.close)
        log.info("stopped")
        return os.EX_OK

    async def _end(self) -> None:
        """Have all workers drain and end."""
        self._stopping.set()
        close(self._sockets.values())
        for worker in self._all:
            worker.stop()
        ends = [worker.over for worker in self._all]
        if ends:
            await asyncio.wait(ends, timeout=self._settings.drain + END_AFTER_DRAIN)
        for worker in tuple(self._all):
            worker.kill()
        await asyncio.gather(*ends)

    async def _start(self, number: int) -> Worker:
        """A new worker, once it takes mail or has ended before it did."""
        for worker in self._serving():
            worker.say("save")  # what filters remember: the new one reads it
        worker = await Worker.start(
            number,
            command(self._config, len(self._places)),
            self._sockets,
            self._heard,
            policy=self._policy,
            linger=self._linger,
        )
        self._all.add(worker)
        worker.over.add_done_callback(lambda _: self._ended(worker))
        log.info("worker started", worker=number, process=worker.pid)
        await worker.ready
        return worker

    def _ended(self, worker: Worker) -> None:
        self._all.discard(worker)
        self._merger.ended(worker.numbers)
        expected = worker.retired or self._stopping.is_set()
        if not expected:
            log.error("worker died", worker=worker.number, process=worker.pid, code=worker.over.result())
        self._elect()
        if not expected and self._current.get(worker.number) is worker:
            self._replaced["hung" if worker.trouble == HUNG else "died"] += 1
            self._do(lambda: self._replace(worker))

    async def _replace(self, dead: Worker) -> None:
        """Have another worker in the place of one that died, however long it takes."""
        number = dead.number
        async with self._places[number]:
            if time.monotonic() - dead.started > PROVEN_AFTER:
                self._deaths[number] = 0
            while not self._stopping.is_set() and self._current[number] is dead:
                pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (self._deaths[number] - 1))
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause if self._deaths[number] else 0.0):
                        await self._stopping.wait()
                        return
                self._deaths[number] += 1
                worker = await self._start(number)
                if worker.ready.result():
                    self._current[number] = worker
                    self._elect()
                else:
                    _tell(worker.problems)

    async def _roll(self) -> None:
        """Replace all workers, one after the other: each takes mail before the one in its place retires. With one that
        cannot start it ends, and the others stay."""
        async with self._rolling:
            if not self._renew():
                return
            for number, place in self._places.items():
                async with place:
                    if self._stopping.is_set():
                        return
                    old = self._current[number]
                    worker = await self._start(number)
                    if not worker.ready.result():
                        _tell(worker.problems)
                        log.error("workers not replaced", worker=number)
                        return
                    self._current[number] = worker
                    self._replaced["asked"] += 1
                    await self._relieve(old, worker)
                    old.retire()
                with suppress(TimeoutError):
                    async with asyncio.timeout(2 * self._settings.drain):
                        await asyncio.shield(old.over)
            log.info("workers replaced", workers=len(self._places))
            self._notifier.status(self._status())

    def _renew(self) -> bool:
        """Read the settings anew, and open what sockets they have that are not there yet."""
        try:
            settings = load_settings(self._config)
            # Whatever is open stays open, by another descriptor: its queue is kept.
            sockets = open_sockets(settings, [("", each.dup()) for each in self._sockets.values()])
        except ConfigurationError as error:
            _tell(str(problem) for problem in error.problems)
            return False
        except OSError as error:
            _tell([f"settings not taken: {error}"])
            return False
        close(self._sockets.values())
        self._settings, self._sockets = settings, sockets
        return True

    async def _relieve(self, old: Worker, new: Worker) -> None:
        """If one has the duties, the other gets them, after it has ended them."""
        if self._on_duty is not old:
            return
        old.off_duty.clear()
        old.say("duties", be="off")
        with suppress(TimeoutError):
            async with asyncio.timeout(OFF_DUTY_WITHIN):
                await old.off_duty.wait()
        self._on_duty = new
        new.say("duties", be="on")

    def _elect(self) -> None:
        """Somebody has the duties."""
        if self._stopping.is_set() or (self._on_duty is not None and not self._on_duty.over.done()):
            return
        self._on_duty = next(self._serving(), None)
        if self._on_duty is not None:
            self._on_duty.say("duties", be="on")

    async def _reload(self) -> None:
        """The worker on duty tries the policy; what it takes the others take (`_heard`)."""
        async with self._reloading:
            self._notifier.reloading()
            if (first := self._on_duty) is not None:
                first.reloaded.clear()
                first.say("reload", tested="")
                with suppress(TimeoutError):
                    async with asyncio.timeout(RELOAD_WITHIN):
                        await first.reloaded.wait()
                        for worker in tuple(self._serving()):
                            await worker.reloaded.wait()
            if not self._stopping.is_set():
                self._notifier.ready(self._status())

    def _heard(self, worker: Worker, line: bytes, message: Message) -> None:
        """What a worker says that concerns the others."""
        match message:
            case {"kind": "lessons"}:
                for other in self._serving():
                    if other is not worker:
                        other.pass_on(line)
            case {"kind": "reloaded", "taken": True, "policy": policy} if worker is self._on_duty:
                for other in self._serving():
                    if other.policy != policy:
                        other.reloaded.clear()
                        other.say("reload", tested=policy)

    async def _look(self) -> None:
        """Kill who hangs, and ask for numbers."""
        asked = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            for worker in tuple(self._all):
                if worker.hangs:
                    log.error("worker hangs", worker=worker.number, process=worker.pid)
                    worker.trouble = HUNG
                    worker.kill()
            if time.monotonic() - asked >= COUNT_EVERY:
                asked = time.monotonic()
                for worker in self._serving():
                    worker.say("numbers")

    def _do(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.get_running_loop().create_task(_logged(work()))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    def _serving(self) -> Iterator[Worker]:
        return (worker for _, worker in sorted(self._current.items()) if worker.serves)

    @property
    def _policy(self) -> str:
        """The digest of the policy in force, "" before there is one."""
        first = self._on_duty or next(iter(self._serving()), None)
        return first.policy if first is not None else ""

    def _status(self) -> str:
        return f"{len(list(self._serving()))} workers, policy {self._policy}"

    def _status_server(self) -> StatusServer | None:
        if (address := self._settings.metrics) is None:
            return None
        loop = asyncio.get_running_loop()

        def numbers() -> list[Numbers]:
            return asyncio.run_coroutine_threadsafe(self._numbers(), loop).result(2 * NUMBERS_WITHIN)

        service = Service(lambda: self._merger.merged(numbers()), self._staff, lambda: dict(self._replaced))
        return StatusServer(
            address.host, address.port, registry=service.registry(), alive=self._no_worker, ready=self._trouble
        )

    async def _numbers(self) -> list[Numbers]:
        workers = [worker for worker in self._all if worker.ready.done()]
        for worker in workers:
            worker.counted.clear()
            worker.say("numbers")
        with suppress(TimeoutError):
            async with asyncio.timeout(NUMBERS_WITHIN):
                for worker in workers:
                    await worker.counted.wait()
        return [worker.numbers for worker in workers]

    def _staff(self) -> dict[str, int]:
        workers = tuple(self._all)
        serving = sum(worker.serves for worker in workers)
        leaving = sum(worker.retired for worker in workers)
        return {"serving": serving, "starting": len(workers) - serving - leaving, "leaving": leaving}

    def _no_worker(self) -> str:
        return "" if any(worker.serves for worker in tuple(self._all)) else "no worker takes mail"

    def _trouble(self) -> str:
        """As a whole the service is ready if one worker is."""
        if self._stopping.is_set():
            return "draining"
        troubles = [worker.trouble for worker in tuple(self._all) if worker.serves]
        return self._no_worker() if not all(troubles) or not troubles else troubles[0]


def _cannot_start(workers: Sequence[Worker]) -> int:
    """Says why, once; the exit code."""
    problems = dict.fromkeys(problem for worker in workers for problem in worker.problems)
    for problem in problems:
        click.echo(problem, err=True)
    codes = {worker.over.result() for worker in workers if not worker.ready.result()}
    return os.EX_CONFIG if os.EX_CONFIG in codes else os.EX_UNAVAILABLE


def _tell(problems: Iterable[str]) -> None:
    for problem in problems:
        log.error("worker cannot start", problem=problem)


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("bug in the supervisor")
