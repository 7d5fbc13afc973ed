"""Chromium without a screen, driven over its debugging pipe (https://chromedevtools.github.io/devtools-protocol/)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

# The browser reads commands from descriptor 3 and writes to 4. Its sandbox does not start for root, nor in containers.
COMMAND = """exec chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
--disable-background-networking --disable-component-update --user-data-dir="$1" --remote-debugging-pipe \
about:blank 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null"""


class Tab:
    """One tab: where it is sent, what it asks of the network, what is in its document."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.requests: list[str] = []
        self._to, self._from = process.stdin, process.stdout
        self._session: dict[str, str] = {}
        self._number = 0
        self._idle = ""

    async def open(self) -> None:
        """Attach to a new tab."""
        target = await self._call("Target.createTarget", url="about:blank")
        attached = await self._call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Network", "Runtime"):
            await self._call(f"{domain}.enable")
        await self._call("Page.setLifecycleEventsEnabled", enabled=True)

    async def go(self, address: str) -> None:
        """Open a page, and wait until it asks the network for nothing more."""
        self.requests.clear()
        went = await self._call("Page.navigate", url=address)
        await self._until_idle(went["loaderId"])

    async def click(self, selector: str) -> None:
        """Click something that leads to another page, and wait as above."""
        before = self._idle
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")
        while self._idle == before:
            self._noted(await self._message())

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page."""
        done = await self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        return done["result"].get("value")

    async def _until_idle(self, loader: str) -> None:
        while self._idle != loader:
            self._noted(await self._message())

    async def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        call = {"id": self._number, "method": method, "params": params, **self._session}
        self._to.write(json.dumps(call).encode() + b"\0")
        await self._to.drain()
        while (message := await self._message()).get("id") != self._number:
            self._noted(message)
        result: dict[str, Any] = message["result"]
        return result

    async def _message(self) -> dict[str, Any]:
        async with asyncio.timeout(30):
            message: dict[str, Any] = json.loads((await self._from.readuntil(b"\0"))[:-1])
            return message

    def _noted(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(message["params"]["request"]["url"])
        elif message.get("method") == "Page.lifecycleEvent" and message["params"]["name"] == "networkIdle":
            self._idle = message["params"]["loaderId"]


@contextlib.asynccontextmanager
async def open_tab(profile: Path) -> AsyncIterator[Tab]:
    """A browser with a profile of its own and one tab."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", COMMAND, "sh", str(profile), stdin=pipe, stdout=pipe, limit=2**24
    )
    try:
        tab = Tab(process)
        await tab.open()
        yield tab
    finally:
        process.terminate()
        await process.wait()
