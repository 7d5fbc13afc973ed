"""`python tests/bench/outage.py`: how long clients wait for their answer while an engine hangs (promise 11).

Each engine is a real one, paused while three clients send; shown are the times from connection to answer beside what
the policy lets the filter wait. Sender checks wait twice, for SPF and for DMARC. The promise is that limit and half a
second.
"""

from __future__ import annotations

import asyncio
import signal
import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import click
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults import FakeHop
from tests.reliability.outage import KINDS, Kind, under_load
from tests.reliability.process import GatewayProcess

LIMITS = {"clamd": 1, "rspamd": 1, "spamd": 1, "dns": 2}
"""Waits in the time that a policy gives."""


@click.command()
@click.option("--patience", default=2.0, show_default=True, help="Seconds that the policy lets a filter wait.")
@click.option("--seconds", default=20.0, show_default=True, help="How long each engine is paused.")
def main(patience: float, seconds: float) -> None:
    """Pause each engine in turn, print a table."""
    table = Table(title=f"Engines that hang for {seconds:g} s: seconds until the answer")
    for column in ("engine", "answers", "limit", "p50", "p95", "worst", "within limit + 0.5 s"):
        table.add_column(column)
    for name, kind in KINDS.items():
        with TemporaryDirectory() as folder:
            times = asyncio.run(_paused(kind, Path(folder), patience, seconds))
        limit = patience * LIMITS[name]
        within = sum(each <= limit + 0.5 for each in times) / len(times)
        p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        figures = (f"{limit:.1f}", f"{p50:.2f}", f"{p95:.2f}", f"{max(times):.2f}", f"{within:.1%}")
        table.add_row(name, str(len(times)), *figures)
    Console().print(table)


async def _paused(kind: Kind, folder: Path, patience: float, seconds: float) -> list[float]:
    """The times of the answers to what was sent while the engine was paused."""
    with kind.daemon(folder / "engine") as engine:
        policy = kind.policy(engine.port, f"{patience * 1000:.0f}ms")
        async with FakeHop() as hop, GatewayProcess(folder, hop.address, policy=policy) as process:
            gateway = SimpleNamespace(addresses={"inbound": process.address})
            async with under_load(gateway, kind) as load:
                await load.every_client_hears("2")
                engine.signal(signal.SIGSTOP)
                load.seconds.clear()
                await asyncio.sleep(seconds)
                times = list(load.seconds)
                engine.signal(signal.SIGCONT)
                await load.flows()
    return times


if __name__ == "__main__":
    main()
