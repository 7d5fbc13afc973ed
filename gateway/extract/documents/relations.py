"""Relations of an Office package (ECMA-376 part 2, 9.3): which part uses which, and what is fetched from outside."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.extract.documents.fields import remote
from gateway.reading import Link, Trait
from gateway.traits import Mark


@dataclass(frozen=True, slots=True)
class Relation:
    """`kind` is the last word of its type; `target` a part's full name, or an address where it is `external`."""

    id: str
    kind: str
    target: str
    external: bool


_LINKS = frozenset({"hyperlink", "image", "video", "audio", "media", "attachedSchema", "transform"})
_ALWAYS = frozenset({"oleObject", "package", "control"})


def relation(owner: str, identity: str, kind: str, target: str, mode: str) -> Relation:
    """A relation of the part `owner` as its attributes have it."""
    external = mode.lower() == "external" or "://" in target or target.startswith("\\\\")
    if not external:
        target = posixpath.normpath(posixpath.join("/", posixpath.dirname(owner), target)).lstrip("/")
    return Relation(identity, kind.rstrip("/").rpartition("/")[2], target, external)


def owner_of(name: str) -> str:
    """The part whose relations are in the part `name`: word/document.xml for word/_rels/document.xml.rels."""
    folder, _, file = name.rpartition("/")
    return posixpath.join(posixpath.dirname(folder), file.removesuffix(".rels"))


def external_facts(each: Relation, place: str) -> Iterator[Trait | Link]:
    """What an external relation means. A hyperlink is none of these: its link is told where its text stands."""
    if not each.external or each.kind == "hyperlink":
        return
    detail = f"{each.kind}: {each.target[:300]}"
    if remote(each.target):
        yield Link(place=place, target=each.target, source=each.kind)
        if each.kind == "attachedTemplate":
            yield Trait(word=Mark.REMOTE_TEMPLATE, detail=detail)
        elif each.kind not in _LINKS:
            yield Trait(word=Mark.EXTERNAL_LINK, detail=detail)
    elif each.kind in _ALWAYS:
        yield Trait(word=Mark.EXTERNAL_LINK, detail=detail)
