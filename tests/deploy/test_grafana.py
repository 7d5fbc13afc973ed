"""The dashboards that are checked in are those that their source writes, and each panel can be read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_status import NAMES

GRAFANA = Path(__file__).parents[2] / "deploy" / "grafana"
BOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
RECORDED = {
    rule["record"]
    for group in yaml.safe_load((GRAFANA.parent / "prometheus/rules/recording.yml").read_text())["groups"]
    for rule in group["rules"]
}


def read(path: Path) -> dict[str, Any]:
    board: dict[str, Any] = json.loads(path.read_text())
    return board


def test_what_is_checked_in_is_what_the_source_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, GRAFANA, tmp_path], check=True)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        path.name: path.read_text() for path in BOARDS
    }


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_every_panel_has_a_title_an_explanation_and_a_place(path: Path) -> None:
    board = read(path)
    assert board["uid"] == f"mailwarden-{path.stem}"
    assert board["description"]
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert all(panel["title"] and panel["description"] and panel["targets"] for panel in panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    places = [
        (x, y)
        for panel in board["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(places)) == len(places)
    assert all(x < 24 for x, _ in places)


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_only_metrics_that_exist_are_asked_for(path: Path) -> None:
    shown = re.findall(r"\bmailwarden[_:][\w:]+", " ".join(queries(read(path))))
    bare = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    assert bare <= NAMES | RECORDED


def queries(board: dict[str, Any]) -> list[str]:
    return [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]


def test_changes_of_the_policy_are_marked_on_every_dashboard() -> None:
    for path in BOARDS:
        marks = {mark["name"]: mark for mark in read(path)["annotations"]["list"]}
        assert marks["Policy changed"]["enable"]


def test_what_is_provisioned_is_what_is_here() -> None:
    [source] = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yaml").read_text())["datasources"]
    [provider] = yaml.safe_load((GRAFANA / "provisioning/dashboards/mailwarden.yaml").read_text())["providers"]
    assert source["type"] == "prometheus"
    assert source["isDefault"]
    assert provider["options"]["path"].endswith("/dashboards/mailwarden")
