"""Numbers as the dashboards write them, in Grafana's units."""

from __future__ import annotations

import math
import time

STEPS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "µs"))


def written(value: float, unit: str) -> str:
    """A value with its unit; "-" for what is no number."""
    if math.isnan(value):
        return "-"
    match unit:
        case "percentunit":
            return f"{value * 100:.3g} %"
        case "s":
            size, name = next((each for each in SPANS if abs(value) >= each[0]), (1, "s"))
            return f"{value / size:.3g} {name}"
        case "dateTimeFromNow":
            return f"{written(max(0.0, time.time() - value / 1000), 's')} ago"
        case "none":
            return f"{round(value):,}"
        case "bytes":
            return f"{_short(value)}B"
        case "Bps":
            return f"{_short(value)}B/s"
        case _:
            return _short(value).rstrip()


def _short(value: float) -> str:
    size, name = next((each for each in STEPS if abs(value) >= each[0]), (1, ""))
    return f"{value / size:.3g} {name}"
