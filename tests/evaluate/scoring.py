"""What a module of `make evaluate` gives back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A table for people. `holds` is false where something that must hold does not; `note` says what the rows mean."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    note: str = ""
    holds: bool = True
