"""The systems that are measured, each in a process of its own, and what the kernel says of these processes.

Clients and sink run on one core, the system under test on another, so that messages a second are those of one core.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CORES = sorted(os.sched_getaffinity(0))
LOAD_CORE, SYSTEM_CORE = CORES[0], CORES[-1]
START_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Running:
    """A process that listens. `metrics` is the port of its /metrics, 0 where it has none."""

    name: str
    port: int
    pid: int = 0
    metrics: int = 0

    def cpu(self) -> float:
        """CPU seconds it has used, its kernel work included."""
        if not self.pid:
            return 0.0
        after_name = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self, which: str = "VmRSS") -> int:
        """Resident kB now, or the most so far (VmHWM)."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(which))

    def lags(self) -> dict[float, int]:
        """How often the event loop was at most so many seconds late, by the bounds of its histogram."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        begin = 'mailwarden_event_loop_lag_seconds_bucket{le="'
        found = [line.removeprefix(begin).split('"} ') for line in lines if line.startswith(begin)]
        return {float(bound): int(float(number)) for bound, number in found}


@contextlib.contextmanager
def started(command: Sequence[str], core: int, log: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """A process of the command on that core, until the end; its errors go to the log."""
    with contextlib.ExitStack() as stack:
        stderr = stack.enter_context(log.open("w")) if log else None
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            preexec_fn=partial(os.sched_setaffinity, 0, {core}),
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(START_SECONDS)


@contextlib.contextmanager
def sink() -> Iterator[Running]:
    """The next hop."""
    with started([sys.executable, str(HERE / "sink.py")], LOAD_CORE) as process:
        assert process.stdout is not None
        yield Running("direct", int(process.stdout.readline()))


@contextlib.contextmanager
def aiosmtpd_relay(upstream: int) -> Iterator[Running]:
    """The bare relay."""
    with started([sys.executable, str(HERE / "relay.py"), str(upstream)], SYSTEM_CORE) as process:
        assert process.stdout is not None
        yield Running("aiosmtpd", int(process.stdout.readline()), process.pid)


@contextlib.contextmanager
def mailwarden(upstream: int, *, audit: str = "defer", name: str = "mailwarden") -> Iterator[Running]:
    """The gateway as it is run: one filter, ten rules, metrics, a JSON log in a file, the audit trail."""
    with tempfile.TemporaryDirectory(prefix="mailwarden-bench-") as temporary:
        folder, port, metrics = Path(temporary), _free_port(), _free_port()
        settings = {
            "listeners": [
                {"name": "inbound", "smtp": f"127.0.0.1:{port}", "upstream": f"smtp://127.0.0.1:{upstream}"}
            ],
            "metrics": f"127.0.0.1:{metrics}",
            "policy": str(HERE / "policy.yaml"),
            "state": str(folder / "state"),
            "hostname": "mx.example.gov.vn",
            "audit": audit,
            "drain": 2,
        }
        (folder / "gateway.yaml").write_text(json.dumps(settings))  # JSON is YAML
        command = [sys.executable, "-m", "gateway", "serve", "-c", str(folder / "gateway.yaml")]
        with started(command, SYSTEM_CORE, folder / "log") as process:
            _await(port, folder / "log")
            yield Running(name, port, process.pid, metrics)


def mailwarden_without_trail(upstream: int) -> contextlib.AbstractContextManager[Running]:
    """The same without the audit trail: the way of a message alone."""
    return mailwarden(upstream, audit="off", name="mailwarden, no trail")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _await(port: int, log: Path) -> None:
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise SystemExit(f"the gateway does not start:\n{log.read_text()}")


def load(system: Running, size: int, *, sessions: int, seconds: float, how: str = "kept") -> dict[str, Any]:
    """Send letters to the system; what `load.py` reports."""
    command = [sys.executable, str(HERE / "load.py"), *map(str, (system.port, size, sessions, seconds)), how]
    with started(command, LOAD_CORE) as process:
        assert process.stdout is not None
        told = process.stdout.read()
    if not told:
        raise SystemExit(f"{system.name}: the clients gave up")
    report: dict[str, Any] = json.loads(told)
    return report


def taken(sink: Running) -> dict[str, Any]:
    """What the sink has taken since it was last asked."""
    with socket.create_connection(("127.0.0.1", sink.port)) as connection, connection.makefile("rb") as lines:
        lines.readline()
        connection.sendall(b"STAT\r\n")
        report: dict[str, Any] = json.loads(lines.readline()[4:])
    return report


def verify(sink: Running, system: Running, report: dict[str, Any]) -> None:
    """Every acknowledged message has arrived, once and unchanged. Raises SystemExit."""
    told, sent = taken(sink), report["messages"]
    if told != {"messages": sent, "senders": sent, "digests": {report["digest"]: sent}}:
        raise SystemExit(f"{system.name}: {sent} messages were sent, the sink has {told}")
