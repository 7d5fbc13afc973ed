"""`mailwarden coverage`: which clauses of the regulations a policy carries out, and which it does not."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from gateway.commands.terminal import EX_FAILED, EX_OK, as_json, err, out
from gateway.policy.coverage import (
    SHIPPED,
    STRENGTH,
    Covered,
    State,
    cited,
    counts,
    coverage,
    load_regulations,
    miscited,
)
from gateway.policy.load import load

COLOURS = {
    State.ENFORCED: "green",
    State.REPORTED: "cyan",
    State.ASSISTED: "cyan",
    State.OPEN: "yellow",
    State.OUT_OF_REACH: "dim",
}


@click.command("coverage")
@click.argument("policy", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
@click.option("--all", "everything", is_flag=True, help="Also regulations that the policy does not cite.")
@click.option("--open", "only_open", is_flag=True, help="Only clauses about which something could be done.")
@click.option(
    "--regulations",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=SHIPPED,
    help="The list of clauses; the one that comes with the gateway if left out.",
)
def coverage_command(policy: Path, as_json: bool, everything: bool, only_open: bool, regulations: Path) -> None:
    """Tell of each clause of the cited regulations: enforced, reported, assisted, open, or out of reach, and by what.

    What is carried out with less than it could be (no virus scanner) is told on standard error. Exit code 0, or 1 if a
    rule cites a clause that its regulation does not have.

    \b
    Examples:
      mailwarden coverage policies/default.yaml
      mailwarden coverage policies/default.yaml --open --json
    """
    loaded, known = load(policy), load_regulations(regulations)
    names = frozenset(known.regulations) if everything else cited(loaded)
    found = coverage(loaded, known, names)
    shown = [each for each in found if not only_open or each.state is State.OPEN]
    if as_json:
        for each in shown:
            click.echo(json.dumps(_plain(each), ensure_ascii=False))
    else:
        out.print(_clauses(shown))
        out.print(_counts(found))
    wrong = list(miscited(loaded, known))
    for rule, cite in wrong:
        err.print(f"{rule.where}: rule {rule.id} cites {cite}, which is not in the list of clauses", markup=False)
    for name in sorted(names - known.regulations.keys()):
        err.print(f"{name} is cited and not in the list of regulations", markup=False)
    for name, filter_ in loaded.filters.items():
        if shortfall := getattr(filter_, "shortfall", ""):
            err.print(f"filter {name}: {shortfall}", markup=False)
    sys.exit(EX_FAILED if wrong else EX_OK)


def _plain(each: Covered) -> dict[str, object]:
    clause = each.clause
    return {
        "clause": each.citation,
        "state": each.state.value,
        "by": list(each.by),
        "classes": list(clause.classes),
        "controls": list(clause.controls),
        "vi": clause.vi,
        "en": clause.en,
    }


def _clauses(found: list[Covered]) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    for column in ("clause", "state", "by", "what it says"):
        table.add_column(column, overflow="fold", no_wrap=column == "clause")
    for each in found:
        by = ", ".join(each.by) or (f"could be: {', '.join(each.clause.classes)}" if each.state is State.OPEN else "")
        cells = (each.citation, each.state.value, by, each.clause.en)
        table.add_row(*map(Text, cells), style=COLOURS[each.state])
    return table


def _counts(found: list[Covered]) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    for column in ("regulation", *(state.value for state in STRENGTH), "clauses"):
        table.add_column(column, justify="left" if column == "regulation" else "right")
    for name, counted in counts(found).items():
        table.add_row(name, *(str(counted[state]) for state in STRENGTH), str(counted.total()))
    return table
