"""The single values an operator may write, and how each is read from its text; used by `reader.py`.

A value is read by the type that is declared for it and by nothing else: there is no guessing from its looks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, NewType

Duration = NewType("Duration", float)
"""Seconds. Written `250ms`, `30s`, `5m`, `2h`, `7d`, or a bare number of seconds."""

Size = NewType("Size", int)
"""Octets. Written `25MB` (powers of 1000), `10MiB` (powers of 1024), `256kB`, or a bare number of octets."""

Network = IPv4Network | IPv6Network
"""An address or a network in CIDR form: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.1`."""

_SECONDS = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_OCTETS = {
    "": 1,
    "B": 1,
    **{f"{letter}B": 1000**power for power, letter in enumerate("kMGT", start=1)},
    **{f"{letter}iB": 1024**power for power, letter in enumerate("KMGT", start=1)},
}
_OCTETS_BY_UNIT = {unit.lower(): octets for unit, octets in _OCTETS.items()}

# Fifteen digits: every such number is exact as a float too.
_INT = r"-?(0|[1-9][0-9]{0,14})"
_FLOAT = r"-?[0-9]{1,15}(\.[0-9]{1,15})?"
_DURATION = r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)?"
_SIZE = r"([0-9]{1,12}(?:\.[0-9]{1,3})?) ?([kKmMgGtT]?[iI]?[bB])?"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CIDR = r"[0-9A-Fa-f.:]+(/[0-9]{1,3})?"  # no zones, no masks in other forms
_TIME = r"[0-9]{2}:[0-9]{2}"
_EXPECTED_NETWORK = 'an address or a network such as "10.0.0.0/8", with no bits set beyond the prefix'
_TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_TRUTH_WORDS = [written for word in _TRUTHS for written in (word, word.title(), word.upper())]


@dataclass(frozen=True, slots=True)
class ScalarType:
    """How one type is read: `expected` says it in a message ("must be ..."), `parse` raises ValueError, `schema` is
    its JSON Schema, `write` turns a value into a text that `parse` reads again.
    """

    expected: str
    parse: Callable[[str], Any]
    schema: Mapping[str, Any]
    write: Callable[[Any], str] = str


def _match(pattern: str, text: str) -> re.Match[str]:
    found = re.fullmatch(pattern, text, re.ASCII)
    if not found:
        raise ValueError(text)
    return found


def _parse_text(text: str) -> str:
    return text


def _parse_int(text: str) -> int:
    return int(_match(_INT, text)[0])


def _parse_float(text: str) -> float:
    return float(_match(_FLOAT, text)[0])


def _parse_bool(text: str) -> bool:
    if text.lower() not in _TRUTHS:
        raise ValueError(text)
    return _TRUTHS[text.lower()]


def parse_duration(text: str) -> Duration:
    """Seconds of a text such as `30s`. Raises ValueError."""
    number, unit = _match(_DURATION, text).groups(default="")
    return Duration(float(number) * _SECONDS[unit])


def parse_size(text: str) -> Size:
    """Octets of a text such as `25MB`. Raises ValueError."""
    number, unit = _match(_SIZE, text).groups(default="")
    if unit.lower() not in _OCTETS_BY_UNIT:
        raise ValueError(text)
    return Size(int(float(number) * _OCTETS_BY_UNIT[unit.lower()]))


def write_duration(seconds: Duration) -> str:
    """`300.0` as "5m": in the greatest unit that leaves a whole number."""
    unit = next((unit for unit in "dhm" if seconds and seconds % _SECONDS[unit] == 0), "s")
    return f"{seconds / _SECONDS[unit]:.12g}{unit}"


def write_size(octets: Size) -> str:
    """`50_000_000` as "50MB", `1_048_576` as "1MiB": in the unit that leaves the smallest whole number."""
    unit, count = max(
        ((unit, count) for unit, count in _OCTETS.items() if unit and octets % count == 0), key=lambda item: item[1]
    )
    return f"{octets // count}{unit}" if octets else "0"


def _write_bool(value: bool) -> str:
    return "true" if value else "false"


def _write_time(value: time) -> str:
    return value.isoformat("minutes")


def _parse_date(text: str) -> date:
    return date.fromisoformat(_match(_DATE, text)[0])


def _parse_time(text: str) -> time:
    return time.fromisoformat(_match(_TIME, text)[0])


def _parse_network(text: str) -> Network:
    return ip_network(_match(_CIDR, text)[0])


def _parse_path(text: str) -> Path:
    if not text:
        raise ValueError(text)
    return Path(text)


def _numeric(pattern: str, kind: str) -> dict[str, Any]:
    return {"type": [kind, "string"], "pattern": f"^({pattern})$"}


def _textual(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{pattern}$"}


SCALARS: Mapping[Any, ScalarType] = {
    str: ScalarType("a text", _parse_text, {"type": ["string", "number", "boolean"]}),
    int: ScalarType("a whole number such as 50", _parse_int, _numeric(_INT, "integer")),
    float: ScalarType("a number such as 0.5", _parse_float, _numeric(_FLOAT, "number")),
    bool: ScalarType("true or false", _parse_bool, {"enum": [True, False, *_TRUTH_WORDS]}, _write_bool),
    Duration: ScalarType(
        'a duration such as "30s", "5m" or "2h"', parse_duration, _numeric(_DURATION, "number"), write_duration
    ),
    Size: ScalarType('a size such as "25MB" or "10MiB"', parse_size, _numeric(_SIZE, "integer"), write_size),
    date: ScalarType('a date such as "2027-06-30"', _parse_date, _textual(_DATE)),
    time: ScalarType('a time of day such as "22:30"', _parse_time, _textual(_TIME), _write_time),
    Network: ScalarType(_EXPECTED_NETWORK, _parse_network, _textual(_CIDR)),
    Path: ScalarType("the path of a file or folder", _parse_path, {"type": ["string", "number"], "minLength": 1}),
}
"""Every type that is read from one scalar by itself, apart from enumerations, literals and classes with `from_node`."""
