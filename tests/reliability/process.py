"""The gateway as a process that can be killed, started again, measured and robbed of its means."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import PLAIN_POLICY
from tests.e2e.ports import free_port
from tests.reliability.client import Talk

ROOT = Path(__file__).parents[2]

READY_SECONDS = 30.0
"""Seconds after which a gateway that does not greet counts as dead."""


class GatewayProcess:
    """One configuration in `folder` on one port; `start` and `kill` as often as wanted. Its log is in `folder`/log."""

    def __init__(
        self,
        folder: Path,
        upstream: tuple[str, int] | str,
        *,
        policy: str = PLAIN_POLICY,
        listener: dict[str, Any] | None = None,
        limits: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        self.address = ("127.0.0.1", free_port())
        self.folder = folder
        self.policy = folder / "policy.yaml"
        self.policy.write_text(policy)
        self._config = folder / "gateway.yaml"
        document = {
            "listeners": [
                {
                    "name": "inbound",
                    "smtp": "{}:{}".format(*self.address),
                    "upstream": upstream if isinstance(upstream, str) else "smtp://{}:{}".format(*upstream),
                    **(listener or {}),
                }
            ],
            "policy": "policy.yaml",
            "state": "state",
            "hostname": "mx.example.gov.vn",
            "limits": limits or {},
            **settings,
        }
        self._config.write_text(yaml.safe_dump(document, allow_unicode=True))

    async def __aenter__(self) -> GatewayProcess:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def start(self) -> float:
        """Start it; the seconds until it greeted its first client."""
        began = time.monotonic()
        with (self.folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway", "serve", "-c", str(self._config)),
                cwd=ROOT,
                stdin=asyncio.subprocess.DEVNULL,
                stderr=log,
            )
        async with asyncio.timeout(READY_SECONDS):
            while not await self._greets():
                assert self._process.returncode is None, (self.folder / "log").read_text()
                await asyncio.sleep(0.02)
        return time.monotonic() - began

    async def kill(self) -> None:
        """SIGKILL: nothing it has not done yet will be done."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def stop(self) -> tuple[int, float]:
        """SIGTERM; its exit code and the seconds until it was gone."""
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        code = await self._process.wait()
        return code, time.monotonic() - began

    def memory(self) -> int:
        """Bytes resident now, on Linux."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))

    def sockets(self) -> int:
        """How many sockets it has open. (Files come and go with the store's own work.)"""
        return sum(_is_socket(entry) for entry in Path(f"/proc/{self._process.pid}/fd").iterdir())

    def limit(self, what: int, value: int) -> None:
        """Set a soft limit of the running process (`resource.RLIMIT_NOFILE`, ...)."""
        hard = resource.prlimit(self._process.pid, what)[1]
        resource.prlimit(self._process.pid, what, (min(value, hard) if hard >= 0 else value, hard))

    def said(self, event: str) -> list[dict[str, Any]]:
        """The log lines of that event so far."""
        lines = [line for line in (self.folder / "log").read_bytes().splitlines() if line.startswith(b"{")]
        return [line for line in map(json.loads, lines) if line["event"] == event]

    async def _greets(self) -> bool:
        try:
            async with Talk(self.address) as talk:
                return talk.greeting.code == 220
        except OSError:
            return False


def _is_socket(entry: Path) -> bool:
    try:
        return os.readlink(entry).startswith("socket:")
    except FileNotFoundError:  # closed meanwhile
        return False
