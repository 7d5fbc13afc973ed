"""A chart as SVG, written by hand: bars in piles, no script, no font of its own, every text escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

from markupsafe import Markup, escape

from gateway.reports.cells import printable
from gateway.reports.model import Chart

WIDTH, HEIGHT = 760, 240
LEFT, BOTTOM, TOP = 60, 70, 16
"""Units of the drawing: room for the numbers at the left, slanted labels below, and the first line of the scale."""

LABELS = 31
"""Labels that can be read beside each other; of more, every second or third is written."""

LABEL_LENGTH = 24
"""Characters of one label."""

COLOURS = ("#2b6cb0", "#38a169", "#d69e2e", "#dd6b20", "#805ad5", "#718096", "#c53030")
"""One for each series, told apart in grey print too; beyond the seventh they begin again."""


def svg(chart: Chart) -> Markup:
    """The drawing; with no data an empty text."""
    series = list(chart.series.values())
    totals = [sum(values) for values in zip(*series, strict=True)]
    if not any(totals):
        return Markup()
    top = _round_up(max(totals))
    title = escape(f"{chart.title.vi} / {chart.title.en}")
    opening = Markup('<svg viewBox="0 0 {} {}" role="img" xmlns="http://www.w3.org/2000/svg"><title>{}</title>')
    parts = [*_scale(top), *_bars(chart.labels, series, top), *_labels(chart.labels), *_legend(list(chart.series))]
    return opening.format(WIDTH, HEIGHT + BOTTOM, title) + Markup("").join(parts) + Markup("</svg>")


def _round_up(value: int) -> int:
    """The next number of the form 1, 2 or 5 times a power of ten."""
    power = 1
    while power * 10 < value:
        power *= 10
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def _y(value: float, top: int) -> float:
    return round(HEIGHT - value / top * (HEIGHT - TOP), 1)


def _scale(top: int) -> Iterator[Markup]:
    line = Markup('<line x1="{}" x2="{}" y1="{}" y2="{}" stroke="#ccc"/>')
    text = Markup('<text x="{}" y="{}" text-anchor="end" font-size="11">{}</text>')
    for quarter in range(5):
        value = top * quarter / 4
        y = _y(value, top)
        yield line.format(LEFT, WIDTH, y, y)
        yield text.format(LEFT - 6, y + 4, f"{value:,.0f}" if top >= 4 else f"{value:g}")


def _bars(labels: Sequence[str], series: Sequence[Sequence[int]], top: int) -> Iterator[Markup]:
    bar = Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}"><title>{}: {}</title></rect>')
    step = (WIDTH - LEFT) / len(labels)
    for place, label in enumerate(labels):
        values = [each[place] for each in series]
        for number, (value, reached) in enumerate(zip(values, accumulate(values), strict=True)):
            if value:
                y, foot = _y(reached, top), _y(reached - value, top)
                x, width = round(LEFT + place * step + step * 0.1, 1), round(step * 0.8, 1)
                colour = COLOURS[number % len(COLOURS)]
                yield bar.format(x, y, width, round(foot - y, 1), colour, printable(label), f"{value:,}")


def _labels(labels: Sequence[str]) -> Iterator[Markup]:
    text = Markup('<text transform="translate({},{}) rotate(-35)" text-anchor="end" font-size="11">{}</text>')
    step = (WIDTH - LEFT) / len(labels)
    for place in range(0, len(labels), -(-len(labels) // LABELS)):
        yield text.format(round(LEFT + (place + 0.5) * step, 1), HEIGHT + 14, printable(labels[place][:LABEL_LENGTH]))


def _legend(names: Sequence[str]) -> Iterator[Markup]:
    box = Markup('<rect x="{}" y="{}" width="10" height="10" fill="{}"/><text x="{}" y="{}" font-size="11">{}</text>')
    for number, name in enumerate(names):
        if name:
            x, y = LEFT + number % 6 * 115, HEIGHT + BOTTOM - 12 + number // 6 * 12
            yield box.format(x, y, COLOURS[number % len(COLOURS)], x + 14, y + 9, printable(name[:LABEL_LENGTH]))
