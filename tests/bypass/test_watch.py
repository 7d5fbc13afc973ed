"""What a running gateway makes of the file: at once, for as long as it counts, and not at all if it is odd."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
import structlog

from gateway.bypass import file
from gateway.bypass.watch import Bypasses
from gateway.policy.load import load
from gateway.policy.model import Policy
from tests.bypass.test_model import NOW, made

POLICY = """
version: 1
rules:
  - {id: no-executables, when: {header: {name: Subject, contains: exe}}, then: reject}
  - {id: no-plans, when: {header: {name: Subject, contains: plan}}, then: reject}
"""


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.moment = NOW

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    (tmp_path / "policy.yaml").write_text(POLICY)
    return load(tmp_path / "policy.yaml")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_without_a_file_the_policy_is_itself(policy: Policy, tmp_path: Path, clock: Clock) -> None:
    bypasses = Bypasses(tmp_path, clock)
    assert bypasses.applied(policy) is policy
    assert bypasses.left() == []


def test_it_is_seen_at_once_and_is_over_at_its_end(policy: Policy, tmp_path: Path, clock: Clock) -> None:
    bypasses = Bypasses(tmp_path, clock)
    assert bypasses.applied(policy).bypassed == ()
    with structlog.testing.capture_logs() as logs:
        file.write(tmp_path, [made(), made(name="no-plans", ends=NOW + timedelta(hours=1))])
        assert bypasses.applied(policy).bypassed == ("rule no-executables", "rule no-plans")
        clock.moment += timedelta(seconds=1799)
        assert bypasses.applied(policy).bypassed == ("rule no-executables", "rule no-plans")
        assert [(each.name, left) for each, left in bypasses.left()] == [("no-executables", 1), ("no-plans", 1801)]
        clock.moment += timedelta(seconds=1)
        assert [each.name for each, _ in bypasses.left()] == ["no-plans"]
        assert bypasses.applied(policy).bypassed == ("rule no-plans",)
        file.write(tmp_path, [])
        assert bypasses.applied(policy) is policy
    told = [(entry["event"], entry["bypass"], entry.get("ended_early")) for entry in logs]
    assert told == [
        ("bypass counts", "rule no-executables", None),
        ("bypass counts", "rule no-plans", None),
        ("bypass is over", "rule no-executables", False),
        ("bypass is over", "rule no-plans", True),
    ]
    assert (logs[0]["actor"], logs[0]["uid"], logs[0]["reason"]) == ("an", 1000, "why")
    assert logs[0]["until"] == "2026-11-24T21:30:00+00:00"


def test_a_policy_that_is_loaded_anew_is_bypassed_too(policy: Policy, tmp_path: Path, clock: Clock) -> None:
    file.write(tmp_path, [made()])
    bypasses = Bypasses(tmp_path, clock)
    first = bypasses.applied(policy)
    assert bypasses.applied(policy) is first
    again = load(tmp_path / "policy.yaml")
    assert bypasses.applied(again).whole is again
    (tmp_path / "policy.yaml").write_text(POLICY.replace("no-executables", "renamed"))
    with structlog.testing.capture_logs() as logs:
        renamed = load(tmp_path / "policy.yaml")
        assert bypasses.applied(renamed) is renamed
        assert bypasses.applied(renamed) is renamed
    assert [entry["event"] for entry in logs] == ["bypass has no effect on this policy"]
    assert bypasses.left() == []


def test_a_clock_that_was_set_back_suspends_nothing(policy: Policy, tmp_path: Path, clock: Clock) -> None:
    file.write(tmp_path, [made()])
    clock.moment -= timedelta(seconds=1)
    assert Bypasses(tmp_path, clock).applied(policy) is policy


def test_a_file_that_is_odd_suspends_nothing_and_is_told_once(policy: Policy, tmp_path: Path, clock: Clock) -> None:
    bypasses = Bypasses(tmp_path, clock)
    file.write(tmp_path, [made()])
    assert bypasses.applied(policy).bypassed
    with structlog.testing.capture_logs() as logs:
        (tmp_path / file.NAME).chmod(0o644)
        for _ in range(3):
            assert bypasses.applied(policy) is policy
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [
        ("bypasses cannot be used: nothing is bypassed", "error"),
        ("bypass is over", "warning"),
    ]
    (tmp_path / file.NAME).chmod(0o600)
    assert bypasses.applied(policy).bypassed


def test_a_folder_that_cannot_be_looked_into_suspends_nothing(policy: Policy, tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "state").write_text("no folder")
    with structlog.testing.capture_logs() as logs:
        assert Bypasses(tmp_path / "state", clock).applied(policy) is policy
    assert [entry["log_level"] for entry in logs] == ["error"]
