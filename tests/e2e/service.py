"""The gateway as a process of its own, started as an operator starts it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.ports import free_port

ROOT = Path(__file__).parents[2]
POLICY = Path(__file__).with_name("policy.yaml")
PATIENCE = 30
"""Seconds after which a wait has failed."""


class Service:
    """`async with Service(folder, settings) as service:` is one `mailwarden serve`; at the end it is told to stop.

    `log` holds the lines it wrote so far, one JSON object each.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.metrics = free_port()
        self.state = folder / "state"
        self.log: list[dict[str, Any]] = []
        self._change = asyncio.Event()
        self._over = False
        self._config = folder / "gateway.yaml"
        document = {
            "metrics": f"127.0.0.1:{self.metrics}",
            "policy": str(POLICY),
            "state": str(self.state),
            "hostname": "gate.example.gov.vn",
            "drain": "10s",
            **settings,
        }
        self._config.write_text(yaml.safe_dump(document))

    @staticmethod
    def command(config: Path) -> tuple[str, ...]:
        """How it is started."""
        return sys.executable, "-m", "gateway", "serve", "-c", str(config)

    async def __aenter__(self) -> Service:
        self._process = await asyncio.create_subprocess_exec(
            *self.command(self._config),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        self._reader = asyncio.create_task(self._read())
        try:
            await self.said("ready")
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self.signal(signal.SIGTERM)
        await self.ended()

    async def ended(self) -> int:
        """Waits for the end of the process: its exit code."""
        try:
            async with asyncio.timeout(PATIENCE):
                code = await self._process.wait()
        except TimeoutError:
            self._process.kill()
            raise
        await self._reader
        return code

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        self._process.send_signal(number)

    async def said(self, event: str, count: int = 1, **fields: Any) -> dict[str, Any]:
        """Waits for the log line of that event with these fields, or the `count`th of them."""
        wanted = {"event": event, **fields}

        def fits(line: dict[str, Any]) -> bool:
            return all(line.get(key) == value for key, value in wanted.items())

        async with asyncio.timeout(PATIENCE):
            while len(lines := list(filter(fits, self.log))) < count:
                assert not self._over, f"the gateway stopped: {self.log}"
                self._change.clear()
                await self._change.wait()
        return lines[count - 1]

    async def page(self, path: str) -> tuple[int, str]:
        """Status and text of a page of the metrics listener."""

        def fetch() -> tuple[int, str]:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}{path}", timeout=PATIENCE) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                return error.code, error.read().decode()

        return await asyncio.to_thread(fetch)

    async def _read(self) -> None:
        assert self._process.stderr
        async for line in self._process.stderr:
            try:
                self.log.append(json.loads(line))
            except ValueError:
                self.log.append({"event": line.decode(errors="replace").rstrip()})
            self._change.set()
        self._over = True
        self._change.set()
