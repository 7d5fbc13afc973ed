"""DMARC: what the domain in From wants done with mail that it did not send (RFC 7489, RFC 9091 and their successor)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from gateway.dns.answers import Kind, Lookup, LookupFailed
from gateway.dns.names import organisation, public_suffix

Policy = Literal["", "none", "quarantine", "reject"]
Method = Literal["spf", "dkim"]

LONGEST = 4096
"""Characters of a record that are read; those in use have 300."""

_TAG = re.compile(r"\s*([A-Za-z]+)\s*=\s*([^;]*)")


@dataclass(frozen=True, slots=True)
class Identity:
    """A domain that was shown to be behind the message, and how."""

    method: Method
    domain: str


@dataclass(frozen=True, slots=True)
class Record:
    """A DMARC record. `at` is the domain that has it."""

    at: str
    policy: Policy = "none"
    subdomains: Policy = ""
    nonexistent: Policy = ""
    strict_dkim: bool = False
    strict_spf: bool = False
    percent: int = 100
    testing: bool = False
    psd: str = "u"

    def cuts(self, domain: str) -> bool:
        """True if the record says that this domain is the top of an organisation of its own (psd=n)."""
        return self.psd == "n" and self.at == domain


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """The result for one domain. `policy` is what its owner asks for this domain, "" where there is no record."""

    result: Literal["none", "pass", "fail", "permerror", "temperror"]
    domain: str
    organisation: str = ""
    policy: Policy = ""
    percent: int = 100
    testing: bool = False
    record_at: str = ""
    aligned: tuple[Identity, ...] = ()
    reason: str = ""

    @property
    def aligned_by(self) -> tuple[Method, ...]:
        """The methods by which the domain is vouched for."""
        return tuple(sorted({identity.method for identity in self.aligned}))


async def evaluate(lookup: Lookup, domain: str, identities: Sequence[Identity]) -> Evaluated:
    """Whether one of the identities is in alignment with the domain in From, and what the owner asks if none is.

    Alignment is also told where there is no record; it is then the relaxed one.
    """
    try:
        record = await _record(lookup, domain)
    except LookupFailed as error:
        owner = organisation(domain)
        aligned = _aligned(domain, owner, identities, Record(domain))
        return Evaluated(result="temperror", domain=domain, organisation=owner, aligned=aligned, reason=str(error))
    owner = domain if record and record.cuts(domain) else organisation(domain)
    aligned = _aligned(domain, owner, identities, record or Record(domain))
    found = Evaluated(result="none", domain=domain, organisation=owner, aligned=aligned)
    if record is None:
        return found
    found = replace(
        found,
        result="pass" if aligned else "fail",
        percent=record.percent,
        testing=record.testing,
        record_at=record.at,
        policy=record.policy,
    )
    if domain == record.at or aligned:
        return found
    policy = record.subdomains or record.policy
    if record.nonexistent:
        try:
            policy = policy if await _exists(lookup, domain) else record.nonexistent
        except LookupFailed as error:
            return replace(found, result="temperror", reason=str(error))
    return replace(found, policy=policy)


def weakened(policy: Policy) -> Policy:
    """The next weaker policy: for mail beyond pct= (RFC 7489 section 6.6.4) and for domains that test (t=y)."""
    return "quarantine" if policy == "reject" else "none" if policy else ""


def parse(text: str, at: str) -> Record | None:
    """The record in a TXT record, None for other texts and for records that ask for nothing (section 6.6.3)."""
    pieces = text[:LONGEST].split(";")
    if not re.fullmatch(r"\s*v\s*=\s*DMARC1\s*", pieces[0]):
        return None
    found: dict[str, str] = {}
    for piece in pieces[1:]:
        if matched := _TAG.fullmatch(piece):
            found.setdefault(matched[1].lower(), matched[2].strip())
    policy, subdomains = _policy(found, "p"), _policy(found, "sp")
    if policy is None or subdomains is None or not policy:
        if "mailto:" not in found.get("rua", "").lower():
            return None
        policy, subdomains = "none", ""
    percent = found.get("pct", "100")
    return Record(
        at,
        policy,
        subdomains,
        _policy(found, "np") or "",
        strict_dkim=found.get("adkim", "r").lower() == "s",
        strict_spf=found.get("aspf", "r").lower() == "s",
        percent=min(int(percent), 100) if re.fullmatch("[0-9]{1,3}", percent, re.ASCII) else 100,
        testing=found.get("t", "n").lower() == "y",
        psd=found.get("psd", "u").lower(),
    )


def _policy(found: dict[str, str], tag: str) -> Policy | None:
    """The policy of a tag, "" where it is missing, None where it is none that there is."""
    word = found.get(tag, "").lower()
    return next((policy for policy in get_args(Policy) if policy == word), None)


async def _record(lookup: Lookup, domain: str) -> Record | None:
    """The record of the domain, else of its organisation, else of the registry that says it has one for all below."""
    owner = organisation(domain)
    for at in dict.fromkeys((domain, owner)):
        if record := await _record_at(lookup, at):
            return record
    suffix = public_suffix(owner)
    registry = await _record_at(lookup, suffix) if "." in suffix else None
    return registry if registry and registry.psd == "y" else None


async def _record_at(lookup: Lookup, domain: str) -> Record | None:
    answer = await lookup.lookup(f"_dmarc.{domain}", Kind.TXT)
    records = [record for text in answer.records if (record := parse(text, domain))]
    return records[0] if len(records) == 1 else None  # section 6.6.3: several are none


def _aligned(domain: str, owner: str, identities: Sequence[Identity], record: Record) -> tuple[Identity, ...]:
    """The identities that are in alignment with the domain (section 3.1)."""
    aligned = []
    for identity in identities:
        strict = record.strict_dkim if identity.method == "dkim" else record.strict_spf
        if identity.domain == domain or (not strict and _owns(owner, identity.domain, cut=record.cuts(domain))):
            aligned.append(identity)
    return tuple(aligned)


def _owns(owner: str, domain: str, *, cut: bool) -> bool:
    """True if the domain is of that organisation; one that is cut off has what is below it."""
    return domain == owner or (domain.endswith(f".{owner}") if cut else organisation(domain) == owner)


async def _exists(lookup: Lookup, domain: str) -> bool:
    """True if the domain has an address or a mail server (RFC 9091 section 2.7)."""
    for kind in (Kind.MX, Kind.A, Kind.AAAA):
        if (await lookup.lookup(domain, kind)).records:
            return True
    return False
