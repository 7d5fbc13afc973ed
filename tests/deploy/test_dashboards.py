"""Every query of the dashboards and every expression of the rules, asked of a real Prometheus: each has an answer."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

from tests.deploy.boards import PATHS, Window, panels, picture, read
from tests.deploy.prometheus import LOOK, PATIENCE, Prometheus
from tests.deploy.traffic import under_way

DEPLOYED = Path(__file__).parents[2] / "deploy"
WINDOW = 60
"""Seconds that are shown."""


def asked_by_dashboards() -> Iterator[tuple[str, str]]:
    """Where it stands, and what is asked for: by panels, for marks, for the choice at the top."""
    for path in PATHS:
        board = read(path)
        for panel in panels(board):
            for target in panel["targets"]:
                yield f"{path.name}: {panel['title']} {target['refId']}", target["expr"]
        for mark in board["annotations"]["list"]:
            yield f"{path.name}: {mark['name']}", mark["expr"]
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                wanted = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"])
                assert wanted
                yield f"{path.name}: ${variable['name']}", f"count by ({wanted[2]}) ({wanted[1]})"


def asked_by_rules() -> Iterator[tuple[str, str]]:
    """What rules record and alerts compare: asked with `bool`, so that there is an answer where nothing is wrong."""
    for path in sorted((DEPLOYED / "prometheus/rules").glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                if absent := re.fullmatch(r"absent\((.*)\)", rule["expr"]):
                    yield rule["alert"], absent[1]
                else:
                    name = rule.get("alert") or f"{rule['record']} {rule.get('labels', '')}"
                    yield name, re.sub(r" ([<>]=?|[!=]=) ", r" \1 bool ", rule["expr"])


async def unanswered(prometheus: Prometheus, queries: Mapping[str, str]) -> dict[str, str]:
    """The queries that have no answer, or none that is a number, when the patience is at an end."""
    try:
        async with asyncio.timeout(PATIENCE):
            left = dict(queries)
            while left := {name: query for name, query in left.items() if not await prometheus.values(query)}:
                await asyncio.sleep(LOOK)
    except TimeoutError:
        pass
    return left


async def broken_rules(prometheus: Prometheus) -> list[Any]:
    """Rules that Prometheus could not evaluate."""
    groups = (await prometheus.get("rules"))["groups"]
    return [rule for group in groups for rule in group["rules"] if rule["health"] != "ok"]


async def test_every_query_has_an_answer(tmp_path: Path) -> None:
    begun = time.time()
    window = Window(begun, begun + WINDOW, WINDOW // 2)
    queries = {name: window.filled_in(query) for name, query in (*asked_by_dashboards(), *asked_by_rules())}
    async with (
        under_way(tmp_path) as traffic,
        Prometheus(tmp_path / "prometheus", f"127.0.0.1:{traffic.service.metrics}") as prometheus,
    ):
        await traffic.round()
        await prometheus.until('mailwarden_put_off_total{reason="unknown"} > 0')
        await traffic.suspend_a_rule()
        await traffic.round()
        await traffic.change_the_policy()
        traffic.break_the_next_hop()
        await traffic.round()
        assert await unanswered(prometheus, queries) == {}
        assert await broken_rules(prometheus) == []
        for path in PATHS:
            ElementTree.fromstring(await picture(prometheus, read(path), Window(begun, time.time(), WINDOW // 2)))
