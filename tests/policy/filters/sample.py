"""sample: finds things and places, as tests need them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from gateway.mail import Mail
from gateway.verdict import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing(Finding):
    """A thing."""

    code: ClassVar[str] = "thing"
    name: str = ""
    colour: Literal["red", "green", "blue"] = "red"
    confidence: float = 1.0
    size: int | None = None
    hidden: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place(Finding):
    """A place; its `size` is a word."""

    code: ClassVar[str] = "place"
    name: str = ""
    size: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Finds nothing by itself."""

    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (Thing, Place)

    limit: int = 10
    """How many."""
    words: frozenset[str] = frozenset()
    """Which."""

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError("limit must be 1 or more")

    def inspect(self, mail: Mail) -> Iterator[Finding]:
        """Nothing."""
        yield from ()
