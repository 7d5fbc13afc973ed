"""Objects of other programs as files: OLE 1 streams of rtf and old documents ([MS-OLEDS] 2.2), and Packager's format,
which is written down nowhere and carries any file with its name."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.extract.documents.compound import SIGNATURE
from gateway.extract.formats import Fact, Member
from gateway.reading import Trait
from gateway.traits import Mark

NAME = 520
"""Bytes of a file's name or path: twice the 260 of Windows."""

_LINK = 1  # a package that names a file of the reader's machine; one that carries it has 3


def package_facts(data: bytes, *, prefixed: bool) -> Iterator[Fact]:
    """The file in a package: a Trait with its names and a Member. `prefixed` where the length comes first, as in the
    stream Ole10Native. What does not parse is given whole, without a name."""
    at = 4 if prefixed else 0
    body = data[at : at + int.from_bytes(data[:4], "little")] if prefixed else data
    reader = _Reader(body, 2)
    label = reader.string()
    path = reader.string()
    linked = reader.number() >> 16 == _LINK
    if linked:
        target = reader.data[reader.at : reader.at + NAME].lstrip(b"\0\x01").partition(b"\0")[0]
        yield Trait(word=Mark.PACKAGE, detail=label[:300])
        yield Trait(word=Mark.SHORTCUT, detail=_text(target) or path)
        return
    reader.at += 4 + reader.number_at(reader.at)  # the temporary path
    size = reader.number()
    if (not label and not path) or not size or reader.at + size > len(body) + 16:
        yield Member(content=body)
        return
    content = body[reader.at : reader.at + size]
    reader.at += size
    # Names once more in UTF-16: the temporary path, the label, the path.
    wide = [reader.wide() for _ in range(3)]
    names = dict.fromkeys(_base(name) for name in (label, path, *wide) if name)
    yield Trait(word=Mark.PACKAGE, detail=", ".join(names)[:300])
    yield Member(names=tuple(names), content=content)


def ole1_facts(data: bytes) -> Iterator[Fact]:
    """An OLE 1 object as `objdata` of rtf has it: its class, and what is inside."""
    reader = _Reader(data, 4)
    kind = reader.number()
    name = reader.counted()
    topic, item = reader.counted(), reader.counted()
    if kind not in (1, 2) or len(name) > NAME:
        yield from _by_signature(data)
        return
    yield Trait(word=Mark.OLE_OBJECT, detail=name[:100])
    if name.lower().startswith("equation"):
        yield Trait(word=Mark.EQUATION, detail=name[:100])
    if kind == 1:
        yield Trait(word=Mark.EXTERNAL_LINK, detail=f"{topic} {item}"[:300])
        return
    size = reader.number()
    native = data[reader.at : reader.at + size]
    if name.lower() == "package" and not native.startswith(SIGNATURE):
        yield from package_facts(native, prefixed=False)
    elif native:
        yield Member(content=native)


def _by_signature(data: bytes) -> Iterator[Fact]:
    """Broken on purpose: Word finds the compound file all the same."""
    yield Trait(word=Mark.OLE_OBJECT, detail="broken header")
    at = data.find(SIGNATURE)
    if data:
        yield Member(content=data[max(at, 0) :])


def _base(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


class _Reader:
    """Little-endian fields from a place on; behind the end everything is 0."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at

    def number_at(self, at: int) -> int:
        return int.from_bytes(self.data[at : at + 4], "little")

    def number(self) -> int:
        self.at += 4
        return self.number_at(self.at - 4)

    def string(self) -> str:
        """Ends with a zero."""
        stop = self.data.find(b"\0", self.at, self.at + NAME)
        if stop < 0:
            return ""
        text, self.at = self.data[self.at : stop], stop + 1
        return _text(text)

    def counted(self) -> str:
        """Length first, its final zero counted."""
        length = self.number()
        if length > NAME:
            return "\0" * (NAME + 1)
        self.at += length
        return _text(self.data[self.at - length : self.at].rstrip(b"\0"))

    def wide(self) -> str:
        """Count of characters first, UTF-16."""
        length = self.number()
        if length > NAME:
            return ""
        self.at += 2 * length
        return self.data[self.at - 2 * length : self.at].decode("utf-16-le", "replace").rstrip("\0")


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
