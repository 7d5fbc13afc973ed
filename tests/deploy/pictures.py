"""Writes the pictures of the dashboards: `python -m tests.deploy.pictures FOLDER [SECONDS]`.

What they show is a gateway under the letters of `make run`, as they would come in some minutes: mostly ordinary mail, a
scanner that is not there, people who decide, a change of the policy, and a next hop that fails for a while.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.deploy.boards import PATHS, Window, picture, read
from tests.deploy.prometheus import Prometheus
from tests.deploy.traffic import Traffic, under_way

RATE = 15
"""Seconds over which rates are taken."""

ORDINARY = 3
"""So many of the letters, from the first, are ordinary mail."""

AT_ONCE = 12
"""Letters that are sent together, and then a pause."""


async def main(folder: Path, seconds: int) -> None:
    """Sends mail for that time, then draws all of it."""
    random.seed(1)
    with tempfile.TemporaryDirectory() as temporary:
        state = Path(temporary)
        async with (
            under_way(state) as traffic,
            Prometheus(state / "prometheus", f"127.0.0.1:{traffic.service.metrics}") as prometheus,
        ):
            await asyncio.sleep(RATE / 3)
            begun = time.time()
            async with asyncio.TaskGroup() as group:
                group.create_task(_mail(traffic, begun + seconds))
                group.create_task(_events(traffic, seconds / 10))
            window = Window(begun, time.time(), RATE)
            for path in PATHS:
                (folder / f"{path.stem}.svg").write_text(await picture(prometheus, read(path), window))


async def _mail(traffic: Traffic, until: float) -> None:
    weights = [20 if number < ORDINARY else 1 for number in range(len(traffic.letters))]
    while time.time() < until:
        await traffic.send(random.choices(traffic.letters, weights, k=random.randint(1, AT_ONCE)))
        await asyncio.sleep(random.random())


async def _events(traffic: Traffic, tenth: float) -> None:
    """What happens besides, by the tenths of the time."""
    await asyncio.sleep(2 * tenth)
    await traffic.change_the_policy()
    await asyncio.sleep(tenth)
    office = ("--as", "vanphong@example.gov.vn", "--comment", "in order")
    await traffic.command("held approve", *office, "--rule", "many-recipients-outside", "--yes")
    await traffic.suspend_a_rule()
    await asyncio.sleep(tenth)
    officer = ("--as", "an-toan-thong-tin@example.gov.vn", "--comment", "asked by telephone")
    await traffic.command("quarantine release", *officer, "--all", "--yes")
    await asyncio.sleep(tenth)
    traffic.break_the_next_hop()
    await asyncio.sleep(tenth / 2)
    traffic.mend_the_next_hop()
    await asyncio.sleep(tenth)
    await traffic.command("bypass", "--end")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 300))
