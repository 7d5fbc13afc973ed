"""oracle: asks somebody elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import ClassVar

from gateway.errors import Unavailable
from gateway.mail import Mail
from gateway.verdict import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Infected(Finding):
    """Something bad."""

    code: ClassVar[str] = "infected"
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle:
    """Never answers."""

    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (Infected,)

    async def inspect(self, mail: Mail) -> AsyncIterator[Finding]:
        """Could not look."""
        raise Unavailable("nobody answers")
        yield Infected()
