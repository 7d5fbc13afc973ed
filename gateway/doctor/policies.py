"""What the policy says of itself: its own cases, its warnings, exceptions that end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

from gateway.doctor.model import Line, Patient, fail, ok, warn
from gateway.policy.logic import day_of
from gateway.trial import failed_cases

SOON = timedelta(days=14)
"""How long before its end an exception is spoken of (regulations 1.5)."""

TOLD = 5
"""Failures told one by one."""


async def policies(patient: Patient) -> AsyncIterator[Line]:
    """The policy's cases, then what will end soon, then what may surprise."""
    policy = patient.policy
    failures = await failed_cases(policy, open_mail=patient.open_mail)
    for failure in failures[:TOLD]:
        yield fail("policy's cases", failure, "correct the policy or the case: a reload with this is refused")
    if not failures:
        yield ok("policy", f"{len(policy.rules)} rules, {len(policy.cases)} cases pass, digest {policy.digest}")
    today = day_of(patient.now)
    ending = [each for each in policy.exceptions if today <= each.expires <= today + SOON]
    for each in ending:
        seen = f"from {each.rule}, approved by {each.approved_by}, ends on {each.expires}"
        yield warn("exception", seen, f"renew it at {each.where}, or let it end")
    told = {str(each.where) for each in ending}
    for problem in policy.warnings:
        if f"{problem.path}:{problem.line}:{problem.column}" not in told:
            yield warn("policy", str(problem), "see the reference in policies/README.md")
