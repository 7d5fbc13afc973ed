"""`python tests/bench/trail.py`: what the audit trail costs mail, as a ratio of the gateway with it and without it.

Both run at the same time and are loaded in turn, in short bursts, so that what else the machine does hits both alike;
shown are the medians of the ratios of neighbouring bursts, with their quartiles. CPU is that of the whole process: the
trail's thread, the indexes that records get later and the kernel's work for each fsync count too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import click
import systems
from rich.console import Console
from rich.table import Table

LIMIT = 1.05
"""The promise: writing the trail slows no mail by more than 5 %."""

out = Console()


@dataclass(frozen=True, slots=True)
class Case:
    """Letters of `size` bytes over so many kept connections."""

    name: str
    size: int
    sessions: int


CASES = (
    Case("2 kB, 20 sessions", 2_000, 20),
    Case("50 kB, 20 sessions", 50_000, 20),
    Case("2 kB, alone", 2_000, 1),
)


@dataclass(frozen=True, slots=True)
class Burst:
    """Messages a second, CPU milliseconds of each, milliseconds of half of the answers."""

    rate: float
    cpu: float
    p50: float


@click.command()
@click.option("--rounds", default=20, show_default=True, help="Bursts for each case and gateway.")
@click.option("--seconds", default=1.5, show_default=True, help="Seconds of a burst.")
@click.option("--json", "path", default="build/bench-trail.json", show_default=True, type=click.Path(path_type=Path))
def main(rounds: int, seconds: float, path: Path) -> None:
    """Measure, print a table, write the figures as JSON. Exit code 1 if it costs more than is promised."""
    table = Table(title="The gateway without -> with the audit trail")
    for column in ("letters", "messages/s", "slower", "CPU ms each", "dearer", "p50 ms"):
        table.add_column(column, overflow="fold")
    figures: dict[str, dict[str, float]] = {}
    with (
        systems.sink() as sink,
        systems.mailwarden_without_trail(sink.port) as without,
        systems.mailwarden(sink.port) as with_trail,
    ):
        for case in CASES:
            pairs = []
            with out.status(case.name):
                for number in range(rounds):
                    order = (without, with_trail) if number % 2 else (with_trail, without)
                    bursts = {system.name: _burst(sink, system, case, seconds) for system in order}
                    pairs.append((bursts[without.name], bursts[with_trail.name]))
            slower = [before.rate / after.rate for before, after in pairs]
            dearer = [after.cpu / before.cpu for before, after in pairs]
            before, after = zip(*pairs, strict=True)
            figures[case.name] = {"slower": median(slower), "dearer": median(dearer)}
            table.add_row(
                case.name,
                _both([each.rate for each in before], [each.rate for each in after], 0),
                _spread(slower),
                _both([each.cpu for each in before], [each.cpu for each in after], 2),
                _spread(dearer),
                _both([each.p50 for each in before], [each.p50 for each in after], 1),
            )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=1))
    out.print(table)
    missed = [name for name, figure in figures.items() if max(figure.values()) > LIMIT]
    raise SystemExit(f"more than {LIMIT}: {', '.join(missed)}" if missed else 0)


def _burst(sink: systems.Running, system: systems.Running, case: Case, seconds: float) -> Burst:
    before = system.cpu()
    report = systems.load(system, case.size, sessions=case.sessions, seconds=seconds)
    cpu = system.cpu() - before
    systems.verify(sink, system, report)
    return Burst(report["messages"] / report["seconds"], 1000 * cpu / report["messages"], report["p50"])


def _both(before: list[float], after: list[float], digits: int) -> str:
    return f"{median(before):.{digits}f} -> {median(after):.{digits}f}"


def _spread(ratios: list[float]) -> str:
    low, middle, high = quantiles(ratios, n=4)
    return f"{middle:.3f} ({low:.3f}-{high:.3f})"


if __name__ == "__main__":
    main()
