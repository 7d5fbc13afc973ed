"""The text of the file: what was written is read again, and nothing else is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.bypass.model import LONGEST, MOST, SHORTEST, TEXT_LIMIT, Bypass, Kind, Person, as_text, from_text

NOW = datetime(2026, 11, 24, 21, tzinfo=UTC)
AN = Person(actor="an", uid=1000, session="")
ENTRY: dict[str, Any] = {
    "id": "01M86S5MR13MPAJZ6C",
    "kind": "rule",
    "name": "no-executables",
    "begins": "2026-11-24T21:00:00+00:00",
    "ends": "2026-11-24T21:30:00+00:00",
    "by": {"actor": "an", "uid": 1000, "session": ""},
    "reason": "clamd does not start",
}


def made(**changes: Any) -> Bypass:
    values = {"id": ENTRY["id"], "kind": Kind.RULE, "name": "no-executables", "begins": NOW, "by": AN, "reason": "why"}
    return Bypass(**{**values, "ends": NOW + timedelta(minutes=30), **changes})


def text(*entries: object, **changes: object) -> bytes:
    return json.dumps({"version": 1, "bypasses": list(entries), **changes}).encode()


lines = some.text(min_size=1, max_size=60).filter(lambda line: line.isprintable() and bool(line.strip()))
people = some.builds(Person, actor=lines, uid=some.integers(0, 2**32), session=lines | some.just(""))
bypasses = some.builds(
    made,
    kind=some.sampled_from(Kind),
    name=some.from_regex("[a-z][a-z0-9_]{0,9}(-[a-z0-9_]{1,5})?", fullmatch=True),
    ends=some.timedeltas(SHORTEST, LONGEST).map(lambda span: NOW + span),
    by=people,
    reason=lines,
)


@given(some.lists(bypasses, max_size=MOST, unique_by=lambda each: each.label))
def test_what_was_written_is_read_again(written: list[Bypass]) -> None:
    assert from_text(as_text(written).encode("ascii")) == tuple(written)


def test_the_most_that_can_be_written_can_be_read() -> None:
    person = Person(actor="ộ" * 64, uid=2**32, session="ộ" * 64)
    most = [made(name=f"r{number}" + "x" * 190, by=person, reason="ộ" * 300) for number in range(MOST)]
    assert len(as_text(most)) < TEXT_LIMIT
    assert len(from_text(as_text(most).encode())) == MOST


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"rule no-executables\n",
    "not ASCII": text(ENTRY).replace(b"clamd", "clâmd".encode()),
    "a list": b"[]",
    "nested without end": b"[" * 60_000,
    "too big": text(ENTRY) + b" " * TEXT_LIMIT,
    "another version": text(ENTRY, version=2),
    "a version that is true": text(ENTRY, version=True),
    "a key too many": text(ENTRY, more=1),
    "no list": text(bypasses={}),
    "too many": text(*[ENTRY | {"name": f"r-{number}"} for number in range(MOST + 1)]),
    "the same twice": text(ENTRY, ENTRY),
    "a key twice": text(ENTRY).replace(b'"kind": "rule"', b'"kind": "rule", "kind": "filter"'),
    "an entry that is none": text("no-executables"),
    "an entry without a reason": text({name: value for name, value in ENTRY.items() if name != "reason"}),
    "an empty reason": text(ENTRY | {"reason": " "}),
    "a reason of two lines": text(ENTRY | {"reason": "a\nb"}),
    "a reason that writes from right to left": text(ENTRY | {"reason": "a\u202eb"}),
    "a reason without end": text(ENTRY | {"reason": "a" * 301}),
    "a reason that is a number": text(ENTRY | {"reason": 1}),
    "another kind": text(ENTRY | {"kind": "policy"}),
    "a name with a line ending": text(ENTRY | {"name": "no-executables\r\nX: y"}),
    "a name that is all": text(ENTRY | {"name": "*"}),
    "an id that is none": text(ENTRY | {"id": "../../etc"}),
    "longer than may be": text(ENTRY | {"ends": "2026-11-25T21:00:01+00:00"}),
    "without end": text(ENTRY | {"ends": "9999-12-31T23:59:59+00:00"}),
    "an end before the begin": text(ENTRY | {"ends": "2026-11-24T20:00:00+00:00"}),
    "a moment without a zone": text(ENTRY | {"begins": "2026-11-24T21:00:00"}),
    "a moment of another zone": text(ENTRY | {"begins": "2026-11-24T21:00:00+07:00"}),
    "a moment that is none": text(ENTRY | {"begins": "tomorrow"}),
    "a moment that is a number": text(ENTRY | {"begins": 1764018000}),
    "nobody": text(ENTRY | {"by": {}}),
    "a person with a text for a number": text(ENTRY | {"by": ENTRY["by"] | {"uid": "1000"}}),
    "a person with a truth for a number": text(ENTRY | {"by": ENTRY["by"] | {"uid": True}}),
    "a person below nobody": text(ENTRY | {"by": ENTRY["by"] | {"uid": -1}}),
    "not a number": text(ENTRY).replace(b"1000", b"NaN"),
}


def test_the_hostile_ones_below_are_one_step_away_from_a_good_one() -> None:
    [read] = from_text(text(ENTRY))
    assert (read.label, read.counts(NOW)) == ("rule no-executables", True)


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_contents_are_nothing(content: bytes) -> None:
    with pytest.raises(ValueError):
        from_text(content)


@given(some.binary(max_size=300))
def test_any_bytes_are_a_value_error_or_nothing(content: bytes) -> None:
    with pytest.raises(ValueError):
        from_text(content)


MOMENTS = {
    "before it begins": (-1, False),
    "as it begins": (0, True),
    "within": (1799, True),
    "at its end": (1800, False),
    "a day later": (86_400, False),
}


@pytest.mark.parametrize(("seconds", "counts"), MOMENTS.values(), ids=MOMENTS)
def test_when_it_counts(seconds: int, counts: bool) -> None:
    assert made().counts(NOW + timedelta(seconds=seconds)) is counts
