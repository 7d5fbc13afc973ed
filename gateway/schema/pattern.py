"""Operators' patterns, run by RE2: linear in the text whatever the pattern and whoever wrote the text."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import re2

from gateway.schema.nodes import Node, ScalarNode
from gateway.schema.reader import Invalid, Reader

PATTERN_LIMIT = 4096
"""Characters of one pattern; long lists of words belong in a list."""

MEMORY_LIMIT = 8 << 20
"""Octets RE2 may spend on one pattern, its compiled form and its caches (RE2's own default, made explicit)."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled RE2 pattern; equal if the texts are equal. `(?i)` in front makes it blind to case.

    `compiled` has google-re2's interface (`search`, `finditer`, ...). Raises ValueError with the engine's words for a
    text that is no pattern.
    """

    NODES: ClassVar = (ScalarNode,)
    EXPECTED: ClassVar = "a pattern"

    source: str
    compiled: Any = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "compiled", _compile(self.source))

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> Pattern | Invalid:
        """The pattern that a scalar holds; what RE2 has against it becomes a problem."""
        source = reader.read(node, str)
        return source if isinstance(source, Invalid) else cls(source)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """For `jsonschema.py`."""
        return {"type": "string", "maxLength": PATTERN_LIMIT}

    def search(self, text: str) -> bool:
        """True if the pattern is found anywhere in the text."""
        return self.compiled.search(text) is not None

    def __str__(self) -> str:
        return self.source

    def __reduce__(self) -> tuple[type[Pattern], tuple[str]]:
        return Pattern, (self.source,)


@lru_cache(maxsize=4096)
def _compile(source: str) -> Any:
    if len(source) > PATTERN_LIMIT:
        raise ValueError(f"a pattern has at most {PATTERN_LIMIT} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MEMORY_LIMIT
    try:
        return re2.compile(source, options)
    except re2.error as error:
        reason = error.args[0]
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"not a pattern that RE2 knows: {text}") from None
