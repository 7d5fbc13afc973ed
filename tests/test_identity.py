"""Ids: unique, in the order of time, and readable over the telephone."""

from __future__ import annotations

import os
import time

import pytest

from gateway.identity import ALPHABET, new_id


def test_ids_are_unique_and_of_one_form() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert len(set(ids)) == len(ids)
    assert {len(each) for each in ids} == {18}
    assert set("".join(ids)) <= set(ALPHABET)


def test_ids_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([1_790_000_000.0, 1_790_000_000.001, 1_800_000_000.0])
    monkeypatch.setattr(time, "time", lambda: next(moments))
    ids = [new_id() for _ in range(3)]
    assert ids == sorted(ids)


def test_a_forked_process_makes_other_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_790_000_000.0)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, new_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 18).decode() != new_id()
    os.close(reading)
    os.close(writing)
