"""`mailwarden bypass` beside a running gateway, in a process of its own as a person at night uses it."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from gateway.bypass import file
from gateway.bypass.watch import now
from gateway.cli import main
from tests.bypass.test_model import made
from tests.conftest import Start
from tests.faults import FakeHop
from tests.test_app import send, value
from tests.test_commands import run

POLICY = """
version: 1
organisation: {domains: [example.gov.vn]}
rules:
  - {id: no-plans, when: {header: {name: Subject, contains: plan}}, then: reject}
  - {id: no-programs, when: {found: attachments.executable}, then: reject}
  - {id: closed, when: {recipient: closed@example.gov.vn}, then: reject}
  - {id: secrets, when: {found: secret_marks.marking}, then: reject, with: {store: never}}
  - {id: locked, when: {found: identifiers.password}, then: reject, lock: true}
  - {id: on-trial, mode: shadow, when: {header: {name: Subject, contains: plan}}, then: reject}
"""
PLAN = "Subject: a plan\n\nx\n"
PROGRAM = (
    "Subject: hello\nContent-Type: application/octet-stream\n"
    "Content-Disposition: attachment; filename=setup.exe\n\nMZ\n"
)
WHY = ("--for", "30m", "--reason", "clamd does not start, ticket 4711")


async def bypass(folder: Path, *words: str) -> list[dict[str, Any]]:
    told = await run(folder, "bypass", "--json", *words)
    assert told.code == 0, told.errors
    return [json.loads(line) for line in told.output.splitlines()]


async def test_from_begin_to_end(start: Start, tmp_path: Path) -> None:
    async with FakeHop() as hop, start(hop.address, policy=POLICY) as gateway:
        assert (await send(gateway, PLAN)).startswith("550")
        with structlog.testing.capture_logs() as logs:
            [begun] = await bypass(tmp_path, "--rule", "no-plans", *WHY)
            assert (await send(gateway, PLAN)).startswith("250")
            assert (await send(gateway, PROGRAM)).startswith("550")
            registry = gateway.metrics.registry
            assert value(registry, "mailwarden_bypasses") == 1
            labels = {"kind": "rule", "name": "no-plans"}
            assert 1700 < registry.get_sample_value("mailwarden_bypass_left_seconds", labels) <= 1800
            assert value(registry, "mailwarden_rule_matches_total", rule="no-plans", mode="bypassed", action="reject")
            assert await bypass(tmp_path, "--rule", "no-plans", "--end", "--reason", "mended") == [begun]
            assert (await send(gateway, PLAN)).startswith("550")
        assert value(registry, "mailwarden_bypasses") == 0
        trail = gateway.office.stores.trail
        told = [record async for record in trail.search()]
        assert await trail.verify() == []
    assert begun["by"]["uid"] == os.getuid()
    assert begun["reason"] == "clamd does not start, ticket 4711"
    events = [entry for entry in logs if entry["event"] != "message"]
    assert [entry["event"] for entry in events if "bypass" in entry] == ["bypass counts", "bypass is over"]
    messages = [entry["bypassed"] for entry in logs if entry["event"] == "message"]
    assert messages == [["rule no-plans"], ["rule no-plans"], []]
    [taken] = hop.taken
    assert message_from_bytes(taken.content).get_all("X-Mailwarden-Bypass") == ["rule no-plans"]

    assert [(record.event, record.facts["action"]) for record in told] == [
        ("message", "reject"),
        ("bypass", "begun"),
        ("message", "accept"),
        ("message", "reject"),
        ("bypass", "ended"),
        ("message", "reject"),
    ]
    _, first, passed, _, last, _ = told
    assert (first.id, first.facts["actor"], first.facts["uid"]) == (begun["id"], begun["by"]["actor"], os.getuid())
    assert (first.facts["comment"], last.facts["comment"]) == ("clamd does not start, ticket 4711", "mended")
    assert (first.facts["ends"], first.facts["rules"]) == (begun["ends"], ["no-plans"])
    assert passed.facts["bypassed"] == ["rule no-plans"]
    [answer] = [each for each in passed.facts["answers"] if each["rule"] == "no-plans"]
    assert (answer["mode"], answer["result"], answer["action"]) == ("bypassed", "match", "reject")
    explained = await run(tmp_path, "trace", "--explain", "--id", passed.id)
    assert "bypassed: rule no-plans" in explained.output


async def test_two_commands_at_the_same_time_and_a_restart(start: Start, tmp_path: Path) -> None:
    async with FakeHop() as hop:
        async with start(hop.address, policy=POLICY) as gateway:
            file.write(tmp_path / "state", [made(name="closed", begins=now(), ends=now() + timedelta(hours=1))])
            wanted = (("--filter", "attachments"), ("--rule", "no-plans"))
            await asyncio.gather(*(bypass(tmp_path, *words, *WHY) for words in wanted))
            assert (await send(gateway, PLAN, "closed@example.gov.vn")).startswith("250")
        async with start(hop.address, policy=POLICY.replace("contains: plan", "contains: a plan")) as gateway:
            assert (await send(gateway, PROGRAM)).startswith("250")
            assert (await send(gateway, PLAN)).startswith("250")
            assert await gateway.reload()
            file.write(tmp_path / "state", [])
            assert (await send(gateway, PLAN)).startswith("550")
    told = [message_from_bytes(taken.content)["X-Mailwarden-Bypass"] for taken in hop.taken]
    assert all(sorted(each.split(",\r\n\t")) == ["filter attachments", "rule closed", "rule no-plans"] for each in told)


async def test_what_strangers_write_into_the_field_is_taken_out(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address, policy=POLICY) as gateway:
        await send(gateway, "X-Mailwarden-BYPASS: rule all\nSubject: hello\nX-mailwarden-bypass: more\n\nx\n")
    [taken] = hop.taken
    assert b"BYPASS" not in taken.content.upper()
    assert b"Subject: hello\r\n\r\nx\r\n" in taken.content


REFUSED = {
    "no reason": ("--rule no-plans --for 30m", "--reason"),
    "an empty reason": ("--rule no-plans --for 30m --reason '  '", "--reason"),
    "no time": ("--rule no-plans --reason x", "--for"),
    "nothing to suspend": ("--for 30m --reason x", "--rule or --filter"),
    "two at once": ("--rule no-plans --filter attachments --for 30m --reason x", "one at a time"),
    "longer than a day": ("--rule no-plans --for 25h --reason x", "is longer than 24h"),
    "longer than time itself": ("--rule no-plans --for 999999999d --reason x", "is longer than 24h"),
    "for a moment": ("--rule no-plans --for 1s --reason x", "1 min at least"),
    "no time that is one": ("--rule no-plans --for tonight --reason x", "is not a time"),
    "a reason of two lines": ("--rule no-plans --for 30m --reason 'x\ny'", "reason must be one line"),
    "a rule that there is not": ("--rule no-plan --for 30m --reason x", "no such rule in force"),
    "a rule on trial": ("--rule on-trial --for 30m --reason x", "no such rule in force"),
    "a name that is none": ("--rule '*' --for 30m --reason x", "name is none"),
    "a filter that no rule asks": ("--filter greylist --for 30m --reason x", "no rule in force asks it"),
    "a rule on State secrets": ("--rule secrets --for 30m --reason x", "secrets must stay in force"),
    "its filter": ("--filter secret_marks --for 30m --reason x", "secrets must stay in force"),
    "a locked rule": ("--rule locked --for 30m --reason x", "locked must stay in force"),
    "a list and an end": ("--list --end", "--list stands alone"),
    "an end with a time": ("--end --for 30m", "--end needs no --for"),
}


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(POLICY)
    path = tmp_path / "gateway.yaml"
    path.write_text(
        'listeners: [{name: inbound, smtp: "127.0.0.1:1", upstream: "maildir:m"}]\npolicy: policy.yaml\nstate: state\n'
    )
    return path


@pytest.mark.parametrize(("words", "said"), REFUSED.values(), ids=REFUSED)
def test_what_it_refuses(words: str, said: str, settings: Path) -> None:
    done = CliRunner().invoke(main, f"bypass -c {settings} {words}", catch_exceptions=False)
    assert done.exit_code == 2
    assert said in " ".join(done.output.replace("│", " ").split())
    assert not (settings.parent / "state" / file.NAME).exists()


async def test_a_locked_rule_that_still_asks_the_filter_is_named(settings: Path) -> None:
    policy = settings.parent / "policy.yaml"
    policy.write_text(POLICY.replace("found: identifiers.password", "found: attachments.script"))
    told = await run(settings.parent, "bypass", "--filter", "attachments", *WHY)
    assert (told.code, "rule locked still asks attachments" in told.errors) == (0, True)


def test_a_file_that_is_odd_is_told_and_can_be_removed(settings: Path) -> None:
    state = settings.parent / "state"
    state.mkdir()
    file.write(state, [made()])
    (state / file.NAME).chmod(0o666)
    for words in ("--list", "--rule no-plans --for 30m --reason x", "--rule no-plans --end"):
        done = CliRunner().invoke(main, f"bypass -c {settings} {words}", catch_exceptions=False)
        assert (done.exit_code, "open to others" in done.output) == (1, True), words
    done = CliRunner().invoke(main, f"bypass -c {settings} --end", catch_exceptions=False)
    assert (done.exit_code, (state / file.NAME).exists()) == (0, False)


async def test_without_an_audit_trail_nothing_is_suspended(settings: Path) -> None:
    state = settings.parent / "state"
    state.mkdir()
    (state / "store").write_text("no folder")
    told = await run(settings.parent, "bypass", "--rule", "no-plans", *WHY)
    assert (told.code, file.read(state)) == (69, ())
    with settings.open("a") as more:
        more.write("audit: allow\n")
    told = await run(settings.parent, "bypass", "--rule", "no-plans", *WHY)
    assert (told.code, [each.label for each in file.read(state)]) == (0, ["rule no-plans"])
    assert "not in the audit trail" in told.errors


def test_list_and_explain_tell_of_it(settings: Path) -> None:
    state, runner = settings.parent / "state", CliRunner()
    state.mkdir()
    begun = made(name="no-plans", begins=now(), ends=now() + timedelta(hours=1))
    file.write(state, [begun])
    listed = runner.invoke(main, f"bypass -c {settings} --list --json", catch_exceptions=False)
    assert json.loads(listed.output)["id"] == begun.id
    (settings.parent / "plan.eml").write_text(PLAN)
    words = f"explain -p {settings.parent / 'policy.yaml'} --json {settings.parent / 'plan.eml'}"
    before = json.loads(runner.invoke(main, words, catch_exceptions=False).output)
    meanwhile = json.loads(runner.invoke(main, f"{words} -c {settings}", catch_exceptions=False).output)
    assert (before["action"], before["bypassed"]) == ("reject", [])
    assert (meanwhile["action"], meanwhile["bypassed"]) == ("accept", ["rule no-plans"])
    (state / file.NAME).chmod(0o644)
    odd = runner.invoke(main, f"{words} -c {settings}", catch_exceptions=False)
    assert json.loads(odd.stdout)["action"] == "reject"
    assert "nothing is bypassed" in odd.stderr


def test_the_shell_completes_names(settings: Path) -> None:
    completion = ShellComplete(main, {}, "mailwarden", "_MAILWARDEN_COMPLETE")

    def offered(*words: str, begun: str) -> list[str]:
        return [each.value for each in completion.get_completions(["bypass", *words], begun)]

    assert offered("-c", str(settings), "--rule", begun="no-") == ["no-plans", "no-programs"]
    assert offered("-c", str(settings), "--filter", begun="s") == ["secret_marks"]
    assert offered("-c", "nowhere.yaml", "--rule", begun="no-") == []
    assert offered("--rule", begun="no-") == []
