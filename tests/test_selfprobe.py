"""Canaries through a running gateway: decided as mail is, and seen by nobody."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.bypass import file
from gateway.bypass.watch import now
from gateway.canary import Canary, Expectation, Expected, Probe
from gateway.config import Listener, ListenerDirection, load_settings
from gateway.doctor.model import Patient, State
from gateway.doctor.selfprobe import selfprobe
from gateway.endpoint import HostPort, Upstream, UpstreamKind
from gateway.keeping import Query
from gateway.mail import Direction
from gateway.policy.load import load
from gateway.policy.model import Policy
from gateway.seal import Seals
from gateway.selfprobe import SAMPLES, Prober, Result, direction, expectation, prober_outside
from tests.bypass.test_model import made
from tests.conftest import Start
from tests.faults import FakeHop
from tests.test_app import send, value
from tests.test_commands import run

POLICY = """
version: 1
organisation: {domains: [example.gov.vn], officers: [officer@example.gov.vn]}
rules:
  - {id: secrets, when: {direction: inbound, found: secret_marks.marking}, then: reject, with: {store: never}}
  - id: spam
    when: {found: spam.score, where: {score: ">= 1000"}}
    then: hold
    with: {notify: [officer], text: {vi: thư, en: spam}}
"""
ONE_EACH = """
  - {id: one-each, when: {found: rate.exceeded}, then: defer}
filters: {rate: {limits: [{of: client, messages: 1, per: 1h}]}}
"""
OUTCOMES = {"clean": "accept", "gtube": "hold", "marking": "reject"}


def beside(gateway: Any, **changes: Any) -> Prober:
    """A prober as the service's own."""
    probe = gateway.settings.probe or Probe()
    seals = changes.pop("seals", gateway.duties.seals)
    return Prober(gateway.settings, probe, lambda: gateway.policy, seals, gateway.addresses["inbound"])


async def outcomes(prober: Prober) -> dict[str, Result]:
    return {result.canary.value: result async for result in prober.round()}


async def test_a_round_is_decided_as_mail_and_leaves_nothing_behind(start: Start, tmp_path: Path) -> None:
    notices = {"notices": {"mailbox": "gate@example.gov.vn"}}
    with structlog.testing.capture_logs() as logs:
        async with FakeHop() as hop, start(hop.address, policy=POLICY + ONE_EACH, **notices) as gateway:
            for _ in range(3):
                results = await outcomes(beside(gateway))
                assert {name: result.outcome for name, result in results.items()} == OUTCOMES
                assert all(result.good for result in results.values()), results
            registry, stores = gateway.metrics.registry, gateway.office.stores
            assert [record async for record in stores.trail.search()] == []
            assert list(await stores.mail.find(Query())) == []
            counted = {
                sample.name
                for metric in registry.collect()
                for sample in metric.samples
                if sample.value and ("messages" in sample.name or "findings" in sample.name or "rule" in sample.name)
            }
            assert counted == set()
            replies = [await send(gateway, "Subject: hello\n\nx\n") for _ in range(2)]
            assert [reply[:3] for reply in replies] == ["250", "451"]
        assert len(hop.taken) == 1
        assert [command for command in hop.commands if b"postmaster@" in command]
    events = [entry["event"] for entry in logs]
    assert (events.count("message"), events.count("canary not as expected")) == (2, 0)
    assert not [*(tmp_path / "state" / "outbox").rglob("*.json")]


async def test_a_stranger_cannot_make_one(start: Start) -> None:
    stranger = Seals(b"s" * 32)
    async with FakeHop() as hop, start(hop.address, policy=POLICY) as gateway:
        results = await outcomes(beside(gateway, seals=stranger))
        assert {name: result.outcome for name, result in results.items()} == dict.fromkeys(OUTCOMES, "failed")
        letter = SAMPLES[Canary.CLEAN].raw("probe@outside.example", "b@example.gov.vn")
        for seals in (stranger, gateway.duties.seals):  # the second for another listener
            raw = seals.put_on(letter, "elsewhere", Canary.CLEAN, time.time()).replace(b"\r\n", b"\n").decode()
            assert (await send(gateway, raw)).startswith("250 2.6.0 taken")
    assert [b"X-Mailwarden-Probe: clean" in taken.content for taken in hop.taken] == [True] * 3


TROUBLES: dict[str, tuple[str, dict[str, str], str, str]] = {
    "the next hop takes no recipient": (POLICY, {"rcpt": "5xx"}, "failed", "554 5.3.5"),
    "the next hop hangs up": (POLICY, {"rcpt": "close"}, "failed", "451"),
    "a rule refuses the sender": (
        POLICY + "  - {id: none-of-them, when: {sender: '@outside.example'}, then: reject}\n",
        {},
        "failed",
        "none-of-them",
    ),
    "the engine is down": (
        POLICY + "  - {id: viruses, when: {found: virus.infected}, then: reject}\n"
        "filters: {virus: {clamd: ['unix:/nowhere/clamd.ctl']}}\n",
        {},
        "unsure",
        "defer: somebody could not look",
    ),
    "everything is let through": (
        "version: 1\norganisation: {domains: [example.gov.vn]}\nrules: []\n",
        {},
        "accept",
        "",
    ),
}


@pytest.mark.parametrize(("policy", "faults", "outcome", "detail"), TROUBLES.values(), ids=TROUBLES)
async def test_trouble_is_told(
    start: Start, policy: str, faults: dict[str, str], outcome: str, detail: str
) -> None:
    expect = {"clean": "stop", "eicar": "reject", "gtube": "off", "marking": "off"}
    probe = {"every": "1h", "expect": expect}
    with structlog.testing.capture_logs() as logs:
        async with FakeHop(faults) as hop, start(hop.address, policy=policy, probe=probe) as gateway:
            registry = gateway.metrics.registry
            async with asyncio.timeout(20):
                while not value(registry, "mailwarden_probes_total", canary="eicar", outcome=outcome):
                    await asyncio.sleep(0.01)
            for canary in ("clean", "eicar"):
                assert registry.get_sample_value("mailwarden_probe_up", {"canary": canary}) == 0
                assert value(registry, "mailwarden_probe_seconds", canary=canary) > 0
                assert not value(registry, "mailwarden_probe_last_success_timestamp_seconds", canary=canary)
        assert registry.get_sample_value("mailwarden_probe_up", {"canary": "eicar"}) is None
    told = [entry for entry in logs if entry["event"] == "canary not as expected"]
    assert [(entry["canary"], entry["outcome"]) for entry in told] == [("clean", outcome), ("eicar", outcome)]
    assert all(detail in entry["reason"] for entry in told)


async def test_the_service_sends_them_by_itself_and_counts(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address, policy=POLICY, probe={"every": "1h"}) as gateway:
        registry = gateway.metrics.registry
        async with asyncio.timeout(20):
            while not value(registry, "mailwarden_probes_total", canary="marking", outcome="reject"):
                await asyncio.sleep(0.01)
        up = {name: value(registry, "mailwarden_probe_up", canary=name) for name in OUTCOMES}
        assert up == dict.fromkeys(OUTCOMES, 1)
        last = value(registry, "mailwarden_probe_last_success_timestamp_seconds", canary="marking")
        assert abs(last - time.time()) < 60


async def test_a_rule_that_is_bypassed_shows(start: Start, tmp_path: Path) -> None:
    async with FakeHop() as hop, start(hop.address, policy=POLICY) as gateway:
        file.write(tmp_path / "state", [made(name="spam", begins=now(), ends=now() + timedelta(hours=1))])
        results = await outcomes(beside(gateway))
    assert (results["gtube"].outcome, results["gtube"].good) == ("accept", False)
    assert results["marking"].good


async def test_by_the_command_and_by_the_doctor(start: Start, tmp_path: Path) -> None:
    async with FakeHop() as hop, start(hop.address, policy=POLICY, probe={"every": "1h"}) as gateway:
        config = tmp_path / "gateway.yaml"
        port = gateway.addresses["inbound"][1]
        config.write_text(config.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        told = await run(tmp_path, "probe", "--json")
        assert (told.code, told.errors) == (0, "")
        read = {line["canary"]: line["outcome"] for line in map(json.loads, told.output.splitlines())}
        assert read == OUTCOMES
        settings = load_settings(config)
        patient = Patient(settings=settings, policy=gateway.policy, now=None, open_mail=None)  # type: ignore[arg-type]
        lines = [line async for line in selfprobe(patient)]
        assert [(line.about, line.state) for line in lines] == [(f"canary {name}", State.OK) for name in OUTCOMES]
    lines = [line async for line in selfprobe(patient)]
    assert {line.state for line in lines} == {State.FAIL}
    assert hop.taken == []


def test_where_no_gateway_has_run_there_is_nothing_to_ask(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "gateway.yaml").write_text(
        'listeners: [{name: inbound, smtp: "127.0.0.1:1", upstream: "maildir:m"}]\npolicy: policy.yaml\nstate: state\n'
    )
    settings = load_settings(tmp_path / "gateway.yaml")
    assert prober_outside(settings, Probe()) is None
    assert not (tmp_path / "state").exists()


Loaded = Callable[[str], Policy]


@pytest.fixture
def policy(tmp_path: Path) -> Loaded:
    def of(rules: str) -> Policy:
        (tmp_path / "policy.yaml").write_text(f"version: 1\nrules:\n{rules}\n")
        return load(tmp_path / "policy.yaml")

    return of


MARKED = "found: secret_marks.marking"
IN, OUT = Direction.INBOUND, Direction.OUTBOUND
EXPECTED: dict[str, tuple[str, Direction, Expectation]] = {
    "a rule that refuses": (f"  - {{id: one, when: {{{MARKED}}}, then: reject}}", IN, Expectation.STOP),
    "a rule of this direction": (
        f"  - {{id: one, when: {{direction: inbound, {MARKED}}}, then: hold}}",
        IN,
        Expectation.STOP,
    ),
    "a rule of the other direction": (
        f"  - {{id: one, when: {{direction: inbound, {MARKED}}}, then: hold}}",
        OUT,
        Expectation.OFF,
    ),
    "a rule on trial": (f"  - {{id: one, mode: shadow, when: {{{MARKED}}}, then: reject}}", IN, Expectation.OFF),
    "a rule that marks": (
        f"  - {{id: one, when: {{{MARKED}}}, then: tag, with: {{subject: x}}}}",
        IN,
        Expectation.OFF,
    ),
    "no rule": ("  - {id: one, when: always, then: accept}", IN, Expectation.OFF),
}


@pytest.mark.parametrize(("rules", "way", "wanted"), EXPECTED.values(), ids=EXPECTED)
def test_what_is_expected_by_itself(policy: Loaded, rules: str, way: Direction, wanted: Expectation) -> None:
    assert expectation(policy(rules), Probe(), Canary.MARKING, way) is wanted


def test_what_is_written_goes_before(policy: Loaded) -> None:
    rules = policy(EXPECTED["a rule that refuses"][0])
    probe = Probe(expect=Expected(marking=Expectation.OFF, eicar=Expectation.DEFER, clean=Expectation.AUTO))
    found = [expectation(rules, probe, canary, IN).value for canary in Canary]
    assert found == ["deliver", "defer", "off", "off"]


@pytest.mark.parametrize("role", ListenerDirection)
def test_which_way_they_go(role: ListenerDirection) -> None:
    upstream = Upstream(UpstreamKind.MAILDIR, path=Path("m"))
    listener = Listener(name="x", smtp=HostPort("127.0.0.1", 1), upstream=upstream, direction=role)
    assert direction(listener) is (OUT if role is ListenerDirection.OUTBOUND else IN)
