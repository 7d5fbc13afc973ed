"""What all commands share towards the person or script that runs them: exit codes, consoles, progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import track

EX_OK, EX_FAILED, EX_UNDECIDED = 0, 1, 3
EX_UNAVAILABLE, EX_CONFIG = 69, 78  # sysexits.h

T = TypeVar("T")

out = Console(soft_wrap=not sys.stdout.isatty())
err = Console(stderr=True, soft_wrap=True)

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


def progress(what: str, total: int | None = None) -> Callable[[Iterable[T]], Iterable[T]]:
    """A progress bar over an iterable (of `total` items, where its length does not tell), where a person looks on."""

    def over(items: Iterable[T]) -> Iterable[T]:
        return track(
            items, description=what, total=total, console=err, transient=True, disable=not err.is_terminal
        )

    return over
