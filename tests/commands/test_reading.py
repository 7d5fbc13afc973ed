"""The commands that read the trail or a policy: their output, their exit codes, and that they leave no trace."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.keeping import AuditRecord
from gateway.store.open import open_store
from gateway.store.pseudonyms import Pseudonyms
from tests.reports.conftest import held, message, sent

KEY = "0123456789abcdef0123456789abcdef"
SETTINGS = """
listeners: [{name: inbound, smtp: "127.0.0.1:1", upstream: "maildir:maildir"}]
policy: policy.yaml
state: state
hostname: mx.example.gov.vn
"""
POLICY = """
version: 1
organisation: {domains: [example.gov.vn], directory: accounts.csv}
rules:
  - {id: no-programs, cite: gialai-2022/11.7, when: {found: attachments.executable}, then: reject}
  - {id: watch, when: {header: {name: Subject, contains: plan}}, then: accept}
"""
NOW = datetime.now(UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The settings and the policy of a small office."""
    (tmp_path / "gateway.yaml").write_text(SETTINGS)
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "accounts.csv").write_text("address,unit\nan@example.gov.vn,office\nbinh@example.gov.vn,finance\n")
    return tmp_path


def remembered(folder: Path, *records: AuditRecord, key: str = "") -> None:
    async def write() -> None:
        stores = await open_store(folder / "state" / "store", pseudonyms=Pseudonyms(key.encode()) if key else None)
        await stores.trail.append(records)
        await stores.close()

    asyncio.run(write())


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def report(folder: Path, *arguments: object) -> Result:
    return run("report", *arguments, "-c", folder / "gateway.yaml", "--from", "2026-03-01", "--to", "2026-03-31")


def digest(folder: Path) -> str:
    """What stands in the trail's file; SQLite's own log beside it comes and goes with each reader."""
    return hashlib.sha256((folder / "state" / "store" / "trail.db").read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", ["usage", "spam", "signup", "violations", "unused"])
def test_each_report_in_each_form(folder: Path, kind: str) -> None:
    remembered(folder, message(), sent(), held("no-programs"))
    before = digest(folder)
    assert report(folder, kind).exit_code == 0
    page = report(folder, kind, "--format", "html")
    assert page.stdout.startswith("<!DOCTYPE html>")
    table = report(folder, kind, "--format", "csv").stdout_bytes
    assert table.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(table.decode())))
    lines = [json.loads(line) for line in report(folder, kind, "--json").stdout.splitlines()]
    assert {line["report"] for line in lines} <= {kind}
    assert digest(folder) == before


def test_a_report_goes_to_a_file_and_of_one_table(folder: Path) -> None:
    remembered(folder, held("no-programs", id="M1"), held("no-programs", id="M2"))
    path = folder / "cases.csv"
    told = report(folder, "violations", "--format", "csv", "--table", "cases", "--unit", "office", "-o", path)
    assert (told.exit_code, told.output) == (0, "")
    rows = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
    assert [row[1] for row in rows[1:]] == ["M1", "M2"]
    assert {row[8] for row in rows[1:]} == {"gialai-2022/11.7"}


MISTAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "a unit that is not there": (("usage", "--unit", "navy"), "there are finance, office"),
    "a unit where there are none": (("spam", "--unit", "office"), "not told for 'office'"),
    "a table that is not there": (("usage", "--format", "csv", "--table", "x"), "there are units, months, accounts"),
    "a table for a file": (("usage", "-o", "x"), "a table is for the terminal"),
}


@pytest.mark.parametrize(("arguments", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_asking_for_a_report(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    remembered(folder, message())
    told = report(folder, *arguments)
    assert (told.exit_code, said in " ".join(told.output.split())) == (2, True), told.output


def test_a_report_on_days_in_the_wrong_order_or_without_a_trail(folder: Path) -> None:
    backwards = run("report", "usage", "-c", folder / "gateway.yaml", "--from", "2026-03-02", "--to", "2026-03-01")
    assert (backwards.exit_code, "is after" in backwards.output) == (2, True)
    told = report(folder, "usage")
    assert (told.exit_code, "the database is gone" in told.stderr) == (69, True)
    assert not (folder / "state").exists()


def test_a_report_under_pseudonyms(folder: Path) -> None:
    remembered(folder, sent(), key=KEY)
    (folder / "key").write_text(f"{KEY}\n")
    (folder / "gateway.yaml").write_text(SETTINGS + "pseudonym_key: ${file:key}\n")
    lines = [json.loads(line) for line in report(folder, "usage", "--json").stdout.splitlines()]
    accounts = [line for line in lines if line["table"] == "accounts"]
    assert [(line["account"], line["sent"]) for line in accounts] == [("an@example.gov.vn", 1)]


def replayed(folder: Path, new: str, *arguments: object) -> Result:
    (folder / "new.yaml").write_text(new)
    words = ("replay", "-p", folder / "new.yaml", "--against", folder / "policy.yaml", "--since", "7d")
    return run(*words, "-c", folder / "gateway.yaml", *arguments)


def recent(**changes: Any) -> AuditRecord:
    """A message of an hour ago, in which nothing was found."""
    facts = {"moment": NOW - timedelta(hours=1), "looked": ["attachments"], "partial": [], "subject": "x"}
    return message(**facts | changes)


STRICTER = POLICY + "  - {id: no-outsiders, when: {sender: a@example.org}, then: hold}\n"
LOOKING = POLICY + "  - {id: no-archives, when: {found: attachments.encrypted}, then: reject}\n"


def test_replay_from_the_trail_tells_changes_and_what_is_unknown(folder: Path) -> None:
    remembered(folder, recent(id="M1"), recent(id="M2", sender="b@example.org"), message(id="M3"))
    before = digest(folder)
    told = replayed(folder, STRICTER, "--json")
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert told.exit_code == 1
    assert [(line["file"], line["before"], line["after"], line["come"]) for line in lines[:-1]] == [
        ("M1", "accept", "hold", ["no-outsiders"])
    ]
    assert lines[-1]["total"] == {"records": 2, "changes": 1, "undecided": 0, "other_policies": 2}
    assert "accept -> hold" in replayed(folder, STRICTER).stdout
    assert digest(folder) == before


def test_replay_that_cannot_tell_does_not_say_that_nothing_changes(folder: Path) -> None:
    remembered(folder, recent(id="M1", looked=[]))
    told = replayed(folder, LOOKING)
    assert told.exit_code == 3
    assert "what attachments finds" in told.stdout
    assert "no decision changes" not in told.stdout
    lines = [json.loads(line) for line in replayed(folder, LOOKING, "--json").stdout.splitlines()]
    assert lines[0] == {"unknown": {"rule": "+ no-archives", "missing": "what attachments finds", "records": 1}}
    assert replayed(folder, POLICY).exit_code == 0


def test_replay_under_pseudonyms_knows_the_directory_and_nobody_else(folder: Path) -> None:
    remembered(folder, recent(id="M1"), recent(id="M2", recipient="binh@example.gov.vn"), key=KEY)
    (folder / "gateway.yaml").write_text(SETTINGS + f"pseudonym_key: {KEY}\n")
    known = POLICY + "  - {id: binh, when: {recipient: binh@example.gov.vn}, then: hold}\n"
    lines = [json.loads(line) for line in replayed(folder, known, "--json").stdout.splitlines()]
    assert [(line["file"], line["recipient"]) for line in lines[:-1]] == [("M2", "binh@example.gov.vn")]
    told = replayed(folder, STRICTER, "--json")
    assert told.exit_code == 3
    assert json.loads(told.stdout.splitlines()[0])["unknown"]["missing"] == "sender"


@pytest.mark.parametrize("words", [(), ("--since", "7d"), ("--since", "soon", "-c", "gateway.yaml")], ids=str)
def test_replay_wants_to_know_of_what(folder: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.chdir(folder)
    assert run("replay", "-p", "policy.yaml", "--against", "policy.yaml", *words).exit_code == 2


def test_coverage_tells_each_clause_and_the_counts(folder: Path) -> None:
    told = run("coverage", folder / "policy.yaml", "--json")
    lines = {line["clause"]: line for line in map(json.loads, told.stdout.splitlines())}
    assert (told.exit_code, len(lines)) == (0, 91)
    assert (lines["gialai-2022/11.7"]["state"], lines["gialai-2022/11.7"]["by"]) == (
        "enforced",
        ["no-programs", "mailwarden report violations"],
    )
    assert lines["gialai-2022/11.5"]["state"] == "open"
    assert "could be: enforce" in run("coverage", folder / "policy.yaml", "--open").stdout
    assert len(run("coverage", folder / "policy.yaml", "--all", "--json").stdout.splitlines()) == 202


def test_coverage_refuses_a_clause_that_is_not_there(folder: Path) -> None:
    (folder / "policy.yaml").write_text(POLICY.replace("/11.7", "/99.9"))
    told = run("coverage", folder / "policy.yaml")
    assert (told.exit_code, "rule no-programs cites gialai-2022/99.9" in told.stderr) == (1, True)


def test_doctor_tells_each_check_and_fails_where_the_gate_stays_open(folder: Path) -> None:
    told = run("doctor", "-c", folder / "gateway.yaml", "--json", "--postfix", folder)
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    states = {line["about"]: line["state"] for line in lines}
    assert told.exit_code == 1
    assert (states["virus (EICAR)"], states["program"], states["policy"]) == ("fail", "ok", "ok")
    assert all(line["advice"] for line in lines if line["state"] != "ok")
    assert not (folder / "state").exists()
    assert not (folder / "maildir").exists()
    shown = run("doctor", "-c", folder / "gateway.yaml")
    assert (shown.exit_code, "ok   program: reject: no-programs" in shown.stdout) == (1, True)


def test_doctor_is_content_where_the_gate_closes(folder: Path) -> None:
    rule = "  - {id: all, when: always, then: reject}\n"
    (folder / "policy.yaml").write_text(POLICY + rule)
    told = run("doctor", "-c", folder / "gateway.yaml", "--json")
    failed = [line for line in map(json.loads, told.stdout.splitlines()) if line["state"] == "fail"]
    # Port 1 of the settings is nobody's, and only root may have it.
    assert [line["about"] for line in failed if not line["about"].startswith("listener")] == []
