"""What an engine says of a mail, in the same words whichever it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Symbol:
    """A test of the engine that hit, the points it gave, and what it says of it (options, a description)."""

    name: str
    score: float = 0.0
    told: str = ""


@dataclass(frozen=True, slots=True)
class Opinion:
    """Points, the points from which the engine marks mail as spam, what it would do, in its own word, and why."""

    score: float
    required: float
    action: str
    symbols: tuple[Symbol, ...]
