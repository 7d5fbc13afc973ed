"""Zip files, read as every program would: by the directory, by the local headers, and wherever they disagree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from gateway.extract.inflate import Damaged, Packed, content_of
from gateway.extract.room import Room
from gateway.extract.zip_headers import CENTRAL, END, END_LENGTH, LOCAL, Header, central_headers, end, local_header

MAX_ENDS = 16
"""End records that are believed: one is honest, each more is another file for some program."""

MAX_READINGS = 4
"""Entries at one header: the directory's and its own, for two directories; more are one content under many names."""

_DESCRIPTOR = b"PK\x07\x08"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Packed):
    """One reading of one member. `names` has each reading of its name; `at` is where its local header begins, -1 where
    it has none. `open` if nothing tells where its data ends; `overlaps` if it shares bytes with another member."""

    names: tuple[str, ...]
    at: int
    open: bool = False
    overlaps: bool = False

    @property
    def folder(self) -> bool:
        """True for what is only a folder's name."""
        return bool(self.names) and self.names[0].endswith("/") and not self.size and not self.packed


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All readings of all members, in the order of the file. `odd` names in one word each how the file is strange:
    overlap, headers-differ, hidden-member, no-directory, two-directories, missing-member. `cut` where there are more
    members than were asked for."""

    entries: tuple[Entry, ...]
    comment: bytes = b""
    odd: tuple[str, ...] = ()
    cut: bool = False


def listing(data: bytes, room: Room) -> Listing:
    """The members of `data`, by either way of finding them, as many as the room has files."""
    survey = _Survey(data, room.files)
    survey.by_directories()
    survey.by_lost_directories()
    survey.by_local_headers()
    return survey.result()


def unpacked(data: bytes, entry: Entry, room: Room) -> bytes:
    """The content of a member. Raises Full, Locked, and Damaged (a ValueError with what could be read) where it is
    corrupt or its method is unknown."""
    return content_of(data, entry, room).whole()


def parts(data: bytes, room: Room) -> Iterator[tuple[str, bytes]]:
    """For Office readers: each member's name and content, in order, folders left out. Raises as `unpacked` does; a
    damaged member is given as far as it can be read, and told of by a ValueError when all others have been given."""
    found = listing(data, room)
    damage = "more parts than are read" if found.cut else ""
    for entry in found.entries:
        if entry.folder:
            continue
        try:
            content = unpacked(data, entry, room)
        except Damaged as problem:
            content, damage = problem.content, damage or str(problem)
        yield (entry.names or ("",))[0], content
    if damage:
        raise ValueError(damage)


@dataclass(slots=True)
class _Survey:
    """A zip file while it is looked through. `covered` are stretches that are known for what they are."""

    data: bytes
    most: int
    entries: list[Entry] = field(default_factory=list)
    covered: list[tuple[int, int]] = field(default_factory=list)
    seen: set[tuple[int, int, int, int, tuple[str, ...]]] = field(default_factory=set)
    odd: dict[str, None] = field(default_factory=dict)
    comment: bytes = b""
    directories: set[int] = field(default_factory=set)
    cut: bool = False

    def by_directories(self) -> None:
        """Follow each end record, the last one first: it is the one by the book."""
        at, ends = len(self.data), 0
        while ends < MAX_ENDS and (at := self.data.rfind(END, 0, at)) >= 0:
            if self._known(at):
                continue  # a zip stored in this one
            ends += 1
            found, comment = end(self.data, at)
            self.comment = self.comment or comment
            self.covered.append((at, at + END_LENGTH))
            for directory in found:
                self._directory(directory.start, directory.base)

    def by_lost_directories(self) -> None:
        """Directories that no end record points to."""
        first = max(self.data.find(LOCAL), 0)
        for start, stop in self._gaps():
            at = start
            while not self.cut and (at := self.data.find(CENTRAL, at, stop)) >= 0:
                at = max(self._directory(at, first), at + 4)

    def by_local_headers(self) -> None:
        """Members that no directory has."""
        alone = not self.directories
        for start, stop in self._gaps():
            at = start
            while not self.cut and (at := self.data.find(LOCAL, at, stop)) >= 0:
                local = local_header(self.data, at)
                if local is None:
                    return
                self.odd["no-directory" if alone else "hidden-member"] = None
                unknown = local.sizes_follow and not local.packed
                packed = self._until(local, stop) - local.stop if unknown else local.packed
                self._add(local.names, local, at, local.stop, packed, open=unknown)
                at = local.stop + (0 if unknown else packed)

    def result(self) -> Listing:
        """All of it, overlapping members marked."""
        ordered = sorted(self.entries, key=lambda one: (one.at, one.start))
        reach, reached_by = 0, -1
        overlapping: set[int] = set()
        for entry in ordered:
            if 0 <= entry.at < reach and entry.at != reached_by:
                overlapping |= {entry.at, reached_by}
            stop = entry.start + (0 if entry.open else entry.packed)
            if stop > reach:
                reach, reached_by = stop, entry.at
        names_at: dict[int, int] = {}
        for entry in ordered:
            names_at[entry.at] = names_at.get(entry.at, 0) + 1
        overlapping |= {at for at, count in names_at.items() if count > MAX_READINGS and at >= 0}
        if overlapping:
            self.odd["overlap"] = None
        entries = tuple(replace(entry, overlaps=entry.at in overlapping) for entry in self.entries)
        return Listing(entries=entries, comment=self.comment, odd=tuple(self.odd), cut=self.cut)

    def _directory(self, start: int, base: int) -> int:
        """Take up the members of a directory; the byte behind it."""
        if start in self.directories:
            return start
        if self.directories:
            self.odd["two-directories"] = None
        self.directories.add(start)
        stop = start
        for header in central_headers(self.data, start):
            if self.cut:
                break
            stop = header.stop
            self._member(header, base)
        self.covered.append((start, stop))
        return stop

    def _member(self, header: Header, base: int) -> None:
        places = dict.fromkeys((header.offset + base, header.offset))
        found = [(at, local) for at in places if (local := local_header(self.data, at))]
        if not found:
            self.odd["missing-member"] = None
            self._add(header.names, header, -1, len(self.data), 0)
        right = [(at, local) for at, local in found if local.raw_name == header.raw_name]
        for at, local in right[:1] or found:
            names = tuple(dict.fromkeys((*header.names, *local.names)))
            self._add(names, header, at, local.stop, header.packed)
            if _differ(header, local):
                self.odd["headers-differ"] = None
                if not local.sizes_follow or local.packed:
                    self._add(names, local, at, local.stop, local.packed)
                elif (local.method, local.encrypted) != (header.method, header.encrypted):
                    self._add(names, local, at, local.stop, header.packed)

    def _add(
        self, names: tuple[str, ...], header: Header, at: int, start: int, packed: int, *, open: bool = False
    ) -> None:
        packed = max(min(packed, len(self.data) - start), 0)
        key = (at, header.method, packed, header.encrypted, names)
        if key in self.seen:
            return
        if len(self.entries) >= self.most:
            self.cut = True
            return
        self.seen.add(key)
        if at >= 0:
            self.covered.append((at, start if open else start + packed))
        self.entries.append(
            Entry(
                names=names,
                method=header.method,
                packed=packed,
                size=header.size,
                crc=None if header.sizes_follow and not header.crc else header.crc,
                start=start,
                encrypted=header.encrypted,
                at=at,
                open=open,
            )
        )

    def _until(self, local: Header, stop: int) -> int:
        """Where the data of a member ends whose header does not tell: deflate tells itself."""
        if local.method == 0:
            for mark in (LOCAL, CENTRAL, _DESCRIPTOR):  # each within the last: no byte is looked at twice
                found = self.data.find(mark, local.stop, stop)
                stop = found if found >= 0 else stop
        return stop

    def _known(self, at: int) -> bool:
        return any(start <= at < stop for start, stop in self.covered)

    def _gaps(self) -> list[tuple[int, int]]:
        """The stretches that are covered by nothing yet."""
        gaps, at = [], 0
        for start, stop in sorted(self.covered):
            if start > at:
                gaps.append((at, start))
            at = max(at, stop)
        if at < len(self.data):
            gaps.append((at, len(self.data)))
        return gaps


def _differ(central: Header, local: Header) -> bool:
    sizes = not local.sizes_follow and (central.packed, central.size) != (local.packed, local.size)
    return (
        sizes
        or central.raw_name != local.raw_name
        or (central.method, central.encrypted) != (local.method, local.encrypted)
    )
