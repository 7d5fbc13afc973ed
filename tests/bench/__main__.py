"""`make bench`: how fast Mailwarden is and what it weighs, as ratios to other systems measured in the same run.

Three systems, each in a process of its own on one core, clients and next hop on another: Mailwarden as it is run (one
filter, ten rules, metrics, a JSON log, uvloop), a bare relay on aiosmtpd that does nothing but relay, and no system in
between at all. Every message is accounted for at the next hop, its body by sha256. The rounds are interleaved, and
shown are medians with least and most. Then: memory with idle sessions and with large messages, and single steps.

"anew" is a new connection for each letter, as Postfix's proxy filter makes them; "alone" a single session.
Machines differ and so do hours: quote the ratios, and CPU milliseconds for each message rather than messages a second.
"""

from __future__ import annotations

import json
import os
import platform
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

import click
import matching
import memory
import milters
import pieces
import reading
import speed
import text
from rich.console import Console
from rich.table import Table

PARTS = ["speed", "milter", "memory", "pieces", "reading", "text", "matching"]

FLOORS = {"2 kB": 1.3, "50 kB": 3.0}
"""Messages a second, as a multiple of the bare relay's, that a release must reach."""

SESSION_LIMIT = 300
LARGE_LIMIT = 400_000
LAG_LIMIT = 0.05
"""kB of an idle session, kB with a hundred messages of 25 MB, seconds that the event loop may come late."""

out = Console()


@click.command()
@click.option("--rounds", default=3, show_default=True, help="Rounds over all systems.")
@click.option("--seconds", default=3.0, show_default=True, help="Seconds for each case and system in a round.")
@click.option("--only", type=click.Choice(PARTS), help="One part of it.")
@click.option("--json", "path", default="build/bench.json", show_default=True, type=click.Path(path_type=Path))
def main(rounds: int, seconds: float, only: str | None, path: Path) -> None:
    """Measure, print tables, write all figures as JSON."""
    parts = [only] if only else PARTS
    report: dict[str, Any] = {"cores": os.cpu_count(), "python": platform.python_version()}
    with out.status("starting") as status:
        if "speed" in parts:
            report["speed"] = speed.run(rounds, seconds, status.update)
        if "milter" in parts:
            report["milter"] = milters.run(rounds, seconds, status.update)
        if "memory" in parts:
            report["memory"] = memory.run(status.update)
        if "pieces" in parts:
            status.update("single steps")
            report["pieces"] = pieces.run()
        if "reading" in parts:
            status.update("attached files")
            report["reading"] = reading.run()
        if "text" in parts:
            status.update("texts")
            report["text"] = text.run()
        if "matching" in parts:
            status.update("filters that read texts")
            report["matching"] = matching.run()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1))
    tables = {"speed": _show_speed, "memory": _show_memory, "pieces": _show_pieces, "reading": _show_reading}
    tables |= {"milter": _show_milter, "text": _show_text, "matching": _show_matching}
    for name in parts:
        tables[name](report[name])
    out.print(f"All figures are in {path}.")


def _show_speed(samples: list[dict[str, Any]]) -> None:
    table = Table(title="Messages: median (least to most)")
    for column in ("letters", "system", "messages/s", "CPU ms each", "p50 / p99 ms", "x rate of aiosmtpd", "x CPU"):
        table.add_column(column, no_wrap=True)
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for sample in samples:
        found[sample["case"], sample["system"]].append(sample)
    order = [case.name for case in speed.CASES]
    for (case, system), rows in sorted(found.items(), key=lambda item: order.index(item[0][0])):
        beside = found[case, "aiosmtpd"]
        faster = [row["rate"] / other["rate"] for row, other in zip(rows, beside, strict=True)]
        cheaper = [other["cpu"] / row["cpu"] for row, other in zip(rows, beside, strict=True) if row["cpu"]]
        floor = FLOORS.get(case) if system == "mailwarden" else None
        mark = "" if floor is None else f" [{'green' if median(faster) >= floor else 'red'}]/ {floor}[/]"
        table.add_row(
            case,
            system,
            _spread((row["rate"] for row in rows), 0),
            _spread((row["cpu"] for row in rows), 2) if cheaper else "-",
            " / ".join(f"{median(row[name] for row in rows):.1f}" for name in ("p50", "p99")),
            _spread(faster, 2) + mark,
            f"{1 / median(cheaper):.2f}" if cheaper else "-",
        )
    out.print(table)


def _show_milter(samples: list[dict[str, Any]]) -> None:
    table = Table(title="Behind one Postfix: median (least to most)")
    for column in ("letters", "milter", "messages/s", "its CPU ms each", "p50 / p99 ms", "x rate of pymilter"):
        table.add_column(column, no_wrap=True)
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for sample in samples:
        found[sample["case"], sample["system"]].append(sample)
    for (case, system), rows in sorted(found.items(), key=lambda item: milters.ORDER.index(item[0][0])):
        ours = system.startswith("mailwarden")
        beside = found[case, system.replace("mailwarden", "pymilter")]
        times = [row["rate"] / other["rate"] for row, other in zip(rows, beside, strict=True)]
        table.add_row(
            case,
            system,
            _spread((row["rate"] for row in rows), 0),
            "-" if system == milters.NONE else _spread((row["cpu"] for row in rows), 2),
            " / ".join(f"{median(row[name] for row in rows):.1f}" for name in ("p50", "p99")),
            _spread(times, 2) + f" [{'green' if median(times) >= 1 else 'red'}]/ 1[/]" if ours else "-",
        )
    out.print(table)


def _show_memory(weights: list[dict[str, Any]]) -> None:
    table = Table(title="Memory (resident) and the event loop")
    for column in ("system", "at rest MB", "idle session kB", "25 MB messages at once: MB", "seconds", "loop late, ms"):
        table.add_column(column, justify="left" if column == "system" else "right")
    for row in weights:
        ours = row["system"] == "mailwarden"
        table.add_row(
            f"{row['system']} ({row['messages']} messages)",
            f"{row['at_rest'] / 1000:.0f}",
            f"{row['idle_session']:.0f}" + _mark(ours, row["idle_session"], SESSION_LIMIT, "kB"),
            f"{row['large_messages'] / 1000:.0f}" + _mark(ours, row["large_messages"] / 1000, LARGE_LIMIT / 1000, "MB"),
            f"{row['large_seconds']:.1f}",
            "-" if row["lag"] is None else f"<= {1000 * row['lag']:g}" + _mark(ours, row["lag"], LAG_LIMIT, "s"),
        )
    out.print(table)


def _show_pieces(steps: list[dict[str, Any]]) -> None:
    table = Table(title="Single steps, CPU")
    table.add_column("step")
    table.add_column("ms", justify="right")
    table.add_column("times as fast as email", justify="right")
    for step in steps:
        table.add_row(step["step"], f"{step['milliseconds']:.3f}", f"{step['times']:.1f}" if step["times"] else "")
    out.print(table)


def _show_reading(cases: list[dict[str, Any]]) -> None:
    table = Table(title="Attached files, the sandbox included")
    for column in ("file", "ms", "CPU ms here", "CPU ms there", "peak MB there", "not looked at"):
        table.add_column(column, justify="left" if column in ("file", "not looked at") else "right")
    for row in cases:
        milliseconds = (f"{1000 * row[name]:.1f}" for name in ("seconds", "our_cpu", "their_cpu"))
        table.add_row(row["case"], *milliseconds, f"{row['their_mb']:.0f}", ", ".join(row["blind"]))
    out.print(table)


def _show_text(steps: list[dict[str, Any]]) -> None:
    table = Table(title="Texts, CPU")
    for column in ("step", "ms", "MB/s"):
        table.add_column(column, justify="left" if column == "step" else "right")
    for step in steps:
        rate, spent = step["megabytes"], step["milliseconds"]
        matched = step["step"] in ("fold and match: plain", "fold and match: toned")
        floor = f" [{'green' if rate >= text.FOLD_AND_MATCH_LIMIT else 'red'}]at least 20[/]" if matched else ""
        limit = _mark(step["step"].startswith("HTML"), spent, text.HTML_LIMIT, "ms")
        table.add_row(step["step"], f"{spent:.2f}{limit}", f"{rate:.1f}{floor}")
    out.print(table)


def _show_matching(cases: list[dict[str, Any]]) -> None:
    table = Table(title="Filters that read texts, CPU")
    for column in ("text", "size", "ms together", *(f"ms {name}" for name in cases[0]["filters"]), "x one pass"):
        table.add_column(column, justify="left" if column in ("text", "size") else "right")
    for case in cases:
        ordinary = case["text"].startswith("office")
        limit = _mark(ordinary, case["milliseconds"], matching.LIMITS[case["size"]], "ms")
        spent = (f"{each:.2f}" for each in case["filters"].values())
        table.add_row(
            case["text"], case["size"], f"{case['milliseconds']:.2f}{limit}", *spent, f"{case['passes']:.1f}"
        )
    out.print(table)


def _spread(values: Iterable[float], digits: int) -> str:
    found = sorted(values)
    return f"{median(found):.{digits}f} ({found[0]:.{digits}f}-{found[-1]:.{digits}f})"


def _mark(ours: bool, value: float, limit: float, unit: str) -> str:
    return f" [{'green' if value <= limit else 'red'}]at most {limit:g} {unit}[/]" if ours else ""


if __name__ == "__main__":
    main()
