"""What one process does for all that serve the same mail: the calendar of kept mail, the counts of what the stores say,
digests, old records, the approvers' page, the watch over the policy's files.

Of several workers the supervisor has one do it, and another when that one goes. Whatever is done here may be begun
anywhere at any time, by a process that has just started as well as by one that has run for weeks.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

from watchfiles import awatch

from gateway import periodic
from gateway.config import Settings, probe_listeners
from gateway.observer import Observer
from gateway.office import Office
from gateway.page.render import Facts
from gateway.page.serve import serve_page
from gateway.page.site import Page
from gateway.policy.filter_files import stamps
from gateway.policy.model import Policy
from gateway.seal import Seals
from gateway.selfprobe import Prober
from gateway.sockets import PAGE, Sockets, name_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """`policy` gives the policy in force, `reload` takes the one in the files in its place, `sockets` may have the
    page's, `seals` are those of our canaries."""

    settings: Settings
    office: Office
    observer: Observer
    policy: Callable[[], Policy]
    reload: Callable[[], Awaitable[object]]
    sockets: Sockets
    seals: Seals

    def with_reload(self, reload: Callable[[], Awaitable[object]]) -> Duties:
        """The same, where a changed policy is taken in another way."""
        return replace(self, reload=reload)

    @contextlib.asynccontextmanager
    async def done(self) -> AsyncIterator[None]:
        """All of it, until the block ends. Raises OSError where the page's address cannot be had."""
        stores = self.office.stores
        work = {
            "watch the policy": self._watch(),
            "custody": periodic.keep_custody(self.office.custody),
            "census": periodic.count(stores, self.observer, self.policy),
            "retention": periodic.forget(stores.trail, self.policy),
        }
        if self.office.digesting is not None:
            work["digests"] = self.office.digesting.run()
        if (probe := self.settings.probe) is not None and self.seals.key:
            listener = probe_listeners(self.settings.listeners, probe)[0]
            address = self.sockets[name_of(listener)].getsockname()
            work["self-probe"] = Prober(self.settings, probe, self.policy, self.seals, address).run(self.observer)
        tasks = [asyncio.create_task(each, name=name) for name, each in work.items()]
        try:
            async with self._page():
                yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def _page(self) -> AsyncIterator[None]:
        """The approvers' page, where the settings have one."""
        wanted, told = self.settings.page, self.settings.notices
        if wanted is None or told is None:
            yield
            return
        custody = self.office.custody
        page = Page(
            look=custody.look,
            view=custody.view,
            steps=self.office.stores.mail.steps,
            decide=custody.by_code,
            facts=Facts(contact=told.contact or told.mailbox),
            origin=wanted.origin,
        )
        listening = _again(self.sockets.get(PAGE))
        address = wanted.address
        async with serve_page(address.host, address.port, page, proxies=wanted.proxies, listening=listening):
            yield

    async def _watch(self) -> None:
        """Reload when something that the policy is made of changes, or a file beside it that it may come to be made of.

        The folders are watched, since editors replace files by rename; and now and then all is looked at, since
        network file systems do not tell.
        """
        seen = stamps(self.policy().files)
        await self.reload()  # what has changed between the start and this watch
        while True:
            files = self.policy().files
            folders = {folder for file in files for folder in (file, file.parent) if folder.is_dir()}
            async for changes in awatch(*folders, debounce=200, step=50, recursive=False, yield_on_timeout=True):
                before, seen = seen, stamps(files)
                if seen != before or any(path.endswith((".yaml", ".yml", ".csv")) for _, path in changes):
                    await self.reload()
                if self.policy().files != files:
                    break


def _again(listening: socket.socket | None) -> socket.socket | None:
    """The same socket by another descriptor: the page closes its own when it ends, and may begin again."""
    return listening.dup() if listening is not None else None
