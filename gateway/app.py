"""Puts the pieces together, and is the only place that knows them all: start, reload, drain."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import time
import weakref
from collections.abc import AsyncIterator
from dataclasses import fields
from functools import partial
from pathlib import Path

import structlog
from watchfiles import awatch

from gateway import lasting, periodic
from gateway.config import Audit, Listener, Settings
from gateway.endpoint import HostPort
from gateway.errors import ConfigurationError, StoreUnavailable, Unavailable
from gateway.extract.opener import Opener
from gateway.handling import Reception
from gateway.mail import Mail
from gateway.metrics import Metrics
from gateway.milter import server as milter
from gateway.office import Office, open_office
from gateway.page.render import Facts
from gateway.page.serve import serve_page
from gateway.page.site import Page
from gateway.policy.load import load
from gateway.policy.model import Policy
from gateway.remembering import records
from gateway.smtp.door import Door
from gateway.smtp.probe import answers
from gateway.smtp.reservation import Reservations
from gateway.smtp.server import listen, tls_context
from gateway.smtp.service import Service, Turns
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
    """The running service. `async with gateway.running():` is its life; `reload()` and `stop()` are its controls."""

    def __init__(self, settings: Settings, policy: Policy) -> None:
        self.settings = settings
        self.policy = policy
        self.metrics = Metrics()
        self.door = Door(settings.limits, self.metrics)
        self.milters = milter.Sessions(settings.limits.sessions)
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
        self._stopped = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._beat = time.monotonic()
        self._closing: list[weakref.finalize[..., Policy]] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open every listener, and on the way out drain them: a message that is under way is brought to its end."""
        self._spool.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._announce(self.policy)
        lasting.begin(self.policy.filters, {}, self._memories)
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
        servers = []
        for listener in self.settings.listeners:
            server = await self._open(listener, office)
            servers.append(server)
            if isinstance(listener.address, HostPort):
                self.addresses[listener.name] = server.sockets[0].getsockname()[:2]
        if (address := self.settings.metrics) is not None:
            self.status = StatusServer(
                address.host, address.port, registry=self.metrics.registry, alive=self._alive, ready=self._not_ready
            )
        tasks = [
            asyncio.create_task(self.door.sweep(), name="sweep"),
            asyncio.create_task(self._heartbeat(), name="heartbeat"),
            asyncio.create_task(self._watch(), name="watch the policy"),
            asyncio.create_task(periodic.keep_custody(office.custody), name="custody"),
            asyncio.create_task(self._make_ready(), name="readers of files"),
            asyncio.create_task(periodic.count(office.stores, self.metrics, lambda: self.policy), name="census"),
            asyncio.create_task(periodic.forget(office.stores.trail, lambda: self.policy), name="retention"),
            asyncio.create_task(periodic.save(lambda: self.policy), name="filters' memories"),
        ]
        sending = [asyncio.create_task(office.notifier.run(), name="notices")] if office.notifier is not None else []
        if office.digesting is not None:
            tasks.append(asyncio.create_task(office.digesting.run(), name="digests"))
        try:
            async with self._page(office):
                yield
        finally:
            for server in servers:
                server.close()
            await asyncio.gather(self.door.empty(self.settings.drain), self.milters.empty(self.settings.drain))
            await asyncio.gather(*self._errands)
            if office.notifier is not None:
                office.notifier.stop()
                await asyncio.wait(sending, timeout=self.settings.drain)  # a notice that is cut off is sent again
            for task in (*tasks, *sending):
                task.cancel()
            await asyncio.gather(*tasks, *sending, return_exceptions=True)
            if self.status is not None:
                await asyncio.to_thread(self.status.close)

    @contextlib.asynccontextmanager
    async def _page(self, office: Office) -> AsyncIterator[None]:
        """The approvers' page, where the settings have one."""
        wanted, told = self.settings.page, self.settings.notices
        if wanted is None or told is None:
            yield
            return
        page = Page(
            look=office.custody.look,
            view=office.custody.view,
            steps=office.stores.mail.steps,
            decide=office.custody.by_code,
            facts=Facts(contact=told.contact or told.mailbox),
            origin=wanted.origin,
        )
        async with serve_page(wanted.address.host, wanted.address.port, page, proxies=wanted.proxies):
            yield

    async def serve(self) -> None:
        """Run until SIGTERM or SIGINT; SIGHUP reloads the policy."""
        loop = asyncio.get_running_loop()
        reloads: set[asyncio.Task[bool]] = set()

        def reload_now() -> None:
            task = loop.create_task(self.reload(), name="reload")
            reloads.add(task)
            task.add_done_callback(reloads.discard)

        async with self.running():
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self.stop)
            loop.add_signal_handler(signal.SIGHUP, reload_now)
            # What is there by now stays: the collector need not go through it again every few messages.
            gc.collect()
            gc.freeze()
            log.info("ready", policy=self.policy.digest, rules=len(self.policy.rules))
            await self._stopped.wait()
            log.info("draining", sessions=len(self.door.sessions) + len(self.milters))
        log.info("stopped")

    def stop(self) -> None:
        """Begin to drain."""
        self._stopped.set()

    async def reload(self) -> bool:
        """Validate, compile, run the policy's own tests, swap. Anything wrong keeps the policy in force."""
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
            if failures := await failed_cases(candidate, open_mail=self._opener.open):
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

    async def _open(self, listener: Listener, office: Office) -> asyncio.Server:
        """Open one listener, whatever it speaks. Raises OSError."""
        reception = self._reception(listener, office)
        if listener.milter is not None:
            log.info("listening", listener=listener.name, milter=str(listener.milter))
            return await milter.listen(reception, self.milters)
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
        return await listen(service, self.door)

    def _reception(self, listener: Listener, office: Office) -> Reception:
        return Reception(
            listener=listener,
            limits=self.settings.limits,
            hostname=self.settings.hostname,
            help_url=self.settings.help_url,
            deadline=self.settings.deadline,
            policy=lambda: self.policy,
            spool=self._spool,
            custody=office.custody,
            remember=partial(self._remember, office),
            announce=office.announcer.announce,
            observer=self.metrics,
            open_mail=self._opener.open,
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

    def _alive(self) -> str:
        late = time.monotonic() - self._beat
        return f"the event loop has not run for {late:.0f} s" if late > DEAD_AFTER else ""

    def _not_ready(self) -> str:
        if self.door.closing or self._stopped.is_set():
            return "draining"
        if not self._spool.has_room(self.settings.limits.message_size):
            return "the spool has no room for a message of the greatest size"
        unreachable = [each.listener.name for each in self._services if not _reachable(each)]
        return f"next hop unreachable: {', '.join(unreachable)}" if unreachable else self._alive()

    async def _make_ready(self) -> None:
        """Start the process that reads files before the first file comes, where a filter of the policy reads."""
        if any(getattr(each, "READS", False) for each in self.policy.filters.values()):
            try:
                await self._opener.sandbox.strength()
            except Unavailable as error:
                log.error("files cannot be read", reason=str(error))

    async def _heartbeat(self) -> None:
        while True:
            due = time.monotonic() + HEARTBEAT
            await asyncio.sleep(HEARTBEAT)
            self._beat = time.monotonic()
            self.metrics.loop_lagged(max(0.0, self._beat - due))
            self.metrics.spool_bytes.set(self._spool.on_disk + self._spool.in_memory)

    async def _watch(self) -> None:
        """Reload when a file of the policy changes. The folders are watched: editors replace files by rename."""
        await self.reload()  # what has changed between the start and this watch
        while True:
            folders = {Path(path).parent for path in self.policy.files}
            async for changes in awatch(*folders, debounce=200, step=50, recursive=False):
                if any(path.endswith((".yaml", ".yml", ".csv")) for _, path in changes):
                    await self.reload()
                    if {Path(path).parent for path in self.policy.files} != folders:
                        break


def _reachable(service: Service) -> bool:
    """True if the next hop was there at the last message, or is there again: without mail nothing else would tell."""
    upstream = service.listener.upstream
    if not service.reservations.reachable and upstream is not None and answers(upstream):
        service.reservations.reachable = True
    return service.reservations.reachable
