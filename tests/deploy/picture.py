"""Draws a dashboard as SVG: its panels, in their places, with what a Prometheus says. Grafana draws better; this one
needs nothing, and shows real figures on a page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import pairwise
from typing import Any

from tests.deploy.units import written

COLUMN, ROW = 50, 32
"""Pixels of a column (there are 24) and of a row of the grid."""

MARGIN, HEAD, FOOT, AXIS = 4, 26, 40, 52
"""Pixels around a panel; above and below its drawing; left of it, for the scale."""

COLOURS = ("#3274d9", "#e0833c", "#56a64b", "#a352cc", "#e02f44", "#d8a800", "#1ba3a3", "#8f6b4e", "#c15c9c", "#6d7278")
NAMED = {"green": "#56a64b", "orange": "#e0833c", "red": "#e02f44", "text": "#24292e", "transparent": "none"}
Values = tuple[tuple[float, float], ...]
"""Times, in seconds since 1970, and what was there then."""

FONT = "font-family='sans-serif'"


@dataclass(frozen=True, slots=True)
class Series:
    """What Prometheus said: labels, and the values by time. What is not a number is left out."""

    labels: dict[str, str]
    legend: str
    values: Values

    @classmethod
    def read(cls, answer: dict[str, Any], legend: str) -> Series:
        """From an element of its answer to a range query."""
        labels = answer["metric"]
        named = re.sub(r"\{\{(\w+)\}\}", lambda name: labels.get(name[1], ""), legend)
        values = tuple((float(time), float(value)) for time, value in answer["values"])
        return cls(labels, named, tuple(each for each in values if math.isfinite(each[1])))


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, in pixels."""

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def of(cls, place: dict[str, int]) -> Box:
        """Where a panel is, from its place in the grid."""
        x, y, width, height = place["x"] * COLUMN, place["y"] * ROW, place["w"] * COLUMN, place["h"] * ROW
        return cls(x + MARGIN, y + MARGIN, width - 2 * MARGIN, height - 2 * MARGIN)

    @property
    def inner(self) -> Box:
        """What is left beside the scale, the title and the legend."""
        return Box(self.x + AXIS, self.y + HEAD, self.width - AXIS - 12, self.height - HEAD - FOOT)


@dataclass(frozen=True, slots=True)
class Plane:
    """A box with a scale of time and one of values."""

    box: Box
    start: float
    end: float
    top: float

    def at(self, time: float, value: float) -> tuple[float, float]:
        """Where a value is drawn."""
        box = self.box
        right = (time - self.start) / (self.end - self.start) * box.width
        return round(box.x + right, 1), round(box.y + box.height * (1 - min(1.0, value / self.top)), 1)


def drawn(board: dict[str, Any], answers: dict[int, list[Series]], start: float, end: float) -> str:
    """The dashboard from `start` to `end`, in seconds since 1970; `answers` are what each panel's queries gave, by its
    id."""
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"]) * ROW
    pieces = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 {-ROW} {24 * COLUMN} {height + ROW}' {FONT}>",
        f"<rect y='{-ROW}' width='100%' height='100%' fill='#f4f5f5'/>",
        _text(8, -10, board["title"], 16, weight="bold"),
    ]
    for panel in board["panels"]:
        pieces += _panel(panel, answers.get(panel["id"], []), start, end)
    return "\n".join([*pieces, "</svg>\n"])


def _panel(panel: dict[str, Any], series: list[Series], start: float, end: float) -> Iterator[str]:
    box = Box.of(panel["gridPos"])
    if panel["type"] == "row":
        yield _text(box.x + 4, box.y + 18, panel["title"], 14, weight="bold")
        return
    yield f"<rect x='{box.x}' y='{box.y}' width='{box.width}' height='{box.height}' fill='#fff' stroke='#dce0e4'/>"
    yield _text(box.x + 8, box.y + 17, panel["title"], 12, weight="bold", room=box.width - 16)
    match panel["type"]:
        case "stat":
            yield from _figure(panel, series, box)
        case "table":
            yield from _table(panel, series, box)
        case "state-timeline":
            yield from _states(panel, series, box, start, end)
        case "heatmap":
            yield from _heat(panel, series, box, start, end)
        case _:
            yield from _lines(panel, series, box, start, end)


def _figure(panel: dict[str, Any], series: list[Series], box: Box) -> Iterator[str]:
    named = panel["options"].get("textMode") == "name"
    value = series[0].values[-1][1] if series and series[0].values else math.nan
    text = series[0].legend if named and series else _worded(panel, value)
    room = (box.width - 16) / (0.62 * max(1, len(text)))
    colour = _colour(panel, value)
    yield _text(box.x + box.width / 2, box.y + box.height * 0.72, text, min(30, room), colour=colour, anchor="middle")


def _table(panel: dict[str, Any], series: list[Series], box: Box) -> Iterator[str]:
    rows = sorted((each for each in series if each.values), key=lambda each: -each.values[-1][1])
    for number, each in enumerate(rows[: int((box.height - HEAD - 8) // 19)]):
        y = box.y + HEAD + 16 + 19 * number
        words = " · ".join(value for _, value in sorted(each.labels.items(), reverse=True))
        yield _text(box.x + 10, y, words, 12, room=box.width - 80)
        yield _text(box.x + box.width - 12, y, _number(panel, each), 12, anchor="end")
        yield f"<path d='M{box.x + 8} {y + 5}h{box.width - 16}' stroke='#eef0f2'/>"


def _number(panel: dict[str, Any], series: Series) -> str:
    unit, value = panel["fieldConfig"]["defaults"].get("unit", "short"), series.values[-1][1]
    return written(value, "none" if unit == "short" else unit)


def _states(panel: dict[str, Any], series: list[Series], box: Box, start: float, end: float) -> Iterator[str]:
    inner = box.inner
    height = min(40.0, inner.height / max(1, len(series)))
    plane = Plane(inner, start, end, 1)
    for number, each in enumerate(series):
        y = inner.y + number * height
        yield _text(inner.x - 4, y + height / 2 + 4, each.legend, 11, anchor="end", room=AXIS - 6)
        for (time, value), (after, _) in pairwise([*_changes(each.values), (end, 0.0)]):
            (x, _), (right, _) = plane.at(time, 0), plane.at(after, 0)
            size = f"width='{right - x:.1f}' height='{height - 6:.1f}'"
            yield f"<rect x='{x}' y='{y + 3:.1f}' {size} fill='{_colour(panel, value)}'/>"
    yield from _times(plane)


def _changes(values: Values) -> list[tuple[float, float]]:
    """The first of each run of equal values."""
    return [each for number, each in enumerate(values) if not number or each[1] != values[number - 1][1]]


def _heat(panel: dict[str, Any], series: list[Series], box: Box, start: float, end: float) -> Iterator[str]:
    finite = (each for each in series if each.labels["le"] != "+Inf")
    buckets = sorted(finite, key=lambda each: float(each.labels["le"]))
    plane = Plane(box.inner, start, end, 1)
    below: dict[float, float] = {}
    cells: list[tuple[int, float, float]] = []
    for number, each in enumerate(buckets):
        cells += [(number, time, max(0.0, value - below.get(time, 0.0))) for time, value in each.values]
        below = dict(each.values)
    most = max((value for _, _, value in cells), default=0.0) or 1.0
    times = sorted({time for _, time, _ in cells})
    width = box.inner.width / max(1, len(times))
    height = box.inner.height / max(1, len(buckets))
    for number, time, value in cells:
        if value > 0:
            x, y = plane.at(time, 0)[0], box.inner.y + box.inner.height - (number + 1) * height
            shade = f"fill='#e0833c' fill-opacity='{0.15 + 0.85 * (value / most) ** 0.5:.2f}'"
            yield f"<rect x='{x}' y='{y:.1f}' width='{width:.1f}' height='{height - 0.5:.1f}' {shade}/>"
    for number, each in enumerate(buckets):
        if number % 3 == 0:
            y = box.inner.y + box.inner.height - (number + 0.3) * height
            unit = panel["options"]["yAxis"].get("unit", "short")
            yield _text(box.inner.x - 4, y, written(float(each.labels["le"]), unit), 10, anchor="end")
    yield from _times(plane)


def _lines(panel: dict[str, Any], series: list[Series], box: Box, start: float, end: float) -> Iterator[str]:
    stacked = "stacking" in panel["fieldConfig"]["defaults"].get("custom", {})
    shown = [each for each in series if each.values]
    if stacked:
        shown = [each for each in shown if any(value for _, value in each.values)] or shown
    curves = list(_stacked(shown)) if stacked else [(each.values, ()) for each in shown]
    highest = max((value for upper, _ in curves for _, value in upper), default=0.0)
    plane = Plane(box.inner, start, end, _round_up(highest))
    unit = panel["fieldConfig"]["defaults"].get("unit", "short")
    for part in (0, 0.5, 1):
        x, y = plane.at(start, plane.top * part)
        yield f"<path d='M{x} {y}h{box.inner.width}' stroke='#e4e7ea'/>"
        yield _text(x - 4, y + 4, written(plane.top * part, unit), 10, anchor="end")
    for number, (upper, lower) in enumerate(curves):
        colour = COLOURS[number % len(COLOURS)]
        line = _path(plane, upper)
        if stacked:
            yield f"<path d='M{line}L{_path(plane, tuple(reversed(lower)))}Z' fill='{colour}' fill-opacity='.6'/>"
        yield f"<path d='M{line}' fill='none' stroke='{colour}' stroke-width='1.4'/>"
    yield from _times(plane)
    yield from _legend(box, [each.legend for each in shown])


def _stacked(series: Sequence[Series]) -> Iterator[tuple[Values, Values]]:
    """The upper and the lower edge of each."""
    below: dict[float, float] = {}
    for each in series:
        lower = tuple((time, below.get(time, 0.0)) for time, _ in each.values)
        upper = tuple((time, value + below.get(time, 0.0)) for time, value in each.values)
        below |= dict(upper)
        yield upper, lower


def _path(plane: Plane, values: Sequence[tuple[float, float]]) -> str:
    return "L".join("{},{}".format(*plane.at(time, value)) for time, value in values)


def _times(plane: Plane) -> Iterator[str]:
    for part in (0.05, 0.5, 0.93):
        moment = datetime.fromtimestamp(plane.start + part * (plane.end - plane.start), UTC)
        x = plane.box.x + part * plane.box.width
        yield _text(x, plane.box.y + plane.box.height + 14, f"{moment:%H:%M:%S}", 10, colour="#6d7278", anchor="middle")


def _legend(box: Box, names: Sequence[str]) -> Iterator[str]:
    x, y = box.x + 10, box.y + box.height - 8
    for number, name in enumerate(names):
        width = 18 + 5.6 * len(name)
        if x + width > box.x + box.width and number:
            return
        yield f"<rect x='{x:.0f}' y='{y - 7}' width='9' height='3' fill='{COLOURS[number % len(COLOURS)]}'/>"
        yield _text(x + 12, y, name, 10, room=box.width - 30)
        x += width


def _text(
    x: float,
    y: float,
    text: str,
    size: float,
    *,
    colour: str = "#24292e",
    anchor: str = "start",
    weight: str = "normal",
    room: float = math.inf,
) -> str:
    fits = len(text) if math.isinf(room) else int(room / (0.55 * size))
    words = escape(text if len(text) <= fits else f"{text[: max(1, fits - 1)]}…")
    style = f"font-size='{size:.0f}' fill='{colour}' text-anchor='{anchor}' font-weight='{weight}'"
    return f"<text x='{x:.1f}' y='{y:.1f}' {style}>{words}</text>"


def _worded(panel: dict[str, Any], value: float) -> str:
    defaults = panel["fieldConfig"]["defaults"]
    for mapping in defaults.get("mappings", ()):
        if meaning := mapping["options"].get(f"{value:g}"):
            return str(meaning["text"])
    return written(value, defaults.get("unit", "short"))


def _colour(panel: dict[str, Any], value: float) -> str:
    steps = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
    reached = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    return NAMED[reached[-1]] if reached else NAMED["text"]


def _round_up(value: float) -> float:
    if value <= 0:
        return 1.0
    power = 10 ** math.floor(math.log10(value))
    return float(next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * 0.999))
