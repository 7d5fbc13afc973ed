"""SPF: whether a domain lets a client send in its name (RFC 7208)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, ip_network

from filters._sender_auth.spf_macros import Values, expand
from filters._sender_auth.spf_record import Mechanism, PermanentError, Record, Result, is_spf, parse
from gateway.dns.answers import Answer, Kind, Lookup, LookupFailed, TooManyLookups
from gateway.dns.names import as_address, is_name, reverse_name, within

MOST_TERMS = 10
"""Terms that ask the DNS, over all included records (section 4.6.4)."""

MOST_VOID = 2
"""Questions without an answer (section 4.6.4)."""

MOST_NAMES = 10
"""Names of one mx or ptr mechanism that are looked at (section 4.6.4)."""

LONGEST_EXPLANATION = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Spf:
    """The result; `reason` is the mechanism that matched, or what is wrong. `explanation` is the domain's own text
    for a failure: a stranger's words."""

    result: Result
    domain: str
    reason: str = ""
    explanation: str = ""


@dataclass(slots=True)
class _Check:
    """What one check has used up."""

    lookup: Lookup
    values: Values
    terms: int = 0
    voids: int = 0
    names: dict[str, str] = field(default_factory=dict)


class _TemporaryError(Exception):
    """The DNS could not say (temperror)."""


async def check(
    lookup: Lookup, *, client: str, sender: str, helo: str, receiver: str = "unknown", explain: bool = False
) -> Spf:
    """Whether `sender` ("" for the null sender: then HELO's name, section 2.4) may come from `client`.

    `explain` also fetches the domain's explanation of a failure.
    """
    local, at, domain = sender.rpartition("@") if sender else ("postmaster", "@", helo)
    domain = domain.rstrip(".").lower()
    address = as_address(client)
    if address is None or not _askable(domain) or not at:
        return Spf(result="none", domain=domain, reason="no domain to ask" if address else "no client address")

    async def validated() -> str:
        return await _validated_name(state, state.values.domain)

    values = Values(local or "postmaster", domain, domain, address, helo, receiver, validated)
    state = _Check(lookup, values)
    try:
        result, reason, explained_by = await _host(state, domain, explain=explain)
    except PermanentError as error:
        return Spf(result="permerror", domain=domain, reason=str(error))
    except _TemporaryError as error:
        return Spf(result="temperror", domain=domain, reason=str(error))
    return Spf(result=result, domain=domain, reason=reason, explanation=explained_by)


async def _host(state: _Check, domain: str, *, explain: bool) -> tuple[Result, str, str]:
    """check_host() of section 4 for one domain: result, what matched, explanation."""
    record = await _record(state, domain)
    if record is None:
        return "none", f"{domain} has no SPF record", ""
    outer, state.values = state.values, replace(state.values, domain=domain)
    try:
        for mechanism in record.mechanisms:
            if await _matches(state, mechanism):
                explanation = ""
                if explain and mechanism.result == "fail" and record.exp:
                    explanation = await _explanation(state, record.exp)
                return mechanism.result, mechanism.name, explanation
        if not record.redirect:
            return "neutral", "nothing matches", ""
        _count_term(state)
        target = await expand(record.redirect, state.values)
    finally:
        state.values = outer
    if not _askable(target.rstrip(".")):
        raise PermanentError(f"redirect={target[:80]!a} is no domain")
    result, reason, explanation = await _host(state, target.rstrip(".").lower(), explain=explain)
    if result == "none":
        raise PermanentError(f"redirect={target} has no SPF record")
    return result, reason, explanation


async def _record(state: _Check, domain: str) -> Record | None:
    answer = await _ask(state, domain, Kind.TXT)
    records = [text for text in answer.records if is_spf(text)]
    if len(records) > 1:
        raise PermanentError(f"{domain} has {len(records)} SPF records")
    return parse(records[0]) if records else None


async def _matches(state: _Check, mechanism: Mechanism) -> bool:
    client = state.values.client
    match mechanism.name:
        case "all":
            return True
        case "ip4" | "ip6":
            assert mechanism.network is not None
            return client.version == mechanism.network.version and client in mechanism.network
    _count_term(state)
    target = (await expand(mechanism.spec, state.values)).rstrip(".") if mechanism.spec else state.values.domain
    match mechanism.name:
        case "include":
            return await _included(state, target)
        case "exists":
            return bool((await _countable(state, target, Kind.A)).records)
        case "a":
            return await _is_of(state, target, mechanism)
        case "mx":
            hosts = (await _countable(state, target, Kind.MX)).records
            if len(hosts) > MOST_NAMES:
                raise PermanentError(f"{target} has more than {MOST_NAMES} mail servers")
            for host in hosts:
                if host and await _is_of(state, host, mechanism):
                    return True
            return False
        case _:
            return bool(await _validated_below(state, target))


async def _included(state: _Check, target: str) -> bool:
    if not _askable(target):
        raise PermanentError(f"include:{target[:80]!a} is no domain")
    result, reason, _ = await _host(state, target.lower(), explain=False)
    if result == "none":
        raise PermanentError(f"include: {reason}")
    return result == "pass"


async def _is_of(state: _Check, host: str, mechanism: Mechanism) -> bool:
    """True if the client is in one of the networks around the host's addresses."""
    client = state.values.client
    four = isinstance(client, IPv4Address)
    prefix = mechanism.prefix4 if four else mechanism.prefix6
    found = await _countable(state, host, Kind.A if four else Kind.AAAA)
    return any(client in ip_network(f"{address}/{prefix}", strict=False) for address in found.records)


async def _validated_below(state: _Check, target: str) -> str:
    """A name of the client (section 5.5) that is the target or below it, "" for none."""
    four = isinstance(state.values.client, IPv4Address)
    try:
        names = (await _countable(state, reverse_name(state.values.client), Kind.PTR)).records
    except _TemporaryError:
        return ""
    for name in names[:MOST_NAMES]:
        if not within(name, frozenset({target.lower()})):
            continue
        try:
            found = await _ask(state, name, Kind.A if four else Kind.AAAA)
        except _TemporaryError:
            continue
        if any(as_address(each) == state.values.client for each in found.records):
            return name
    return ""


async def _validated_name(state: _Check, domain: str) -> str:
    """What the macro p stands for: a name below the domain, else any, else "unknown"."""
    if domain not in state.names:
        state.names[domain] = await _validated_below(state, domain) or await _any_name(state) or "unknown"
    return state.names[domain]


async def _any_name(state: _Check) -> str:
    four = isinstance(state.values.client, IPv4Address)
    try:
        for name in (await _ask(state, reverse_name(state.values.client), Kind.PTR)).records[:MOST_NAMES]:
            found = await _ask(state, name, Kind.A if four else Kind.AAAA)
            if any(as_address(each) == state.values.client for each in found.records):
                return name
    except _TemporaryError:
        pass
    return ""


async def _explanation(state: _Check, spec: str) -> str:
    """The domain's own text (section 6.2); whatever is wrong with it, there is none."""
    try:
        target = (await expand(spec, state.values)).rstrip(".")
        records = (await _ask(state, target, Kind.TXT)).records if _askable(target) else ()
        if len(records) != 1 or not records[0].isascii():
            return ""
        return (await expand(records[0], state.values, explanation=True))[:LONGEST_EXPLANATION]
    except (_TemporaryError, PermanentError):
        return ""


async def _countable(state: _Check, name: str, kind: Kind) -> Answer:
    """A question that counts if it finds nothing (section 4.6.4)."""
    answer = await _ask(state, name, kind)
    if answer.void:
        state.voids += 1
        if state.voids > MOST_VOID:
            raise PermanentError(f"more than {MOST_VOID} names without an answer, the last {name[:80]!a}")
    return answer


async def _ask(state: _Check, name: str, kind: Kind) -> Answer:
    try:
        return await state.lookup.lookup(name, kind)
    except TooManyLookups as error:
        raise PermanentError(str(error)) from error
    except LookupFailed as error:
        raise _TemporaryError(str(error)) from error


def _count_term(state: _Check) -> None:
    state.terms += 1
    if state.terms > MOST_TERMS:
        raise PermanentError(f"more than {MOST_TERMS} terms that ask the DNS")


def _askable(domain: str) -> bool:
    """Section 4.3: a name of several labels, none empty or too long, and no address in brackets."""
    return is_name(domain) and "." in domain and not domain.endswith("]")


