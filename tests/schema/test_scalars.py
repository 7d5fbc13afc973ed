"""Single values: what is taken, what is not, and that what we write is read again."""

from __future__ import annotations

from datetime import date, time
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.schema.scalars import (
    SCALARS,
    Duration,
    Network,
    Size,
    parse_duration,
    parse_size,
    write_duration,
    write_size,
)

TAKEN: dict[Any, dict[str, object]] = {
    str: {"on": "on", "": "", "0123": "0123"},
    int: {"0": 0, "-5": -5, "1000": 1000},
    float: {"0.9": 0.9, "-1": -1.0, "0": 0.0, "00.5": 0.5},
    bool: {"yes": True, "No": False, "ON": True, "off": False, "True": True, "FALSE": False},
    Duration: {"90": 90, "250ms": 0.25, "30s": 30, "5m": 300, "2h": 7200, "7d": 604_800, "0.5h": 1800, "0": 0},
    Size: {"1000": 1000, "25MB": 25_000_000, "10MiB": 10 << 20, "256kB": 256_000, "1.5 GiB": 3 << 29, "1kb": 1000},
    date: {"2027-06-30": date(2027, 6, 30), "2028-02-29": date(2028, 2, 29)},
    time: {"22:30": time(22, 30), "00:00": time(0)},
    Network: {
        "10.0.0.0/8": ip_network("10.0.0.0/8"),
        "192.0.2.1": ip_network("192.0.2.1/32"),
        "2001:db8::/32": ip_network("2001:db8::/32"),
    },
    Path: {"a b": Path("a b"), "/x": Path("/x")},
}

REFUSED: dict[Any, list[str]] = {
    int: ["", " 1", "+1", "1.0", "007", "0x10", "1_000", "1e3", "٣", "1\n", "9" * 16],
    float: ["", "nan", "inf", "-inf", "1e3", ".5", "1.", "0x1p3", "1,5", "½"],
    bool: ["", "1", "0", "y", "n", "t", "maybe", "truе"],  # the last one ends in a Cyrillic letter
    Duration: ["", "-1", "5 m", "5M", "1h30m", "s", "1e3s", "5min", "1.2.3s", "9999999999"],
    Size: ["", "-1", "25 megabytes", "25M", "64Mi", "1iB", "MB", "1e6", "0x10", "٣MB"],
    date: ["", "20270630", "2027-W26-3", "2027-6-30", "30/06/2027", "2027-02-29", "2027-06-30T00:00"],
    time: ["", "24:00", "9:00", "09:60", "09", "09:00:00", "0900"],
    Network: ["", "10.0.0.1/8", "10.0.0.0/33", "10.0.0", "010.0.0.1", "localhost", "::1%eth0/128", "10.0.0.0/-1", "1"],
    Path: [""],
}


@pytest.mark.parametrize(
    ("wanted", "text", "value"),
    [(wanted, text, value) for wanted, cases in TAKEN.items() for text, value in cases.items()],
)
def test_taken(wanted: Any, text: str, value: object) -> None:
    assert SCALARS[wanted].parse(text) == value


@pytest.mark.parametrize(("wanted", "text"), [(wanted, text) for wanted, texts in REFUSED.items() for text in texts])
def test_refused(wanted: Any, text: str) -> None:
    with pytest.raises(ValueError):
        SCALARS[wanted].parse(text)


@pytest.mark.parametrize("wanted", TAKEN, ids=str)
@given(text=st.text() | st.text("0123456789.:-/smhdkKMGTiB "))
def test_any_text_is_taken_or_refused_by_valueerror(wanted: Any, text: str) -> None:
    try:
        value = SCALARS[wanted].parse(text)
    except ValueError:
        return
    assert value is not None


@pytest.mark.parametrize("wanted", TAKEN, ids=str)
def test_what_is_written_is_read_again(wanted: Any) -> None:
    scalar = SCALARS[wanted]
    for value in TAKEN[wanted].values():
        assert scalar.parse(scalar.write(value)) == value


@given(st.integers(0, 10**9))
def test_durations_and_sizes_survive_being_written(number: int) -> None:
    seconds = number % 10**8 / 4
    assert parse_duration(write_duration(Duration(seconds))) == seconds
    assert parse_size(write_size(Size(number))) == number


def test_defaults_are_written_as_people_would() -> None:
    assert [write_duration(Duration(each)) for each in (0, 0.25, 30, 90, 300, 3600, 86400)] == [
        "0s", "0.25s", "30s", "90s", "5m", "1h", "1d",
    ]  # fmt: skip
    assert [write_size(Size(each)) for each in (0, 500, 1000, 1024, 50_000_000, 64 << 20, 4 << 30)] == [
        "0", "500B", "1kB", "1KiB", "50MB", "64MiB", "4GiB",
    ]  # fmt: skip
