"""Which parts of a message are files, and what is known of each: its names, its kind, its first bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.mail import Part, Raw
from gateway.mime.decode import decoded
from gateway.mime.kinds import SNIFFED, binary_kind_of, kind_of
from gateway.mime.libmagic import KINDS, media_type_of
from gateway.mime.names import extensions, last_extensions, shown
from gateway.mime.parse import MESSAGES

TEXT_SNIFFED = 4 * 1024
"""Bytes looked at of a text without a name: a program in its place shows itself at once."""


@dataclass(frozen=True, slots=True)
class File:
    """A part that is a file. `kind` is by its bytes; `last` the extensions it may be opened by, `inner` all others."""

    part: Part
    kind: str
    start: bytes
    last: tuple[str, ...]
    inner: frozenset[str]

    def facts(self) -> dict[str, str | int]:
        """What findings say of every file."""
        part = self.part
        name = shown(part.names[0]) if part.names else ""
        extension = self.last[0] if self.last else ""
        about = {"name": name, "extension": extension, "media_type": part.media_type, "kind": self.kind}
        return {**about, "size": part.size, "part": part.label}

    def claims(self) -> list[str]:
        """What its names and the sender say it is: extensions, and the media type if one is declared."""
        return [*self.last, *([self.part.media_type] if self.part.header("content-type") else [])]

    @property
    def whole(self) -> bool:
        """False for an enclosed message, whose parts are listed after it."""
        return not self.part.children


def files(raw: Raw, parts: list[Part]) -> Iterator[File]:
    """The files among the parts: all but the texts that are read in place and the branches of the tree.

    Raises Unavailable where libmagic cannot be used.
    """
    for part in parts:
        kind, start = _look(raw, part)
        if kind:
            last = last_extensions(part.names)
            found = {extension for name in part.names for extension in extensions(name)}
            yield File(part, kind, start, last, frozenset(found.difference(last)))


def _look(raw: Raw, part: Part) -> tuple[str, bytes]:
    if part.children and (part.media_type.startswith("multipart/") or part.media_type in MESSAGES):
        attached = part.names or part.disposition == "attachment"
        return ("mail" if attached and part.media_type in MESSAGES else ""), b""
    if part.media_type.startswith("text/") and not part.names and part.disposition != "attachment":
        start = decoded(raw, part, TEXT_SNIFFED)
        return binary_kind_of(start), start
    start = decoded(raw, part, SNIFFED)
    kind = kind_of(start)
    return (KINDS.get(media_type_of(start), kind) if kind in ("text", "data") else kind), start
