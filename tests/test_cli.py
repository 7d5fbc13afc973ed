"""The commands as a person and a script use them: output, exit codes, help."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from gateway.cli import main

POLICY = """
version: 1
organisation: {domains: [example.gov.vn]}
rules:
  - id: no-secret-plans
    cite: test/1
    when: {header: {name: Subject, contains: plan}}
    then: reject
    with: {text: {vi: Không nhận, en: Not taken}}
  - id: watch-attachments
    cite: [test/2, test/3]
    mode: shadow
    when: {found: attachments.attachment}
    then: quarantine
tests:
  - name: a plan is refused
    given: {from: a@example.org, to: b@example.gov.vn, subject: the plan}
    expect: {action: reject, rules: [no-secret-plans], reply: 550}
  - name: a letter passes
    given: {from: a@example.org, to: b@example.gov.vn, subject: a letter}
    expect: {action: accept}
"""

MAIL = (
    b"From: a@example.org\r\nTo: b@example.gov.vn, c@example.gov.vn\r\nMessage-ID: <1@example.org>\r\n"
    b"Subject: the plan\r\n\r\nHello\r\n"
)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return path


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    path = tmp_path / "plan.eml"
    path.write_bytes(MAIL)
    return path


def run(*arguments: object, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)


def test_check_says_what_it_has_read(policy: Path) -> None:
    result = run("check", policy)
    assert result.exit_code == 0
    assert result.output.startswith(f"{policy}: ok, 2 rules, 2 cases, digest ")


def test_check_prints_every_problem_of_every_file(tmp_path: Path, policy: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text("version: 1\nruls: []\nlist: {}\n")
    result = run("check", tmp_path / "one.yaml", policy, tmp_path / "two.yaml")
    assert result.exit_code == 78
    for name in ("one", "two"):
        assert f'{tmp_path}/{name}.yaml:2:1: unknown key "ruls"' in result.output
        assert f'{tmp_path}/{name}.yaml:3:1: unknown key "list"' in result.output
    assert "4 problems" in result.output


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = run("check", tmp_path / "none.yaml")
    assert result.exit_code == 2
    assert "none.yaml' does not exist" in result.output


def test_cases_pass(policy: Path) -> None:
    result = run("test", policy)
    assert (result.exit_code, result.output) == (0, f"{policy}: 2 passed, 0 failed\n")


def test_a_failing_case_says_why_and_where(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.replace("subject: a letter", "subject: a plan too"))
    junit = tmp_path / "results.xml"
    result = run("test", path, "--junit", junit)
    assert result.exit_code == 1
    assert "a letter passes: expected accept, got reject; no-secret-plans: " in result.output
    assert f"{path}:19:" in result.output
    assert f"{path}: 1 passed, 1 failed" in result.output
    suite = ElementTree.parse(junit).getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.find("failure") is None for case in suite] == [True, False]


def test_explain_as_json_is_the_contract(policy: Path, mail: Path) -> None:
    result = run("explain", "-p", policy, "--json", mail, mail)
    assert result.exit_code == 0
    first, second = (json.loads(line) for line in result.output.splitlines())
    assert first.pop("seconds") > 0
    assert second["file"] == str(mail)
    rules = [
        {
            "id": "no-secret-plans",
            "cite": ["test/1"],
            "mode": "enforce",
            "action": "reject",
            "result": "match",
            "because": "header Subject is 'the plan'",
        },
        {
            "id": "watch-attachments",
            "cite": ["test/2", "test/3"],
            "mode": "shadow",
            "action": None,
            "result": "no-match",
            "because": "did not find attachments.attachment",
        },
    ]
    reply = {"code": 550, "enhanced": "5.7.1", "text": "Khong nhan / Not taken [no-secret-plans]"}
    for recipient in first["recipients"]:
        assert recipient["rules"][0]["because"]
        recipient["rules"][0]["because"] = rules[0]["because"]
    assert first == {
        "file": str(mail),
        "message_id": "<1@example.org>",
        "direction": "inbound",
        "action": "reject",
        "recipients": [
            {"address": address, "action": "reject", "reply": reply, "rules": rules}
            for address in ("b@example.gov.vn", "c@example.gov.vn")
        ],
        "findings": [],
        "unavailable": [],
        "bypassed": [],
    }


def test_explain_takes_the_envelope_from_its_options(policy: Path) -> None:
    options = ("--from", "x@example.gov.vn", "--rcpt", "y@example.net", "--client", "203.0.113.1", "--user", "x")
    result = run("explain", "-p", policy, "--json", *options, "-", stdin=MAIL)
    told = json.loads(result.output)
    assert (told["direction"], [each["address"] for each in told["recipients"]]) == ("outbound", ["y@example.net"])


def test_explain_for_people_shows_each_rule(policy: Path, mail: Path) -> None:
    result = run("explain", "-p", policy, mail)
    assert "REJECT" in result.output
    assert "to <b@example.gov.vn>, <c@example.gov.vn>: reject" in result.output
    assert "watch-attachments" in result.output
    assert "the client hears: 550 5.7.1 Khong nhan / Not taken" in result.output


def test_explain_refuses_an_address_that_is_none(policy: Path, mail: Path) -> None:
    result = run("explain", "-p", policy, "--client", "300.1.1.1", mail)
    assert result.exit_code == 2
    assert "is not an IP address" in result.output


@pytest.mark.parametrize("what", ["policy", "settings"])
def test_schema_is_a_schema(what: str) -> None:
    schema = json.loads(run("schema", what).output)
    Draft202012Validator.check_schema(schema)
    assert schema["$defs"]


def test_filters_are_told_from_their_documentation() -> None:
    everything, one = run("filters").output, run("filters", "attachments").output
    assert one in everything
    assert "attachments.executable" in one


def test_an_unknown_filter_is_an_error() -> None:
    result = run("filters", "virrus")
    assert result.exit_code == 2
    assert "no filter 'virrus'" in result.output


def test_serve_with_bad_settings_says_where(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text("listeners: []\npolicy: p.yaml\nstate: state\nmetric: x\n")
    result = run("serve", "-c", path)
    assert result.exit_code == 78
    assert f'{path}:4:1: unknown key "metric"' in result.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    assert "_MAILWARDEN_COMPLETE" in run("completion", shell).output


def every_command(group: click.Group) -> Iterator[tuple[str, ...]]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from ((name, *inner) for inner in every_command(command))
        else:
            yield (name,)


@pytest.mark.parametrize("words", every_command(main), ids=" ".join)
def test_every_command_has_help_with_an_example(words: tuple[str, ...]) -> None:
    result = run(*words, "--help")
    assert result.exit_code == 0
    assert f"mailwarden {' '.join(words)}" in result.output
    assert "Example" in result.output


def test_replay_shows_whose_decision_changes_and_by_which_rule(tmp_path: Path, policy: Path, mail: Path) -> None:
    new = tmp_path / "new.yaml"
    new.write_text(POLICY.replace("contains: plan", "contains: letter").split("tests:")[0])
    folder = tmp_path / "mails"
    folder.mkdir()
    (folder / "1.eml").write_bytes(MAIL)
    (folder / "2.eml").write_bytes(MAIL.replace(b"the plan", b"a talk"))
    told = run("replay", "-p", new, "--against", policy, folder)
    assert told.exit_code == 1
    assert "2 decisions change" in told.output
    assert "reject -> accept" in told.output
    assert "- no-secret-plans" in told.output
    told = run("replay", "-p", new, "--against", policy, "--json", folder)
    lines = [json.loads(line) for line in told.output.splitlines()]
    assert [(line["recipient"], line["before"], line["after"], line["gone"]) for line in lines] == [
        ("b@example.gov.vn", "reject", "accept", ["no-secret-plans"]),
        ("c@example.gov.vn", "reject", "accept", ["no-secret-plans"]),
    ]


def test_replay_reads_an_mbox_and_says_when_nothing_changes(tmp_path: Path, policy: Path) -> None:
    box = tmp_path / "mail.mbox"
    entry = b"From a@example.org Tue Nov 24 12:00:00 2026\n" + MAIL.replace(b"\r\n", b"\n") + b"\n"
    box.write_bytes(entry * 3)
    told = run("replay", "-p", policy, "--against", policy, box)
    assert (told.exit_code, told.output) == (0, "no decision changes\n")
