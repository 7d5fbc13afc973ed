"""`make evaluate CORPUS=DIR`: how well Mailwarden reads and judges the mail of a labelled corpus.

Each module beside this one that has a `score(corpus) -> Score` is run; `--only NAME` runs one. A corpus is a folder of
.eml files with a `manifest.jsonl`: a JSON object a line, with the `file`, its `group` and its `label` at the least.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
out = Console()


@click.command()
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--only", multiple=True, help="Run the module of this name; may be given more than once.")
def main(corpus: Path, only: tuple[str, ...]) -> None:
    """Score everything on CORPUS. Exit status 1 if something that must hold does not."""
    failed = False
    for name in sorted(path.stem for path in HERE.glob("*.py")):
        if name.startswith("_") or (only and name not in only):
            continue
        module = importlib.import_module(name)
        if not hasattr(module, "score"):
            continue
        result = module.score(corpus)
        table = Table(title=result.title, caption=result.note)
        for column in result.columns:
            table.add_column(column)
        for row in result.rows:
            table.add_row(*map(str, row))
        out.print(table)
        failed = failed or not result.holds
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
