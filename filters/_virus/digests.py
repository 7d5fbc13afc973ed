"""Files that are known by their SHA-256: lists as authorities send them out, in the form of sha256sum(1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = frozenset({".sha256", ".txt"})

MOST = 500_000
"""Digests of all lists together: each takes 150 bytes. What has more is for clamd (its .hsb files)."""

TOLD = 5
"""Wrong lines that are told of."""

LONGEST_NAME = 100

_LINE = re.compile(r"([0-9a-fA-F]{64})(?:[ \t]+\*?(.*))?")


@dataclass(frozen=True, slots=True)
class Digests:
    """The names of known files by the SHA-256 of their content."""

    names: dict[bytes, str]

    @classmethod
    def load(cls, path: Path) -> Digests:
        """The digests of a list, or of all lists of a folder. Raises ValueError with what is wrong, and where."""
        files = sorted(one for one in path.rglob("*") if one.suffix in SUFFIXES) if path.is_dir() else [path]
        if not files:
            raise ValueError(f"no .sha256 or .txt file in {path}")
        names: dict[bytes, str] = {}
        wrong: list[str] = []
        for file in files:
            for number, line in enumerate(_lines(file), 1):
                if found := _LINE.fullmatch(line):
                    name = (found[2] or "").strip()[:LONGEST_NAME]
                    names.setdefault(bytes.fromhex(found[1]), name or file.stem)
                elif line and not line.startswith("#"):
                    wrong.append(f"{file}:{number}: no SHA-256 of 64 hexadecimal digits")
                if len(names) > MOST:
                    raise ValueError(f"{file}:{number}: more than {MOST} digests")
        if wrong:
            more = f", and {len(wrong) - TOLD} more lines" if len(wrong) > TOLD else ""
            raise ValueError("; ".join(wrong[:TOLD]) + more)
        return cls(names)

    def name_of(self, digest: str) -> str:
        """The name of the file with this SHA-256 in hex, "" for one that is not listed."""
        return self.names.get(bytes.fromhex(digest), "")


def _lines(file: Path) -> Iterator[str]:
    try:
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                yield line.strip()
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{file}: {error}") from error
