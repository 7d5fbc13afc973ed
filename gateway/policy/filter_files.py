"""The files that filters are made of beside their options: lexicons, catalogues, patterns. They decide like the policy
itself, so they are watched like it and are in its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from gateway.verdict import Filter


def filter_files(filters: Iterable[Filter]) -> tuple[Path, ...]:
    """The files that options of type `Path` name, those of a folder one by one, in the order of the filters."""
    found: dict[Path, None] = {}
    for each in filters:
        if is_dataclass(each):
            for field in fields(each):
                if field.init:
                    found |= dict.fromkeys(_files(getattr(each, field.name)))
    return tuple(found)


def content_digest(files: Iterable[Path]) -> str:
    """One text for what the files say; a file that cannot be read any more counts as empty."""
    digest = hashlib.sha256()
    for file in files:
        try:
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        except OSError:
            digest.update(bytes(32))
    return digest.hexdigest()


def _files(value: Any) -> Iterator[Path]:
    if isinstance(value, Path):
        yield from sorted(value.iterdir()) if value.is_dir() else (value,)
    elif isinstance(value, tuple | frozenset):
        for each in value:
            yield from _files(each)
