"""One signature over a message, as DKIM-Signature and ARC-Message-Signature have it, and how it is verified."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from filters._sender_auth import tags
from filters._sender_auth.canonical import Form, header
from filters._sender_auth.keys import BadKey, PublicKey, is_key, parse_key
from gateway.dns.answers import Kind, Lookup, LookupFailed
from gateway.dns.names import as_domain
from gateway.mime.header import Field

SIGNED_FIELDS = 500
"""Names in h=; a message has at most a thousand fields, and signers name thirty."""

Result = Literal["pass", "fail", "policy", "permerror", "temperror"]

ALGORITHMS = {"rsa-sha256": ("rsa", "sha256"), "rsa-sha1": ("rsa", "sha1"), "ed25519-sha256": ("ed25519", "sha256")}

_OWN_VALUE = re.compile(rb"((?:^|;)[ \t\r\n]*b[ \t\r\n]*=)[^;]*")
_SELECTOR = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*")


class Failure(Exception):
    """The signature does not hold; `result` says in which way."""

    def __init__(self, result: Result, reason: str) -> None:
        super().__init__(reason)
        self.result = result


@dataclass(frozen=True, slots=True)
class Line:
    """A field of the message's head, all of it in `raw`."""

    name: str
    raw: bytes
    text: bytes

    @classmethod
    def of(cls, block: bytes, field: Field) -> Line:
        """The line of a field that lies in `block`."""
        return cls(field.name.lower(), block[field.start : field.stop], field.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The tags of a signature, checked each for itself. `at` is its place among the message's fields."""

    at: int
    algorithm: str
    domain: str
    selector: str
    signature: bytes
    body_hash: bytes
    headers: tuple[str, ...]
    relaxed_header: bool
    form: Form
    time: int | None
    expires: int | None
    tags: dict[str, str]

    @property
    def function(self) -> str:
        """The hash function."""
        return ALGORITHMS[self.algorithm][1]

    @property
    def canonicalization(self) -> str:
        """The c= tag, written out."""
        return "/".join("relaxed" if relaxed else "simple" for relaxed in (self.relaxed_header, self.form.relaxed))


def parse(lines: Sequence[Line], at: int) -> Signature:
    """The signature in the field at that place. Raises BadTags."""
    found = tags.parse(lines[at].text.decode("latin-1"))
    algorithm = found.get("a", "")
    if algorithm not in ALGORITHMS:
        raise tags.BadTags(f"a={algorithm[:40]!a} is no algorithm")
    head, _, body = found.get("c", "simple/simple").partition("/")
    if not {head, body or "simple"} <= {"simple", "relaxed"}:
        raise tags.BadTags("c= is no canonicalization")
    names = tuple(name.lower() for name in tags.words(found, "h", ""))
    if "h" not in found or len(names) > SIGNED_FIELDS:
        raise tags.BadTags("h= is missing or too long")
    return Signature(
        at=at,
        algorithm=algorithm,
        domain=domain_tag(found),
        selector=selector_tag(found),
        signature=tags.octets(found, "b"),
        body_hash=tags.octets(found, "bh"),
        headers=names,
        relaxed_header=head == "relaxed",
        form=Form(body == "relaxed", ALGORITHMS[algorithm][1], tags.number(found, "l")),
        time=tags.number(found, "t"),
        expires=tags.number(found, "x"),
        tags=found,
    )


def domain_tag(found: dict[str, str]) -> str:
    """The d= tag. Raises BadTags."""
    domain = as_domain(found.get("d", ""))
    if not domain:
        raise tags.BadTags("d= is no domain")
    return domain


def selector_tag(found: dict[str, str]) -> str:
    """The s= tag. Raises BadTags."""
    selector = found.get("s", "")
    if len(selector) > 200 or not _SELECTOR.fullmatch(selector):
        raise tags.BadTags("s= is no selector")
    return selector.lower()


def signed_bytes(lines: Sequence[Line], signature: Signature) -> bytes:
    """What was signed of the head (RFC 6376 section 3.7): the fields named in h=, the lowest of each name first, then
    the signature's own field without its value."""
    places: dict[str, list[int]] = {}
    for place, line in enumerate(lines):
        if place != signature.at:
            places.setdefault(line.name, []).append(place)
    pieces = []
    for name in signature.headers:
        if left := places.get(name):
            line = lines[left.pop()]
            pieces.append(header(line.name, line.raw, line.text, relaxed=signature.relaxed_header))
    pieces.append(without_value(lines[signature.at], relaxed=signature.relaxed_header))
    return b"\r\n".join(pieces)


def without_value(line: Line, *, relaxed: bool) -> bytes:
    """A signature's own field with nothing in b=."""
    text = _OWN_VALUE.sub(rb"\1", line.text, count=1)
    raw = line.raw[: len(line.raw) - len(line.text)] + text
    if line.raw.endswith(b"\n") and not raw.endswith(b"\n"):
        raw += b"\r\n"
    return header(line.name, raw, text, relaxed=relaxed)


async def published_key(lookup: Lookup, selector: str, domain: str, algorithm: str) -> PublicKey:
    """The key that the domain publishes for this selector and algorithm. Raises Failure."""
    try:
        answer = await lookup.lookup(f"{selector}._domainkey.{domain}", Kind.TXT)
    except LookupFailed as error:
        raise Failure("temperror", str(error)) from error
    records = [record for record in answer.records if is_key(record)] or list(answer.records)
    if not records:
        raise Failure("permerror", f"{domain} has no key {selector}")
    try:
        key = parse_key(records[0])
    except BadKey as error:
        raise Failure("permerror", str(error)) from error
    kind, function = ALGORITHMS[algorithm]
    if key.kind != kind:
        raise Failure("permerror", f"the key is not for {algorithm}")
    if function not in key.hashes:
        raise Failure("permerror", f"the key is not for {function}")
    return key
