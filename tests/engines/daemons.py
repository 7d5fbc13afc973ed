"""Real scanners on loopback, started and stopped by the tests; each lives in a folder of its own."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_LIMIT = 30.0
"""Seconds a scanner may take to start on a busy machine."""

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""In two pieces, so that no scanner trips on this file."""


def free_port() -> int:
    """A port that can be listened on now, below the range of outgoing connections."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@dataclass
class Running:
    """A scanner that runs: its command can be stopped, killed and started again on the same port."""

    command: list[str]
    port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + START_LIMIT
        while time.monotonic() < end:
            with socket.socket() as attempt:
                attempt.settimeout(1)
                if attempt.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"{self.command[0]} did not start: {self.log.read_text()[-2000:]}")

    def signal(self, number: int) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGKILL)
        self.process.wait(timeout=START_LIMIT)


@contextmanager
def dnsmasq(folder: Path, *records: str) -> Iterator[Running]:
    """A nameserver with these records (options of dnsmasq), which knows nothing else and asks nobody."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    options = ["--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--local-ttl=300", "--user=root"]
    options += [f"--port={port}", "--listen-address=127.0.0.1", "--bind-interfaces", f"--pid-file={folder}/pid"]
    running = Running(["/usr/sbin/dnsmasq", *options, *records], port, folder / "dnsmasq.log")
    running.start()
    try:
        yield running
    finally:
        running.kill()


@contextmanager
def clamd(folder: Path, *, stream_limit: str = "64M") -> Iterator[Running]:
    """A clamd that knows EICAR only."""
    database = folder / "database"
    database.mkdir(parents=True)
    (database / "test.hdb").write_text("44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-Signature\n")
    (database / "test.ndb").write_text(f"Eicar-Test-Signature:0:*:{EICAR.hex()}\n")
    port = free_port()
    settings = folder / "clamd.conf"
    settings.write_text(
        f"Foreground yes\nDatabaseDirectory {database}\nTCPSocket {port}\nTCPAddr 127.0.0.1\n"
        f"PidFile {folder}/clamd.pid\nMaxThreads 4\nStreamMaxLength {stream_limit}\nIdleTimeout 60\n"
        f"AlertEncrypted yes\nTemporaryDirectory {folder}\n" + ("User root\n" if os.getuid() == 0 else "")
    )
    running = Running(["/usr/sbin/clamd", f"--config-file={settings}"], port, folder / "clamd.log")
    running.start()
    try:
        yield running
    finally:
        running.kill()
