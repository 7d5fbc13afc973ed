"""A disk that loses at a power cut what was not synced: it listens to what a process asks of the system, and says later
what may be there after a cut at any instant.

    with Recorder(folder) as disk:
        ...  # anything that uses the functions of `os` in that folder
        disk.mark("acknowledged")
    for cut in range(len(disk.events) + 1):
        Remains(disk.events[:cut], folder).write(elsewhere, choose)

Nothing is certain but what POSIX promises: the content of a file at its last fsync, and the names in a folder at the
folder's last one. All else may be there, or not, or in part: file systems differ (Pillai et al., "All File Systems Are
Not Created Equal", OSDI 2014).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Event = tuple[Any, ...]
Choice = Literal["lost", "there", "torn"]
CALLS = ("open", "close", "write", "fsync", "rename", "unlink", "mkdir")


class Recorder:
    """Notes the calls of this process that change the folder, in their order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: list[Event] = []
        self._paths: dict[int, Path] = {}
        self._real = {name: getattr(os, name) for name in CALLS}

    def __enter__(self) -> Recorder:
        for name in CALLS:
            setattr(os, name, getattr(self, f"_{name}"))
        return self

    def __exit__(self, *_: object) -> None:
        for name, real in self._real.items():
            setattr(os, name, real)

    def mark(self, *what: object) -> None:
        """Something that happened elsewhere, at this instant."""
        self.events.append(("mark", *what))

    def _open(self, path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        descriptor: int = self._real["open"](path, flags, *args, **kwargs)
        if self._ours(path):
            self._paths[descriptor] = Path(path)
            self.events.append(("open", descriptor, Path(path), bool(flags & os.O_CREAT)))
        return descriptor

    def _close(self, descriptor: int) -> None:
        self._paths.pop(descriptor, None)
        self._real["close"](descriptor)

    def _write(self, descriptor: int, data: Any) -> int:
        size: int = self._real["write"](descriptor, data)
        if descriptor in self._paths:
            self.events.append(("write", descriptor, bytes(data[:size])))
        return size

    def _fsync(self, descriptor: int) -> None:
        self._real["fsync"](descriptor)
        if descriptor in self._paths:
            self.events.append(("fsync", descriptor))

    def _rename(self, before: Any, after: Any, **kwargs: Any) -> None:
        self._real["rename"](before, after, **kwargs)
        if self._ours(before):
            self.events.append(("rename", Path(before), Path(after)))

    def _unlink(self, path: Any, **kwargs: Any) -> None:
        self._real["unlink"](path, **kwargs)
        if self._ours(path):
            self.events.append(("unlink", Path(path)))

    def _mkdir(self, path: Any, *args: Any, **kwargs: Any) -> None:
        self._real["mkdir"](path, *args, **kwargs)
        if self._ours(path):
            self.events.append(("mkdir", Path(path)))

    def _ours(self, path: Any) -> bool:
        return not isinstance(path, int) and Path(path).is_relative_to(self.folder)


@dataclass(eq=False)
class _File:
    data: bytes = b""
    synced: bytes = b""


@dataclass(eq=False)
class _Folder:
    names: dict[str, _File | _Folder] = field(default_factory=dict)
    synced: dict[str, _File | _Folder] = field(default_factory=dict)


class Remains:
    """What there is of the folder after these events, and what of it is certain."""

    def __init__(self, events: Sequence[Event], folder: Path) -> None:
        self._folder = folder
        self._root = _Folder()
        self._descriptors: dict[int, tuple[_File | _Folder, int]] = {}
        for name, *values in events:
            match name:
                case "open":
                    self._opened(*values)
                case "write":
                    self._wrote(*values)
                case "fsync":
                    self._synced(*values)
                case "rename":
                    self._renamed(*values)
                case "unlink":
                    self._unlinked(*values)
                case "mkdir":
                    self._made(*values)

    def write(self, target: Path, choose: Callable[[], Choice]) -> None:
        """Write it to a folder; `choose` says of each thing that is not certain what has become of it."""
        _written(self._root, target, choose)

    def _at(self, path: Path) -> tuple[_Folder, str]:
        folder = self._root
        *parents, name = path.relative_to(self._folder).parts
        for parent in parents:
            inner = folder.names[parent]
            assert isinstance(inner, _Folder)
            folder = inner
        return folder, name

    def _opened(self, descriptor: int, path: Path, create: bool) -> None:
        if path == self._folder:
            self._descriptors[descriptor] = (self._root, 0)
            return
        folder, name = self._at(path)
        if create:
            folder.names.setdefault(name, _File())
        self._descriptors[descriptor] = (folder.names[name], 0)

    def _wrote(self, descriptor: int, data: bytes) -> None:
        file, at = self._descriptors[descriptor]
        assert isinstance(file, _File)
        file.data = file.data[:at] + data + file.data[at + len(data) :]
        self._descriptors[descriptor] = (file, at + len(data))

    def _synced(self, descriptor: int) -> None:
        there, _ = self._descriptors[descriptor]
        if isinstance(there, _File):
            there.synced = there.data
        else:
            there.synced = dict(there.names)

    def _renamed(self, before: Path, after: Path) -> None:
        (old, name), (new, other) = self._at(before), self._at(after)
        new.names[other] = old.names.pop(name)

    def _unlinked(self, path: Path) -> None:
        folder, name = self._at(path)
        del folder.names[name]

    def _made(self, path: Path) -> None:
        folder, name = self._at(path)
        folder.names[name] = _Folder()


def _written(folder: _Folder, target: Path, choose: Callable[[], Choice]) -> None:
    target.mkdir(parents=True)
    names = folder.names if choose() != "lost" else folder.synced
    for name, inner in names.items():
        if isinstance(inner, _Folder):
            _written(inner, target / name, choose)
            continue
        choice = choose() if inner.data != inner.synced else "lost"
        data = {"lost": inner.synced, "there": inner.data, "torn": inner.data[: len(inner.data) // 2]}[choice]
        (target / name).write_bytes(data)
