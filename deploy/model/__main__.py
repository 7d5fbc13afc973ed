"""`make model`: fit the weights of the embedded classifiers anew, from a labelled corpus and our own letters.

Each module beside this one that has a `fit(corpus) -> str` is run, and tells what it did; `--only NAME` runs one.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import click

HERE = Path(__file__).parent


@click.command()
@click.argument("corpus", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--only", multiple=True, help="Run the module of this name; may be given more than once.")
def main(corpus: Path, only: tuple[str, ...]) -> None:
    """Fit every model on CORPUS."""
    for name in sorted(path.stem for path in HERE.glob("*.py")):
        if name.startswith("_") or (only and name not in only):
            continue
        module = importlib.import_module(name)
        if hasattr(module, "fit"):
            click.echo(module.fit(corpus))


if __name__ == "__main__":
    main()
