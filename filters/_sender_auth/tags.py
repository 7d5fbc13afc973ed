"""Lists of tags and values, `v=1; a=rsa-sha256; ...`, as signatures and keys have them (RFC 6376 section 3.2)."""

from __future__ import annotations

import base64
import binascii
import re

MOST_TAGS = 60
"""Tags of one list; those that are known number twenty."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SPACE = re.compile(r"[ \t\r\n]+")


class BadTags(ValueError):
    """A list that is none, or a value that its tag cannot have; the text says which."""


def parse(text: str) -> dict[str, str]:
    """The values by tag, without the white space around them; names keep their case. Raises BadTags."""
    pieces = text.split(";", MOST_TAGS + 1)
    if len(pieces) > MOST_TAGS + 1:
        raise BadTags(f"more than {MOST_TAGS} tags")
    if not pieces[-1].strip(" \t\r\n"):
        pieces.pop()
    tags: dict[str, str] = {}
    for piece in pieces:
        name, equals, value = piece.partition("=")
        name = name.strip(" \t\r\n")
        if not equals or not _NAME.fullmatch(name):
            raise BadTags(f"{piece.strip()[:60]!a} is no tag")
        if name in tags:
            raise BadTags(f"{name}= stands twice")  # section 3.2: the whole list is invalid
        tags[name] = value.strip(" \t\r\n")
    return tags


def octets(tags: dict[str, str], name: str) -> bytes:
    """The value of a tag in base64, which may have white space in it. Raises BadTags."""
    try:
        value = base64.b64decode(_SPACE.sub("", tags.get(name, "")), validate=True)
    except (binascii.Error, ValueError):
        raise BadTags(f"{name}= is no base64") from None
    if not value:
        raise BadTags(f"there is no {name}=")
    return value


def number(tags: dict[str, str], name: str) -> int | None:
    """The value of a tag that is a number, None where the tag is missing. Raises BadTags."""
    value = tags.get(name)
    if value is None:
        return None
    if not re.fullmatch("[0-9]{1,18}", value, re.ASCII):
        raise BadTags(f"{name}= is no number")
    return int(value)


def words(tags: dict[str, str], name: str, default: str) -> tuple[str, ...]:
    """The values of a tag with several of them, parted by colons."""
    return tuple(word.strip(" \t\r\n") for word in tags.get(name, default).split(":"))
