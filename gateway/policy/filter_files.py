"""The files that filters are made of beside their options: lexicons, catalogues, patterns, lists. They decide like the
policy itself, so they are watched like it and are in its digest.

A file that a filter writes itself, as it learns, is none of these: its option has the metadata `{"memory": True}`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from gateway.verdict import Filter


def filter_files(filters: Iterable[Filter]) -> tuple[Path, ...]:
    """The files that options of type `Path` name, a folder with all that lies in it, in the order of the filters."""
    found: dict[Path, None] = {}
    for each in filters:
        if is_dataclass(each):
            for field in fields(each):
                if field.init and not field.metadata.get("memory"):
                    found |= dict.fromkeys(_files(getattr(each, field.name)))
    return tuple(found)


def content_digest(files: Iterable[Path]) -> str:
    """One text for what the files say; a file that cannot be read any more counts as empty, and
    so does a folder."""
    digest = hashlib.sha256()
    for file in files:
        try:
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        except OSError:
            digest.update(bytes(32))
    return digest.hexdigest()


def stamps(files: Iterable[Path]) -> tuple[tuple[int, int, int] | None, ...]:
    """What tells without reading that a file is no longer the same: its time, its size, and which it is. A folder's
    time is that of its last file that came or went. Links are followed: a volume of Kubernetes changes by one."""
    return tuple(map(_stamp, files))


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _files(value: Any) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
        if value.is_dir():
            yield from sorted(value.rglob("*"))
    elif isinstance(value, tuple | frozenset):
        for each in value:
            yield from _files(each)
