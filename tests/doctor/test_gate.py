"""The doctor says which rule stops a sample, and does not take "could not look" for "would stop it"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from gateway.doctor.checkup import CHECKS, checkup
from gateway.doctor.engines import engines
from gateway.doctor.gate import gate
from gateway.doctor.model import Line, Patient, State
from gateway.doctor.policies import policies
from gateway.errors import Unavailable
from gateway.samples import EICAR, GTUBE, SAMPLES
from tests.doctor.conftest import POLICY, Made, lines


def ruled(rule: str) -> str:
    return POLICY.replace("[]", "") + f"  - {{id: one, {rule}}}\n"


PROGRAMS: dict[str, tuple[str, State, str]] = {
    "a rule that rejects": (
        ruled("when: {found: attachments.executable}, then: reject"),
        State.OK,
        "reject: one",
    ),
    "one that quarantines": (
        ruled("when: {found: attachments.executable}, then: quarantine"),
        State.OK,
        "quarantine: one",
    ),
    "one in shadow": (
        ruled("when: {found: attachments.executable}, then: reject, mode: shadow"),
        State.WARN,
        "only rules in shadow see it: one",
    ),
    "one that marks": (
        ruled("when: {found: attachments.executable}, then: tag, with: {subject: '[!]'}"),
        State.WARN,
        "passes, with marks",
    ),
    "one for other mail": (ruled("when: {found: attachments.encrypted}, then: reject"), State.WARN, "passes"),
    "no rule": (POLICY, State.WARN, "passes"),
}


@pytest.mark.parametrize(("policy", "state", "seen"), PROGRAMS.values(), ids=PROGRAMS)
async def test_the_program(patient: Made, policy: str, state: State, seen: str) -> None:
    [line] = [line for line in await lines(gate, patient(policy)) if line.about == "program"]
    assert (line.state, line.seen) == (state, seen)
    assert bool(line.advice) is (state is not State.OK)


async def test_no_virus_rule_is_a_failure_and_the_rest_are_warnings(patient: Made) -> None:
    states = {line.about: line.state for line in await lines(gate, patient())}
    assert list(states) == [sample.about for sample in SAMPLES]
    assert [about for about, state in states.items() if state is State.FAIL] == ["virus (EICAR)"]


async def test_mail_goes_the_way_the_sample_says(patient: Made) -> None:
    rule = "when: {direction: outbound, account: {state: active}}, then: reject"
    stopped = [line.about for line in await lines(gate, patient(ruled(rule))) if line.state is State.OK]
    assert stopped == ["secrecy mark, outgoing"]


def test_the_samples_are_what_scanners_know() -> None:
    raw = {sample.about: sample.raw("a@example.org", "b@example.org\r\nX: y") for sample in SAMPLES}
    assert f"\r\n\r\n{EICAR}\r\n".encode() in raw["virus (EICAR)"]
    assert GTUBE.encode() in raw["spam (GTUBE)"]
    assert len(EICAR) == 68
    assert all(b"\r\nX: y" not in each for each in raw.values())


@dataclass(frozen=True)
class Engine:
    """A filter with an engine that answers so."""

    answer: str = ""

    async def ping(self) -> str:
        if not self.answer:
            raise Unavailable("nobody is there")
        return self.answer


def with_filters(patient: Patient, **filters: Any) -> Patient:
    return replace(patient, policy=replace(patient.policy, filters=filters))


async def test_every_filter_that_can_be_asked_is_asked(patient: Made) -> None:
    found = await lines(engines, with_filters(patient(), virus=Engine("ClamAV 1.4"), spam=Engine(), names=object()))
    assert [(line.about, line.state, line.seen) for line in found] == [
        ("engine virus", State.OK, "ClamAV 1.4"),
        ("engine spam", State.FAIL, "nobody is there"),
    ]


async def test_an_unavailable_engine_is_a_warning_for_what_it_stops(patient: Made) -> None:
    @dataclass(frozen=True)
    class Blind:
        """Could not look."""

        FINDINGS = ()

        def inspect(self, mail: Any) -> Any:
            raise Unavailable("down")
            yield

    here = patient(ruled("when: {found: attachments.executable}, then: reject"))
    [line] = [each for each in await lines(gate, with_filters(here, attachments=Blind())) if each.about == "program"]
    assert (line.state, "could not look" in line.seen) == (State.WARN, True)


EXPIRING = POLICY.replace("rules: []", "rules:\n  - {id: one, when: always, then: accept}") + (
    "exceptions:\n"
    "  - {rule: one, when: {sender: a@example.org}, approved_by: head, reason: x, expires: 2026-03-20}\n"
    "  - {rule: one, when: {sender: b@example.org}, approved_by: head, reason: x, expires: 2026-12-20}\n"
)
FAILING = POLICY + (
    "tests: [{name: nothing passes, given: {from: a@example.org, to: b@example.gov.vn}, expect: {action: reject}}]\n"
)


async def test_the_policy_speaks_of_its_cases_and_of_exceptions_that_end(patient: Made) -> None:
    found = await lines(policies, patient(EXPIRING))
    assert [line.about for line in found if line.state is State.OK] == ["policy"]
    [ending] = [line for line in found if line.about == "exception"]
    assert ending.seen == "from one, approved by head, ends on 2026-03-20"
    assert (await lines(policies, patient(FAILING)))[0].state is State.FAIL


async def test_a_check_that_breaks_stops_no_other(patient: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(patient: Patient) -> Any:
        raise KeyError("x")
        yield

    async def fine(patient: Patient) -> Any:
        yield Line("fine", State.OK, "yes")

    monkeypatch.setattr("gateway.doctor.checkup.CHECKS", (broken, fine))
    found = [line async for line in checkup(patient())]
    assert [(line.about, line.state) for line in found] == [("broken", State.FAIL), ("fine", State.OK)]
    assert len(CHECKS) > 5
