"""Answers that are kept: how long, how many, and what stands in for one that nobody can give."""

from __future__ import annotations

import pytest

from gateway.dns import cache as limits
from gateway.dns.answers import Answer, Kind
from gateway.dns.cache import Cache

KEY = ("example.org", Kind.TXT)

TIMES = {
    "a short time to live is a minute": (0.0, 60.0),
    "one within the limits is taken as it is": (300.0, 300.0),
    "a long one is an hour": (86_400.0, 3600.0),
}


@pytest.mark.parametrize(("ttl", "kept"), TIMES.values(), ids=TIMES)
def test_how_long(ttl: float, kept: float) -> None:
    cache = Cache()
    cache.put(KEY, Answer(("a",)), ttl, 1000.0)
    entry = cache.get(KEY)
    assert entry is not None
    assert entry.until == 1000.0 + kept


def test_a_failure_leaves_an_older_answer_beside_it() -> None:
    cache = Cache()
    cache.put(KEY, Answer(("a",)), 60, 0.0)
    cache.failed(KEY, "SERVFAIL", 100.0)
    entry = cache.get(KEY)
    assert entry is not None
    assert entry.answer == Answer(("a",))
    assert entry.failed_until == 100.0 + limits.FAILURE
    cache.put(KEY, Answer(("b",)), 60, 200.0)
    entry = cache.get(KEY)
    assert entry is not None
    assert (entry.answer, entry.failed_until) == (Answer(("b",)), 0.0)


def test_the_least_used_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ENTRIES", 2)
    cache = Cache()
    for name in ("a", "b"):
        cache.put((name, Kind.A), Answer(), 60, 0.0)
    cache.get(("a", Kind.A))
    cache.put(("c", Kind.A), Answer(), 60, 0.0)
    assert [name for name, _ in cache.entries] == ["a", "c"]


def test_large_answers_make_room_for_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OCTETS", 10_000)
    cache = Cache()
    for number in range(50):
        cache.put((f"{number}", Kind.TXT), Answer(("x" * 1000,)), 60, 0.0)
    assert cache.octets <= 10_000
    assert 5 <= len(cache.entries) < 10
    for name, kind in list(cache.entries):
        cache.put((name, kind), Answer(("y",)), 60, 0.0)
    assert cache.octets == sum(limits.OVERHEAD + len(name) + 1 for name, _ in cache.entries)
