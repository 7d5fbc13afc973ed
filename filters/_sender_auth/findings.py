"""What `sender_auth` reports: its kinds of finding, made of what the checks give, and written as RFC 8601 has them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from filters._sender_auth.dkim import Verified
from filters._sender_auth.dmarc import Evaluated, Identity, weakened
from filters._sender_auth.results import MethodResult
from filters._sender_auth.spf import Spf as Checked
from gateway.mail import Mail
from gateway.verdict import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Spf(Finding):
    """Whether the envelope's domain lets this client send for it (RFC 7208); one for each mail. `scope` is mailfrom, or
    helo where the sender is null. Mail from inside has the result none."""

    code: ClassVar[str] = "spf"
    result: Literal["none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"]
    domain: str
    scope: Literal["mailfrom", "helo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dkim(Finding):
    """One signature (RFC 6376). `policy` is a good signature that must not count: by SHA-1 or a key of less than 1024
    bits. `bits` is the key's size, 0 where none was found; `unsigned_octets` is how much of the body lies behind l=;
    `doubled` names fields of which there are more than are signed, so that something else than what was signed may be
    shown; `sealed` is true if no further From can be put on unnoticed; `aligned` if it counts for DMARC."""

    code: ClassVar[str] = "dkim"
    result: Literal["pass", "fail", "policy", "permerror", "temperror"]
    domain: str
    selector: str
    algorithm: str
    bits: int
    signed: tuple[str, ...]
    unsigned_octets: int
    doubled: tuple[str, ...]
    sealed: bool
    testing: bool
    expired: bool
    aligned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Dmarc(Finding):
    """Whether the domain in From is behind the mail (RFC 7489). `none`: it has no record; `aligned_by` tells all the
    same whether SPF or DKIM vouch for it. `policy` is what its owner asks for where nobody does, `disposition` the same
    after pct and t=y. A From with several domains gets one for each, with permerror, and none is vouched for."""

    code: ClassVar[str] = "dmarc"
    result: Literal["none", "pass", "fail", "permerror", "temperror"]
    domain: str
    organisation: str
    policy: Literal["", "none", "quarantine", "reject"]
    disposition: Literal["", "none", "quarantine", "reject"]
    percent: int
    aligned_by: tuple[Literal["spf", "dkim"], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arc(Finding):
    """The chain of those who passed the mail on (RFC 8617), where there is one. `sealer` is the last of them, `trusted`
    whether it is one of `trusted_sealers`, `authenticated` whether a trusted one saw the domain in From pass DMARC."""

    code: ClassVar[str] = "arc"
    result: Literal["pass", "fail", "temperror"]
    sealer: str
    instances: int
    trusted: bool
    authenticated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgedResults(Finding):
    """The mail came with a field Authentication-Results in our name (`authserv`), which we have not written."""

    code: ClassVar[str] = "forged_results"
    authserv: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Results(Finding):
    """All of it as the value of a field Authentication-Results (RFC 8601): a rule may put "{authserv}; {value}" on the
    mail."""

    code: ClassVar[str] = "results"
    authserv: str
    value: str


def spf_finding(checked: Checked, scope: Literal["mailfrom", "helo"]) -> Spf:
    """SPF's result."""
    return Spf(result=checked.result, domain=checked.domain, scope=scope, detail=checked.reason)


def dkim_finding(signature: Verified, dmarc: Evaluated, *, counts: bool) -> Dkim:
    """A signature's result. `counts` is false where DMARC may not go by it."""
    return Dkim(
        result=signature.result,
        domain=signature.domain,
        selector=signature.selector,
        algorithm=signature.algorithm,
        bits=signature.bits,
        signed=signature.signed,
        unsigned_octets=signature.unsigned_octets,
        doubled=signature.doubled,
        sealed=signature.sealed,
        testing=signature.testing,
        expired=signature.expired,
        aligned=counts and Identity("dkim", signature.domain) in dmarc.aligned,
        detail=signature.reason,
    )


def dmarc_finding(evaluated: Evaluated, mail: Mail) -> Dmarc:
    """DMARC's result for one domain. Which mail is in the sample of pct= depends on its head alone."""
    disposition = evaluated.policy if evaluated.result == "fail" else ""
    sample = zlib.crc32(mail.raw[mail.root.head.start : mail.root.head.stop]) % 100
    if evaluated.testing or sample >= evaluated.percent:
        disposition = weakened(disposition)
    return Dmarc(
        result=evaluated.result,
        domain=evaluated.domain,
        organisation=evaluated.organisation,
        policy=evaluated.policy,
        disposition=disposition,
        percent=evaluated.percent,
        aligned_by=evaluated.aligned_by,
        detail=evaluated.reason,
    )


def as_results(findings: Sequence[Finding]) -> Iterator[MethodResult]:
    """The findings as results of RFC 8601."""
    for finding in findings:
        match finding:
            case Spf():
                yield MethodResult("spf", finding.result, ((f"smtp.{finding.scope}", finding.domain),), finding.detail)
            case Dkim():
                shown = (("header.d", finding.domain), ("header.s", finding.selector), ("header.a", finding.algorithm))
                yield MethodResult("dkim", finding.result, shown, finding.detail)
            case Dmarc():
                asked = f"p={finding.policy} dis={finding.disposition or 'none'}" if finding.policy else ""
                yield MethodResult("dmarc", finding.result, (("header.from", finding.domain),), asked)
            case Arc():
                seals = f"{finding.instances} seals, the last by {finding.sealer}"
                yield MethodResult("arc", finding.result, comment=seals)
