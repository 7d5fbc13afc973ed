"""Cells as text: for people in a table or page, and as plain values for scripts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from gateway.policy.logic import HOME_ZONE
from gateway.reports.model import Value


def written(value: Value) -> str:
    """For people: numbers with thousands apart, shares in per cent, moments in Vietnam's time."""
    match value:
        case None:
            return "–"
        case float():
            return f"{value:.1%}"
        case int():
            return f"{value:,}"
        case datetime():
            return f"{value.astimezone(HOME_ZONE):%Y-%m-%d %H:%M}"
        case date():
            return value.isoformat()
        case tuple():
            return printable(", ".join(value))
        case _:
            return printable(value)


def plain(value: Value) -> Any:
    """For scripts: moments in ISO 8601, shares as numbers."""
    match value:
        case datetime():
            return value.astimezone(HOME_ZONE).isoformat()
        case date():
            return value.isoformat()
        case float():
            return round(value, 6)
        case tuple():
            return [printable(each) for each in value]
        case str():
            return printable(value)
        case _:
            return value


def printable(text: str) -> str:
    """What strangers wrote, without what does not print or turns the direction of what follows (Unicode TR36)."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in text)
