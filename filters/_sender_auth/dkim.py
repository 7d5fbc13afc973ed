"""DKIM: who signed a message, and whether it is still what was signed (RFC 6376, RFC 8301, RFC 8463)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from filters._sender_auth import tags
from filters._sender_auth.canonical import Form, Hashed, body_hashes
from filters._sender_auth.keys import SHORTEST_KEY, PublicKey, verifies
from filters._sender_auth.signature import Failure, Line, Result, Signature, parse, published_key, signed_bytes
from gateway.dns.answers import Lookup
from gateway.dns.names import within
from gateway.mail import Raw, Span

MOST_SIGNATURES = 8
"""Signatures of one message that are verified; mail has one to three, and each costs a question and a hash."""

INLINE = 64 * 1024
"""Octets of a body that is hashed on the event loop."""

SHOWN = ("from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "content-type", "mime-version")
"""Fields that people or their programs go by: one more of them on top changes what is shown (RFC 6376 section 8.15)."""

_HEXADECIMAL = re.compile("=([0-9A-F]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What became of one signature. `identity` is i=; `bits` is 0 where no key was found; `unsigned_octets` is how
    much of the body lies behind l=; `doubled` names fields of which the message has more than are signed; `sealed` is
    true if no further From can be put on without breaking the signature; `weak` if it is good and yet must not count
    (RFC 8301)."""

    result: Result
    reason: str = ""
    domain: str = ""
    selector: str = ""
    identity: str = ""
    algorithm: str = ""
    canonicalization: str = ""
    bits: int = 0
    signed: tuple[str, ...] = ()
    unsigned_octets: int = 0
    doubled: tuple[str, ...] = ()
    sealed: bool = False
    testing: bool = False
    expired: bool = False
    weak: bool = False


async def verify(lookup: Lookup, raw: Raw, body: Span, lines: Sequence[Line], now: float) -> list[Verified]:
    """The signatures of a message from its top, MOST_SIGNATURES at most. `now` is a Unix time."""
    places = [place for place, line in enumerate(lines) if line.name == "dkim-signature"][:MOST_SIGNATURES]
    if not places:
        return []
    parsed: list[Signature | Verified] = [_parsed(lines, place) for place in places]
    bodies = await hashed(raw, body, [each.form for each in parsed if isinstance(each, Signature)])
    return [
        each if isinstance(each, Verified) else await _verified(lookup, lines, each, bodies[each.form], now)
        for each in parsed
    ]


async def hashed(raw: Raw, body: Span, forms: Iterable[Form]) -> dict[Form, Hashed]:
    """The digests of the body, off the event loop where it is large."""
    wanted = set(forms)
    if len(body) <= INLINE:
        return body_hashes(raw, body, wanted)
    return await asyncio.to_thread(body_hashes, raw, body, wanted)


def _parsed(lines: Sequence[Line], place: int) -> Signature | Verified:
    try:
        signature = parse(lines, place)
        _check_dkim(signature)
    except tags.BadTags as error:
        return Verified(result="permerror", reason=str(error))
    return signature


def _check_dkim(signature: Signature) -> None:
    """What a DKIM signature must have beside what all signatures have (section 3.5). Raises BadTags."""
    found = signature.tags
    if found.get("v") != "1":
        raise tags.BadTags("v= is not 1")
    if "from" not in signature.headers:
        raise tags.BadTags("From is not signed")
    if not {"dns/txt", "dns"} & {word.lower() for word in tags.words(found, "q", "dns/txt")}:
        raise tags.BadTags("q= names no way to the key that there is")
    if not within(_identity(signature).rpartition("@")[2], frozenset({signature.domain})):
        raise tags.BadTags("i= is not below d=")
    if signature.expires is not None and signature.time is not None and signature.expires < signature.time:
        raise tags.BadTags("x= is before t=")


def _identity(signature: Signature) -> str:
    """The i= tag, in which octets may be written in hexadecimal (section 2.11)."""
    written = signature.tags.get("i", f"@{signature.domain}")
    return _HEXADECIMAL.sub(lambda found: chr(int(found[1], 16)), written).lower()


async def _verified(lookup: Lookup, lines: Sequence[Line], signature: Signature, body: Hashed, now: float) -> Verified:
    expired = signature.expires is not None and signature.expires < now
    key: PublicKey | None = None
    result: Result = "pass"
    reason = ""
    try:
        if expired:
            raise Failure("fail", "the signature has expired")
        check_body(signature, body)
        key = await published_key(lookup, signature.selector, signature.domain, signature.algorithm)
        if key.strict and _identity(signature).rpartition("@")[2] != signature.domain:
            raise Failure("permerror", "the key is not for subdomains")
        check_head(lines, signature, key)
        if weakness := _weakness(signature, key):
            raise Failure("policy", weakness)
    except Failure as failure:
        result, reason = failure.result, str(failure)
    present = [line.name for line in lines]
    return Verified(
        result=result,
        reason=reason,
        domain=signature.domain,
        selector=signature.selector,
        identity=_identity(signature),
        algorithm=signature.algorithm,
        canonicalization=signature.canonicalization,
        bits=key.bits if key else 0,
        signed=tuple(dict.fromkeys(signature.headers)),
        unsigned_octets=max(0, body.size - signature.form.length) if signature.form.length is not None else 0,
        doubled=tuple(name for name in SHOWN if present.count(name) > max(1, signature.headers.count(name))),
        sealed=signature.headers.count("from") > present.count("from"),
        testing=key.testing if key else False,
        expired=expired,
        weak=result == "policy",
    )


def check_body(signature: Signature, body: Hashed) -> None:
    """Raises Failure unless the body is the one that was signed."""
    if signature.form.length is not None and signature.form.length > body.size:
        raise Failure("fail", "the body is shorter than l=")
    if body.digest != signature.body_hash:
        raise Failure("fail", "the body was changed")


def check_head(lines: Sequence[Line], signature: Signature, key: PublicKey) -> None:
    """Raises Failure unless the signature is by this key, of this head."""
    if not verifies(key, signature.function, signature.signature, signed_bytes(lines, signature)):
        raise Failure("fail", "the signature does not fit the head")


def _weakness(signature: Signature, key: PublicKey) -> str:
    """Why a good signature must not count (RFC 8301 sections 3.1 and 3.2), "" if it may."""
    if signature.function == "sha1":
        return "signed with SHA-1"
    return f"the key has only {key.bits} bits" if key.kind == "rsa" and key.bits < SHORTEST_KEY else ""
