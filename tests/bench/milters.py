"""Messages a second through one Postfix with the gateway as its milter, beside a pymilter that does nothing, and beside
no milter at all; over TCP as Postfix's manual has it, and over unix sockets.

Postfix is the same for all, with a port for each; its queue is in memory where the system has a place for that, so that
its waits for the disk are not what is measured. Both milters run on one core, which Postfix shares.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import systems
from speed import WARM_UP, Case, Sample

from tests.e2e.ports import free_port
from tests.e2e.postfix import Postfix

SYSTEM_PYTHON = "/usr/bin/python3"
"""The one that has Debian's python3-milter."""

IN_MEMORY = Path("/dev/shm")

CASES = (
    Case("2 kB", 2_000, "kept"),
    Case("2 kB anew", 2_000, "anew"),
    Case("2 kB alone", 2_000, "kept", 1),
)

ORDER = [case.name for case in CASES]

MAIN = """
in_flow_delay = 0
smtpd_client_connection_count_limit = 0
milter_default_action = tempfail
smtpd_recipient_restrictions = permit_mynetworks, reject
smtp_connection_cache_destinations = 127.0.0.1
"""

NONE = "no milter"


@dataclass(frozen=True, slots=True)
class Milter:
    """A milter that runs: its name, its socket as Postfix writes it, its process (0: there is none)."""

    name: str
    socket: str = ""
    pid: int = 0


def run(rounds: int, seconds: float, told: Callable[[str], None]) -> list[dict[str, object]]:
    """Rounds over all milters and cases, behind one Postfix."""
    return [asdict(sample) for sample in asyncio.run(_run(rounds, seconds, told))]


async def _run(rounds: int, seconds: float, told: Callable[[str], None]) -> list[Sample]:
    samples = []
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="milters-")))
        folder.chmod(0o711)
        sink = stack.enter_context(systems.sink())
        milters = [Milter(NONE), *_pymilters(stack, folder), *_ours(stack, folder, sink.port)]
        await asyncio.to_thread(_await, [milter.socket for milter in milters if milter.socket])
        ports = {milter.name: free_port() for milter in milters}
        with _in_memory():
            postfix = Postfix(main=MAIN, master=_services(milters, ports), hop=sink.port)
        async with postfix:
            for number in range(1, rounds + 1):
                for milter in milters:
                    told(f"round {number} of {rounds}: Postfix with {milter.name}")
                    running = systems.Running(milter.name, ports[milter.name], milter.pid)
                    for case in CASES:
                        await _send(postfix, case, sink, running, WARM_UP)
                        samples.append(await _sample(number, postfix, case, sink, running, seconds))
    return samples


async def _sample(
    number: int, postfix: Postfix, case: Case, sink: systems.Running, system: systems.Running, seconds: float
) -> Sample:
    before = system.cpu()
    report = await _send(postfix, case, sink, system, seconds)
    messages = report["messages"]
    return Sample(
        round=number,
        case=case.name,
        system=system.name,
        messages=messages,
        rate=messages / report["seconds"],
        cpu=1000 * (system.cpu() - before) / messages,
        p50=report["p50"],
        p99=report["p99"],
    )


async def _send(
    postfix: Postfix, case: Case, sink: systems.Running, system: systems.Running, seconds: float
) -> Mapping[str, float]:
    """What the clients report, once every message has arrived, unchanged."""
    report = systems.load(system, case.size, sessions=case.sessions, seconds=seconds, how=case.how)
    while await postfix.queue():
        await asyncio.sleep(0.1)
    systems.verify(sink, system, report)
    return report


def _pymilters(stack: contextlib.ExitStack, folder: Path) -> Iterator[Milter]:
    if os.system(f"{SYSTEM_PYTHON} -c 'import Milter' 2>/dev/null"):
        raise SystemExit("python3-milter is missing: deploy/setup.sh bench installs it")
    port = free_port()
    for name, theirs, postfix in (
        ("pymilter", f"inet:{port}@127.0.0.1", f"inet:127.0.0.1:{port}"),
        ("pymilter, unix", f"unix:{folder}/noop", f"unix:{folder}/noop"),
    ):
        command = [SYSTEM_PYTHON, str(systems.HERE / "noop.py"), theirs]
        process = stack.enter_context(systems.started(command, systems.SYSTEM_CORE, folder / f"{name}.log"))
        yield Milter(name, postfix, process.pid)


def _ours(stack: contextlib.ExitStack, folder: Path, upstream: int) -> Iterator[Milter]:
    hop = f"smtp://127.0.0.1:{upstream}"
    tcp, unix = f"inet:127.0.0.1:{free_port()}", f"unix:{folder}/mailwarden"
    settings = {
        "listeners": [
            {"name": "tcp", "milter": tcp, "upstream": hop},
            {"name": "unix", "milter": unix, "upstream": hop, "socket_mode": "0666"},
        ],
        "metrics": f"127.0.0.1:{free_port()}",
        "policy": str(systems.HERE / "policy.yaml"),
        "state": str(folder / "state"),
        "hostname": "mx.example.gov.vn",
        "audit": "off",
        "drain": 2,
    }
    (folder / "gateway.yaml").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "gateway", "serve", "-c", str(folder / "gateway.yaml")]
    process = stack.enter_context(systems.started(command, systems.SYSTEM_CORE, folder / "log"))
    yield Milter("mailwarden", tcp, process.pid)
    yield Milter("mailwarden, unix", unix, process.pid)


def _services(milters: list[Milter], ports: Mapping[str, int]) -> str:
    line = "127.0.0.1:{} inet n - n - - smtpd -o smtpd_milters={} -o mynetworks=127.0.0.0/8\n"
    return "".join(line.format(ports[milter.name], milter.socket) for milter in milters)


@contextlib.contextmanager
def _in_memory() -> Iterator[None]:
    """Temporary folders that are made meanwhile are in memory, where there is a place for that."""
    usual = tempfile.tempdir
    tempfile.tempdir = str(IN_MEMORY) if os.access(IN_MEMORY, os.W_OK) else usual
    try:
        yield
    finally:
        tempfile.tempdir = usual


def _await(sockets: list[str]) -> None:
    """Waits until each of them can be connected to, and by Postfix too."""
    for where in sockets:
        ends = time.monotonic() + systems.START_SECONDS
        while not _answers(where):
            if time.monotonic() > ends:
                raise SystemExit(f"nobody listens at {where}")
            time.sleep(0.05)
        if where.startswith("unix:"):
            Path(where.removeprefix("unix:")).chmod(0o666)


def _answers(where: str) -> bool:
    kind, _, address = where.partition(":")
    with contextlib.suppress(OSError):
        if kind == "unix":
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(address)
        else:
            host, _, port = address.rpartition(":")
            socket.create_connection((host, int(port))).close()
        return True
    return False
