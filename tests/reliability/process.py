"""The gateway as a process that can be killed, started again, measured and robbed of its means."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from gateway.systemd import FIRST
from tests.conftest import PLAIN_POLICY
from tests.e2e.ports import free_port
from tests.reliability.client import Talk

ROOT = Path(__file__).parents[2]

_ACTIVATED = ("sh", "-c", 'LISTEN_PID=$$ exec "$0" "$@"')
"""What systemd does between fork and exec: the variable has the number of the process that is started."""

READY_SECONDS = 60.0
"""Seconds after which a gateway that does not greet counts as dead."""


class GatewayProcess:
    """One configuration in `folder` on one port; `start` and `kill` as often as wanted. Its log is in `folder`/log.

    `workers` is how many it is started with; `listening` is a socket that it inherits as from systemd, in the place of
    one of its own; `environment` is added to ours.
    """

    def __init__(
        self,
        folder: Path,
        upstream: tuple[str, int] | str,
        *,
        policy: str = PLAIN_POLICY,
        listener: dict[str, Any] | None = None,
        limits: dict[str, Any] | None = None,
        workers: int = 1,
        listening: socket.socket | None = None,
        environment: dict[str, str] | None = None,
        **settings: Any,
    ) -> None:
        self.address = listening.getsockname()[:2] if listening else ("127.0.0.1", free_port())
        self.workers = workers
        self.environment = os.environ | (environment or {})
        self._listening = listening
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
                *(*_ACTIVATED, sys.executable, "-m", "gateway", "serve", "-c", str(self._config)),
                *("--workers", str(self.workers)),
                cwd=ROOT,
                env=self.environment | ({"LISTEN_FDS": "1"} if self._listening else {}),
                stdin=asyncio.subprocess.DEVNULL,
                stderr=log,
                pass_fds=[FIRST] if self._listening else [],
                preexec_fn=self._hand_over if self._listening else None,
            )
        async with asyncio.timeout(READY_SECONDS):
            while not await self._greets():
                assert self._process.returncode is None, (self.folder / "log").read_text()
                await asyncio.sleep(0.02)
        return time.monotonic() - began

    def _hand_over(self) -> None:
        """In the new process: the socket where sd_listen_fds(3) looks for it."""
        assert self._listening is not None
        os.dup2(self._listening.fileno(), FIRST)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def said_in_time(self, event: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until it has logged that event so often; all of them."""
        async with asyncio.timeout(READY_SECONDS):
            while len(lines := self.said(event)) < count:
                assert self._process.returncode is None, (self.folder / "log").read_text()
                await asyncio.sleep(0.02)
        return lines

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

    async def ended(self) -> int:
        """Its exit code, once it has ended by itself."""
        return await self._process.wait()

    @property
    def over(self) -> bool:
        """True if it has ended."""
        return self._process.returncode is not None

    async def command(self, *words: str) -> tuple[int, str]:
        """Exit code and output of another command on the same settings."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway", *words, "-c", str(self._config)),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()

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
