"""The rules for Prometheus: each alert fires and is silent by promtool's tests, and says what to do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOYED = Path(__file__).parents[2] / "deploy"
RULES = sorted((DEPLOYED / "prometheus/rules").glob("*.yml"))
TESTS = sorted((DEPLOYED / "prometheus/tests").glob("*.test.yml"))
SEVERITIES = {"page", "ticket"}

ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for path in RULES
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
    if "alert" in rule
}


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def headings(path: Path) -> set[str]:
    """The anchors that a forge gives to the headings of a page."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def cases() -> list[tuple[str, bool]]:
    """The alerts that the tests ask for, each with whether it is to fire."""
    return [
        (case["alertname"], bool(case["exp_alerts"]))
        for path in TESTS
        for test in yaml.safe_load(path.read_text())["tests"]
        for case in test["alert_rule_test"]
    ]


def test_the_settings_and_rules_are_well_formed() -> None:
    promtool("check", "config", DEPLOYED / "prometheus/prometheus.yml")
    promtool("check", "rules", *RULES)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_the_rules_pass_their_tests(path: Path) -> None:
    promtool("test", "rules", path)


@pytest.mark.parametrize("fires", [True, False])
def test_every_alert_is_shown_to_fire_and_to_be_silent(fires: bool) -> None:
    assert {name for name, expected in cases() if expected is fires} == set(ALERTS)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_urgent_it_is_what_is_wrong_and_where_to_read_on(name: str) -> None:
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in SEVERITIES
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    path, anchor = rule["annotations"]["runbook_url"].split("#")
    assert anchor == name.lower()
    assert anchor in headings(DEPLOYED.parent / path)


def test_the_runbook_has_no_section_of_an_alert_that_is_gone() -> None:
    told = {anchor for anchor in headings(DEPLOYED / "README.md") if anchor.startswith("mailwarden")}
    assert told == {name.lower() for name in ALERTS}
