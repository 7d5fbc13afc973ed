"""inner: tell of every file, at every depth.

The file before is `gateway/pipeline.py`; this is a filter for tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from gateway.mail import Mail
from gateway.verdict import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside(Finding):
    """A file. `kind` is by its bytes, `depth` how deep it lies."""

    code: ClassVar[str] = "inside"
    kind: str
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """Tells of every file."""

    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (Inside,)
    READS: ClassVar[bool] = True

    def inspect(self, mail: Mail) -> Iterator[Finding]:
        """One finding for each file."""
        for file in mail.reading.files:
            yield Inside(kind=file.kind, depth=file.depth)
