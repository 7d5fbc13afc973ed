"""Sends what should be stopped through the policy, in this process: which rule stops it, or that none would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from gateway.doctor.model import Line, Patient, State, ok, warn
from gateway.mail import Client, Direction
from gateway.pipeline import judge
from gateway.samples import OUTSIDE_DOMAIN, SAMPLES, Sample, role_address
from gateway.specimen import specimen
from gateway.verdict import Action, Outcome, Report, RuleOutcome, Truth

OUTSIDE = f"doctor@{OUTSIDE_DOMAIN}"

OUTSIDE_CLIENT = Client(
    address="198.51.100.7", name=f"mx.{OUTSIDE_DOMAIN}", helo=f"mx.{OUTSIDE_DOMAIN}", tls=True
)
"""A machine of nobody (RFC 5737)."""


async def gate(patient: Patient) -> AsyncIterator[Line]:
    """One line for each sample."""
    for sample in SAMPLES:
        yield await _tried(patient, sample)


async def _tried(patient: Patient, sample: Sample) -> Line:
    policy, inside = patient.policy, _inside(patient)
    inbound = sample.direction == "inbound"
    sender, recipient = (OUTSIDE, inside) if inbound else (inside, OUTSIDE)
    mail = specimen(
        policy,
        sample.raw(sender, recipient),
        sender=sender,
        recipients=(recipient,),
        client=OUTSIDE_CLIENT if inbound else Client(login=inside, tls=True),
        listener=patient.settings.listeners[0].name,
        direction=Direction(sample.direction),
        received=patient.now,
    )
    deadline = asyncio.get_running_loop().time() + patient.settings.deadline
    verdict = await judge(policy, mail, deadline=deadline, observe=_nobody_counts, open_mail=patient.open_mail)
    [outcome] = verdict.outcomes
    return _line(sample, outcome)


def _inside(patient: Patient) -> str:
    """An address of the organisation that is in use, as far as its directory tells."""
    active = (each.address for each in patient.policy.accounts.values() if each.state == "active")
    return next(active, role_address(patient.policy.organisation.domains, patient.settings.hostname))


def _line(sample: Sample, outcome: Outcome) -> Line:
    stops = [rule for rule in outcome.rules if _enforced(rule) and _stops(rule)]
    sure = [rule for rule in stops if rule.result is Truth.MATCH]
    if sure:
        return ok(sample.about, f"{outcome.action.word}: {', '.join(rule.id for rule in sure)}")
    if stops:
        because = "; ".join(rule.because for rule in stops)
        advice = "it is stopped because nobody could look: see to the engine, or all mail that needs it waits"
        return warn(sample.about, f"{outcome.action.word}: {because}", advice)
    state = State.FAIL if sample.serious else State.WARN
    shadow = [rule.id for rule in outcome.rules if not _enforced(rule) and _stops(rule) and rule.result is Truth.MATCH]
    if shadow:
        return Line(sample.about, state, f"only rules in shadow see it: {', '.join(shadow)}", "set them to enforce")
    passes = "passes, with marks" if outcome.action is Action.TAG else "passes"
    return Line(sample.about, state, passes, sample.advice)


def _stops(rule: RuleOutcome) -> bool:
    return rule.action is not None and rule.action >= Action.HOLD


def _enforced(rule: RuleOutcome) -> bool:
    return rule.mode == "enforce"


def _nobody_counts(_report: Report) -> None:
    """A test is no traffic."""
