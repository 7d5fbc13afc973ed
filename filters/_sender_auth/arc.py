"""ARC: what those who passed a message on saw of its sender, each sealed by who saw it (RFC 8617)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from filters._sender_auth import tags
from filters._sender_auth.canonical import header
from filters._sender_auth.dkim import check_body, check_head, hashed
from filters._sender_auth.keys import SHORTEST_KEY, PublicKey, verifies
from filters._sender_auth.signature import (
    ALGORITHMS,
    Failure,
    Line,
    domain_tag,
    parse,
    published_key,
    selector_tag,
    without_value,
)
from gateway.dns.answers import Lookup
from gateway.dns.names import as_domain
from gateway.mail import Raw, Span

MOST_SETS = 50
"""RFC 8617 section 4.2.1."""

RESULTS, MESSAGE, SEAL = "arc-authentication-results", "arc-message-signature", "arc-seal"

_INSTANCE = re.compile(r"[ \t\r\n]*i[ \t]*=[ \t]*([1-9][0-9]?)[ \t\r\n]*;(.*)", re.DOTALL)


@dataclass(slots=True)
class Set:
    """The three fields that one host puts on: their places among the message's fields, by name. `sealer` is the domain
    that the seal is said to be of, `results` what the host saw."""

    places: dict[str, int] = field(default_factory=dict)
    sealer: str = ""
    results: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The chain: `sets` from the first host to the last, which handed the message to us. `temperror` is for a key that
    nobody could look up."""

    result: Literal["none", "pass", "fail", "temperror"]
    reason: str = ""
    sets: tuple[Set, ...] = ()


async def verify(lookup: Lookup, raw: Raw, body: Span, lines: Sequence[Line]) -> Chain:
    """The state of the chain (section 5.2): the last message signature and every seal have to hold."""
    if not any(line.name in (RESULTS, MESSAGE, SEAL) for line in lines):
        return Chain(result="none")
    sets: list[Set] = []
    try:
        sets = _sets(lines)
        await _check_message(lookup, raw, body, lines, sets)
        for instance in range(len(sets), 0, -1):
            await _check_seal(lookup, lines, sets, instance)
    except tags.BadTags as error:
        return Chain(result="fail", reason=str(error), sets=tuple(sets))
    except Failure as failure:
        result: Literal["fail", "temperror"] = "temperror" if failure.result == "temperror" else "fail"
        return Chain(result=result, reason=str(failure), sets=tuple(sets))
    return Chain(result="pass", sets=tuple(sets))


def _sets(lines: Sequence[Line]) -> list[Set]:
    """The sets in order. Raises BadTags where one is incomplete or doubled."""
    found: dict[int, Set] = {}
    for place, line in enumerate(lines):
        if line.name not in (RESULTS, MESSAGE, SEAL):
            continue
        instance, results = _instance(line)
        one = found.setdefault(instance, Set())
        if line.name in one.places:
            raise tags.BadTags(f"two {line.name} fields of i={instance}")
        one.places[line.name] = place
        if line.name == RESULTS:
            one.results = results
        elif line.name == SEAL:
            one.sealer = as_domain(tags.parse(line.text.decode("latin-1")).get("d", ""))
    if max(found) != len(found) or len(found) > MOST_SETS or any(len(one.places) < 3 for one in found.values()):
        raise tags.BadTags("the sets are not complete")
    return [found[instance] for instance in sorted(found)]


def _instance(line: Line) -> tuple[int, str]:
    """The i= tag of a field, and the results where it has them. Raises BadTags."""
    text = line.text.decode("latin-1")
    if line.name == RESULTS:
        if not (matched := _INSTANCE.fullmatch(text)):
            raise tags.BadTags(f"{line.name} has no i=")
        return int(matched[1]), matched[2]
    number = tags.number(tags.parse(text), "i")
    if not number:
        raise tags.BadTags(f"{line.name} has no i=")
    return number, ""


async def _check_message(lookup: Lookup, raw: Raw, body: Span, lines: Sequence[Line], sets: list[Set]) -> None:
    """The last message signature (section 4.1.2)."""
    signature = parse(lines, sets[-1].places[MESSAGE])
    if SEAL in signature.headers:
        raise tags.BadTags("a seal is among the signed fields")
    _check_algorithm(signature.algorithm)
    bodies = await hashed(raw, body, [signature.form])
    check_body(signature, bodies[signature.form])
    key = await published_key(lookup, signature.selector, signature.domain, signature.algorithm)
    _check_key(key)
    check_head(lines, signature, key)


async def _check_seal(lookup: Lookup, lines: Sequence[Line], sets: list[Set], instance: int) -> None:
    """One seal (section 4.1.3), which is over all sets up to its own."""
    own = lines[sets[instance - 1].places[SEAL]]
    found = tags.parse(own.text.decode("latin-1"))
    if "h" in found or "bh" in found:
        raise tags.BadTags("a seal has no h= and no bh=")
    if found.get("cv") != ("none" if instance == 1 else "pass"):
        raise tags.BadTags(f"the seal of i={instance} has cv={found.get('cv', '')[:20]!a}")
    tags.number(found, "t")
    algorithm = found.get("a", "")
    _check_algorithm(algorithm)
    signature, domain, selector = tags.octets(found, "b"), domain_tag(found), selector_tag(found)
    key = await published_key(lookup, selector, domain, algorithm)
    _check_key(key)
    if not verifies(key, ALGORITHMS[algorithm][1], signature, _sealed(lines, sets[:instance])):
        raise Failure("fail", f"the seal of i={instance} does not hold")


def _sealed(lines: Sequence[Line], sets: list[Set]) -> bytes:
    """What a seal signs (section 5.1.1): always in the relaxed form, without a line ending behind the last."""
    pieces = []
    for one in sets:
        for name in (RESULTS, MESSAGE, SEAL):
            line = lines[one.places[name]]
            if one is sets[-1] and name == SEAL:
                pieces.append(without_value(line, relaxed=True))
            else:
                pieces.append(header(line.name, line.raw, line.text, relaxed=True))
    return b"\r\n".join(pieces)


def _check_algorithm(algorithm: str) -> None:
    if algorithm not in ALGORITHMS or algorithm.endswith("sha1"):
        raise tags.BadTags(f"a={algorithm[:40]!a} is no algorithm for seals")


def _check_key(key: PublicKey) -> None:
    if key.kind == "rsa" and key.bits < SHORTEST_KEY:
        raise Failure("fail", f"the key has only {key.bits} bits")
