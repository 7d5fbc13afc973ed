"""Puts the pieces together, and is the only place that knows them all: start, reload, drain.

This is one process that serves mail: the whole service, or one worker of several (`worker.py`, `supervisor.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
import weakref
from collections.abc import AsyncIterator, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path

import structlog

from gateway import lasting, periodic
from gateway.bypass.watch import Bypasses
from gateway.config import Audit, Listener, Settings
from gateway.duties import Duties
from gateway.endpoint import HostPort
from gateway.entrance import Entrance
from gateway.errors import ConfigurationError, StoreUnavailable, Unavailable
from gateway.extract.opener import Opener
from gateway.handling import Reception
from gateway.intake import LOOK_EVERY
from gateway.mail import Mail
from gateway.metrics import Metrics
from gateway.milter import server as milter
from gateway.office import Office, open_office
from gateway.policy.load import load
from gateway.policy.model import Policy
from gateway.remembering import records
from gateway.selfprobe import seals_of
from gateway.smtp.door import Door
from gateway.smtp.probe import answers
from gateway.smtp.reservation import Reservations
from gateway.smtp.server import listen, tls_context
from gateway.smtp.service import Service, Turns
from gateway.sockets import Sockets, close, name_of, open_sockets
from gateway.spool import Spool
from gateway.status import StatusServer
from gateway.trial import failed_cases
from gateway.verdict import Verdict

HEARTBEAT = 0.1
"""Seconds between two looks at the event loop's punctuality."""

DEAD_AFTER = 10.0
"""Seconds without a heartbeat after which /healthz says no: a supervisor should start us anew."""

log = structlog.get_logger()


class Gateway:
    """`async with gateway.running():` is its life, `serving()` that of a worker, whose `duties` may be another's;
    `reload()` and `stop()` are its controls.

    `sockets` are those of the settings where others have opened them; `tell` tells other workers what filters learn.
    """

    def __init__(
        self, settings: Settings, policy: Policy, *, sockets: Sockets | None = None, tell: lasting.Tell = lasting.alone
    ) -> None:
        self.settings = settings
        self.policy = policy
        self.metrics = Metrics()
        self.bypasses = Bypasses(settings.state)
        self.door = Door(settings.limits, self.metrics)
        self.milters = milter.Sessions(settings.limits.sessions, self.door.intake)
        self.addresses: dict[str, tuple[str, int]] = {}
        self.status: StatusServer | None = None
        self._spool = Spool(
            settings.state / "spool",
            disk_limit=settings.limits.spool,
            memory_limit=settings.limits.spool_memory,
        )
        self._opener = Opener(self.settings.reading, self.metrics.file_read)
        self._services: list[Service] = []
        self._errands: set[asyncio.Task[None]] = set()
        self._large = asyncio.Semaphore(2)
        self._turns = Turns(4)
        self._sockets = sockets
        self._tell = tell
        self._stopped = asyncio.Event()
        self._linger = 0.0
        self._reloading = asyncio.Lock()
        self._beat = time.monotonic()
        self._closing: list[weakref.finalize[..., Policy]] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The whole service: serve, and do what is done once for all."""
        async with self.serving(), self.duties.done():
            yield

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Open every listener, and on the way out drain them: a message that is under way is brought to its end."""
        self._spool.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._announce(self.policy)
        lasting.begin(self.policy.filters, {}, self._memories)
        self._seals = seals_of(self.settings.state)
        async with (
            self._opener,
            open_office(
                self.settings, lambda: self.policy, observer=self.metrics, open_mail=self._opener.open
            ) as office,
        ):
            self.office = office
            try:
                async with self._listening(office):
                    yield
            finally:
                self._close_filters()

    @contextlib.asynccontextmanager
    async def _listening(self, office: Office) -> AsyncIterator[None]:
        sockets = self._sockets if self._sockets is not None else open_sockets(self.settings)
        entrances = [self._open(each, sockets[name_of(each)], office) for each in self.settings.listeners]
        limits = self.settings.limits
        self.metrics.watch(
            self.settings.state, spool_limit=limits.spool + limits.spool_memory, ready=lambda: not self.trouble()
        )
        self.metrics.tell_bypasses(self.bypasses.left)
        if (address := self.settings.metrics) is not None:
            self.status = StatusServer(
                address.host, address.port, registry=self.metrics.registry, alive=self.stuck, ready=self.trouble
            )
        self.duties = Duties(
            settings=self.settings,
            office=office,
            observer=self.metrics,
            policy=lambda: self.policy,
            reload=self.reload,
            sockets=sockets,
            seals=self._seals,
        )
        tasks = [
            asyncio.create_task(self.door.sweep(), name="sweep"),
            asyncio.create_task(self._heartbeat(), name="heartbeat"),
            asyncio.create_task(self._look_at_load(), name="load"),
            asyncio.create_task(self._make_ready(), name="readers of files"),
            asyncio.create_task(self.bypasses.watch(lambda: self.policy), name="bypasses"),
            asyncio.create_task(periodic.save(lambda: self.policy), name="filters' memories"),
        ]
        sending = [asyncio.create_task(office.notifier.run(), name="notices")] if office.notifier is not None else []
        try:
            yield
        finally:
            for entrance in entrances:
                entrance.close()
            close(sockets.values())
            await self._drained()
            if office.notifier is not None:
                office.notifier.stop()
                await asyncio.wait(sending, timeout=self.settings.drain)  # a notice that is cut off is sent again
            for task in (*tasks, *sending):
                task.cancel()
            await asyncio.gather(*tasks, *sending, return_exceptions=True)
            if self.status is not None:
                await asyncio.to_thread(self.status.close)

    async def _drained(self) -> None:
        """Bring to its end what is under way. While others take the new clients, sessions may go on for a while."""
        linger = min(self._linger, self.settings.drain / 2)
        await asyncio.gather(self.door.linger(linger), self.milters.linger(linger))
        left = self.settings.drain - linger
        await asyncio.gather(self.door.empty(left), self.milters.empty(left))
        await asyncio.gather(*self._errands)

    async def until_stopped(self) -> None:
        """Return when it is told to stop."""
        await self._stopped.wait()
        log.info("draining", sessions=self.sessions)

    @property
    def sessions(self) -> int:
        """How many are open."""
        return len(self.door.sessions) + len(self.milters)

    def stop(self, linger: float = 0.0) -> None:
        """Begin to drain. Sessions may go on for `linger` seconds, half of `drain` at most, where others have the
        sockets: clients that come meanwhile are not kept waiting."""
        self._linger = linger
        self._stopped.set()

    async def reload(self, tested: str = "") -> bool:
        """Validate, compile, run the policy's own tests, swap. Anything wrong keeps the policy in force.

        The tests of a policy with the digest `tested` have been run, by another worker."""
        async with self._reloading:
            try:
                candidate = await asyncio.to_thread(load, self.settings.policy)
            except ConfigurationError as error:
                for problem in error.problems:
                    log.error("policy refused", problem=str(problem))
                self.metrics.policy_refused("invalid")
                return False
            if candidate.digest == self.policy.digest:
                return True
            if candidate.digest != tested and (failures := await self.failed_cases(candidate)):
                for failure in failures:
                    log.error("policy refused", problem=failure)
                self.metrics.policy_refused("failed")
                return False
            lasting.begin(candidate.filters, self.policy.filters, self._memories)
            self._close_when_unused(self.policy)
            self.policy = candidate
            self._announce(candidate)
            log.info("policy reloaded", policy=candidate.digest, rules=len(candidate.rules))
            return True

    async def failed_cases(self, policy: Policy) -> Sequence[str]:
        """What the policy's own tests find wrong with it."""
        return await failed_cases(policy, open_mail=self._opener.open)

    @property
    def _memories(self) -> Path:
        """Where filters keep what they remember."""
        return self.settings.state / "filters"

    def _close_when_unused(self, policy: Policy) -> None:
        """Close a policy's filters once the last message that it judges has gone: a reload disturbs none."""
        loop = asyncio.get_running_loop()
        closing = weakref.finalize(policy, loop.call_soon_threadsafe, lasting.close, policy.filters)
        closing.atexit = False
        self._closing = [*(each for each in self._closing if each.alive), closing]

    def _close_filters(self) -> None:
        """Close all filters that are still open: nobody is served any more."""
        for closing in self._closing:
            if (left := closing.detach()) is not None:
                lasting.close(left[0].filters)
        lasting.close(self.policy.filters)

    def _open(self, listener: Listener, listening: socket.socket, office: Office) -> Entrance:
        """Open one listener, whatever it speaks. Raises OSError for a certificate that cannot be read."""
        reception = self._reception(listener, office)
        if isinstance(listener.address, HostPort):
            self.addresses[listener.name] = listening.getsockname()[:2]
        if listener.milter is not None:
            log.info("listening", listener=listener.name, milter=str(listener.milter))
            return milter.listen(reception, self.milters, listening)
        service = Service(
            **{each.name: getattr(reception, each.name) for each in fields(reception)},
            reservations=Reservations(
                office.hops[listener.name], limit=self.settings.limits.upstream_connections, observer=self.metrics
            ),
            tls=tls_context(listener.tls) if listener.tls else None,
            turns=self._turns,
        )
        self._services.append(service)
        log.info("listening", listener=listener.name, smtp=str(listener.smtp), upstream=str(listener.upstream))
        return listen(service, self.door, listening)

    def _reception(self, listener: Listener, office: Office) -> Reception:
        return Reception(
            listener=listener,
            limits=self.settings.limits,
            hostname=self.settings.hostname,
            help_url=self.settings.help_url,
            deadline=self.settings.deadline,
            policy=lambda: self.bypasses.applied(self.policy),
            spool=self._spool,
            custody=office.custody,
            remember=partial(self._remember, office),
            announce=office.announcer.announce,
            tell=self._tell,
            observer=self.metrics,
            open_mail=self._opener.open,
            canary_of=self._seals.reader(listener.name),
            large=self._large,
            errands=self._errands,
        )

    async def _remember(self, office: Office, mail: Mail, verdict: Verdict) -> None:
        """Write the decision to the audit trail before it is carried out. Raises StoreUnavailable, by setting."""
        if self.settings.audit is Audit.OFF:
            return
        try:
            await office.trail.append(records(mail, verdict))
        except StoreUnavailable as error:
            if self.settings.audit is Audit.DEFER:
                raise
            log.error("not in the audit trail", id=mail.id, reason=str(error))

    def _announce(self, policy: Policy) -> None:
        for warning in policy.warnings:
            log.warning("policy", problem=str(warning))
        self.metrics.policy_loaded(policy)
        self.metrics.exceptions_expiring(periodic.expiring(policy))

    def stuck(self) -> str:
        """Why this process should be started anew, "" if it is well. May be asked from any thread, as the next."""
        late = time.monotonic() - self._beat
        return f"the event loop has not run for {late:.0f} s" if late > DEAD_AFTER else ""

    def trouble(self) -> str:
        """Why mail cannot be taken now, "" if it can."""
        if self.door.closing or self._stopped.is_set():
            return "draining"
        if not self._spool.has_room(self.settings.limits.message_size):
            return "the spool has no room for a message of the greatest size"
        unreachable = [each.listener.name for each in self._services if not _reachable(each)]
        return f"next hop unreachable: {', '.join(unreachable)}" if unreachable else self.stuck()

    async def _make_ready(self) -> None:
        """Start the process that reads files before the first file comes, where a filter of the policy reads."""
        if any(getattr(each, "READS", False) for each in self.policy.filters.values()):
            try:
                await self._opener.sandbox.strength()
            except Unavailable as error:
                log.error("files cannot be read", reason=str(error))

    async def _look_at_load(self) -> None:
        loop = asyncio.get_running_loop()
        done, last = 0, loop.time()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await asyncio.to_thread(lambda: None)
            now, before = loop.time(), done
            done = self.door.done + self.milters.done
            self.door.intake.looked(now - last, done - before, self.door.under_way + self.milters.under_way)
            last = now

    async def _heartbeat(self) -> None:
        while True:
            due = time.monotonic() + HEARTBEAT
            await asyncio.sleep(HEARTBEAT)
            self._beat = time.monotonic()
            self.metrics.loop_lagged(max(0.0, self._beat - due))
            self.metrics.spool_bytes.set(self._spool.on_disk + self._spool.in_memory)


def _reachable(service: Service) -> bool:
    """True if the next hop was there at the last message, or is there again: without mail nothing else would tell."""
    upstream = service.listener.upstream
    if not service.reservations.reachable and upstream is not None and answers(upstream):
        service.reservations.reachable = True
    return service.reservations.reachable
