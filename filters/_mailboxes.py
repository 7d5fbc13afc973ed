"""Address fields (From, Reply-To, ...) to names and addresses, in every way that some mail program reads them.

Encoded words are decoded in names only, and only after the addresses have been found (RFC 2047 section 5): a comma or
an address in one is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.dns.names import as_domain
from gateway.mail import Part
from gateway.mime.header import Field, unfolded
from gateway.mime.words import decode_words

FIELD_LIMIT = 20_000
"""Octets of one field that are looked at."""

MOST_MAILBOXES = 50
"""Mailboxes of one field that are looked at: what speaks of the sender has one."""

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*+)"?|<([^<>]*)>?|([(),;:\\])|([^"<(),;:\\]+)', re.DOTALL)
_QUOTED = re.compile(r"\\(.)", re.DOTALL)
_ADDRESS = re.compile(r"[^\s@<>()\",;:]{1,256}@[^\s@<>()\",;:]{1,256}")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A name as it is shown and an address as it is written, "" where there is none: some programs show the name all
    the same, and decode an address in it. `domain` is in the form of `as_domain`, "" for none."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """The domain of the address."""
        return as_domain(self.address.rpartition("@")[2]) if "@" in self.address else ""


def fields_named(root: Part, name: str) -> list[str]:
    """The texts of all fields of that name, unfolded and not decoded."""
    wanted = name.lower()
    return [
        unfolded(field.text[:FIELD_LIMIT])
        for field in root.headers
        if isinstance(field, Field) and field.name.lower() == wanted
    ]


def mailboxes(text: str) -> list[Mailbox]:
    """The mailboxes of a field, MOST_MAILBOXES at most; for any text, in linear time."""
    found: list[Mailbox] = []
    for named, bracketed in _entries(text[:FIELD_LIMIT]):
        name = decode_words(" ".join(named.split()))
        if bracketed:
            found += [Mailbox(name, _bare(address)) for address in bracketed]
        elif "@" in named and (addresses := _ADDRESS.findall(named)):
            found += [Mailbox("", address) for address in addresses]
        elif name:
            found.append(Mailbox(name, ""))
        if len(found) >= MOST_MAILBOXES:
            break
    return found[:MOST_MAILBOXES]


def mailboxes_of(root: Part, name: str) -> list[Mailbox]:
    """The mailboxes of all fields of that name."""
    return [mailbox for text in fields_named(root, name) for mailbox in mailboxes(text)]


def _entries(text: str) -> Iterator[tuple[str, list[str]]]:
    """What stands between commas: the text outside brackets and comments, and what is in angle brackets."""
    named: list[str] = []
    bracketed: list[str] = []
    depth = 0
    for token in _TOKEN.finditer(text):
        quoted, angle, mark, plain = token.groups()
        if mark == "(":
            depth += 1
        elif mark == ")":
            depth = max(0, depth - 1)
        elif depth:
            continue
        elif mark in (",", ";"):
            yield "".join(named), bracketed
            named, bracketed = [], []
        elif angle is not None:
            bracketed.append(angle)
        elif quoted is not None:
            named.append(_QUOTED.sub(r"\1", quoted))
        else:
            named.append(plain or mark)
    yield "".join(named), bracketed


def _bare(address: str) -> str:
    """The address without white space and without a route in front (RFC 5322 section 4.4)."""
    return "".join(address.rpartition(":")[2].split())
