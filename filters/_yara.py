"""YARA rules of the operator's own (YARA-X), compiled once when the policy is loaded."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.errors import Unavailable

SECONDS = 10
"""For one scan: rules with many short strings are slow on large files."""

SUFFIXES = frozenset({".yar", ".yara"})


@dataclass(frozen=True, slots=True)
class Rules:
    """Compiled rules."""

    module: Any
    compiled: Any

    @classmethod
    def load(cls, path: Path) -> Rules:
        """The rules of a file, or of all files of a folder. Raises ValueError with what is wrong, and where."""
        try:
            module = importlib.import_module("yara_x")
        except ImportError as error:
            raise ValueError("YARA rules need the extra: pip install 'mailwarden[yara]'") from error
        files = sorted(one for one in path.rglob("*") if one.suffix in SUFFIXES) if path.is_dir() else [path]
        if not files:
            raise ValueError(f"no .yar or .yara file in {path}")
        compiler = module.Compiler()
        for file in files:
            compiler.new_namespace(file.stem)
            try:
                compiler.add_source(file.read_text("utf-8"), origin=str(file))
            except OSError as error:
                raise ValueError(f"{file}: {error.strerror}") from error
            except (UnicodeDecodeError, module.CompileError) as error:
                raise ValueError(f"{file}: {error}") from error
        return cls(module, compiler.build())

    def matches(self, content: bytes) -> Sequence[str]:
        """The names of the rules that the content meets. Raises Unavailable where they take too long."""
        scanner = self.module.Scanner(self.compiled)
        scanner.set_timeout(SECONDS)
        try:
            return [rule.identifier for rule in scanner.scan(content).matching_rules]
        except self.module.TimeoutError as error:
            raise Unavailable("YARA rules took too long") from error
