"""Runs a policy's own cases: each message is examined and decided as a real one would be, and nothing is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway import decide, pipeline
from gateway.mail import Mail
from gateway.pipeline import OpenMail
from gateway.policy.cases import Case, build_mail_bytes, client_of, envelope_of, failures
from gateway.policy.model import Policy
from gateway.specimen import specimen
from gateway.verdict import Report, Verdict

CASE_DEADLINE = 60.0
"""Seconds for one case: a message's own deadline."""

Progress = Callable[[Iterable[Case]], Iterable[Case]]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case went: nothing in `failures` is a pass."""

    name: str
    where: str
    failures: tuple[str, ...]


async def run_cases(policy: Policy, *, open_mail: OpenMail, progress: Progress = iter) -> list[CaseResult]:
    """All cases of a policy, in order."""
    return [
        CaseResult(case.name, str(case.where), failures(case, await _verdict(policy, case, open_mail)))
        for case in progress(policy.cases)
    ]


async def failed_cases(policy: Policy, *, open_mail: OpenMail) -> list[str]:
    """What fails, in a line each; nothing if the policy does what its own cases say."""
    return [
        f"{result.where}: {result.name}: {failure}"
        for result in await run_cases(policy, open_mail=open_mail)
        for failure in result.failures
    ]


async def _verdict(policy: Policy, case: Case, open_mail: OpenMail) -> Verdict:
    mail = _mail(policy, case)
    told = _told(case)
    reports = await pipeline.examine(
        {name: policy.filters[name] for name in decide.needed(policy, mail) if name not in told},
        mail,
        deadline=asyncio.get_running_loop().time() + CASE_DEADLINE,
        observe=_nobody_counts,
        open_mail=open_mail,
    )
    return decide.decide(policy, mail, (*reports, *told.values()))


def _told(case: Case) -> dict[str, Report]:
    """The reports that the case has itself, by filter."""
    found = {name: Report(name, findings) for name, findings in case.given.found.findings.items()}
    blind = {name: Report(name, failure="unavailable", reason="the case says so") for name in case.given.unavailable}
    return {**found, **blind}


def _mail(policy: Policy, case: Case) -> Mail:
    envelope = envelope_of(case)
    return specimen(
        policy,
        build_mail_bytes(case),
        sender=envelope.sender,
        recipients=[recipient.address for recipient in envelope.recipients],
        client=client_of(case),
        listener=case.given.listener,
        received=case.given.time.at,
    )


def _nobody_counts(_report: Report) -> None:
    """A trial is no traffic."""
