"""The dashboards as they are checked in, with Grafana's variables put in, and their pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.deploy.picture import Series, drawn
from tests.deploy.prometheus import Prometheus

GRAFANA = Path(__file__).parents[2] / "deploy" / "grafana"
PATHS = sorted((GRAFANA / "dashboards").glob("*.json"))

POINTS = 120
"""Values of a curve: a panel is some hundred pixels wide."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is shown, in seconds since 1970, and over how many seconds rates are taken."""

    start: float
    end: float
    rate: int

    def filled_in(self, query: str) -> str:
        """A query as Grafana would ask it for all gateways."""
        shown = f"{max(1, round(self.end - self.start))}s"
        return query.replace("$__rate_interval", f"{self.rate}s").replace("$__range", shown).replace("$instance", ".*")


def read(path: Path) -> dict[str, Any]:
    """A dashboard."""
    board: dict[str, Any] = json.loads(path.read_text())
    return board


def panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Its panels, without the headings between them."""
    return (panel for panel in board["panels"] if panel["type"] != "row")


async def picture(prometheus: Prometheus, board: dict[str, Any], window: Window) -> str:
    """What it shows, as SVG."""
    answers: dict[int, list[Series]] = {}
    step = max(1.0, (window.end - window.start) / POINTS)
    for panel in panels(board):
        start = window.end if panel["type"] == "table" else window.start
        for target in panel["targets"]:
            data = await prometheus.get(
                "query_range",
                query=window.filled_in(target["expr"]),
                start=str(start),
                end=str(window.end),
                step=f"{step:.3f}",
            )
            found = [Series.read(each, target.get("legendFormat", "")) for each in data["result"]]
            answers.setdefault(panel["id"], []).extend(found)
    return drawn(board, answers, window.start, window.end)
