"""What a case says that filters find: they are not asked, and what is left out is empty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.policy.model import Policy
from gateway.trial import run_cases

RULES = """rules:
  - {id: red, when: {found: sample.thing, where: {colour: red, size: "> 3"}}, then: reject}
  - {id: any, when: {found: [sample.thing, sample.place]}, then: tag, with: {headers: {X-A: b}}, on_unknown: defer}
"""

CASES = {
    "nothing": ("{sample: []}", "{action: accept, rules: []}"),
    "a code alone": ("{sample: [place]}", "{action: tag, rules: [any]}"),
    "with fields": ("{sample: [{thing: {colour: red, size: 5}}]}", "{action: reject, rules: [red, any]}"),
    "what is left out is empty": ("{sample: [{thing: {colour: red}}]}", "{action: tag, rules: [any]}"),
    "of a choice it is the first word": ("{sample: [{thing: {size: 5}}]}", "{action: reject, rules: [red, any]}"),
    "another colour": ("{sample: [{thing: {colour: blue, size: 5}}]}", "{action: tag, rules: [any]}"),
}


async def nobody_opens(*_: Any, **__: Any) -> Any:
    raise AssertionError("no filter reads")


@pytest.mark.parametrize(("found", "expect"), CASES.values(), ids=CASES)
async def test_found(found: str, expect: str, policy: Callable[..., Policy]) -> None:
    given = f"{{from: a@b.c, to: d@e.f, found: {found}}}"
    made = policy(f"{RULES}tests:\n  - {{name: x, given: {given}, expect: {expect}}}\n")
    [result] = await run_cases(made, open_mail=nobody_opens)
    assert result.failures == ()


async def test_a_filter_that_cannot_look_cannot_whatever_it_is_said_to_find(policy: Callable[..., Policy]) -> None:
    given = "{from: a@b.c, to: d@e.f, found: {sample: [place]}, unavailable: [sample]}"
    made = policy(f"{RULES}tests:\n  - {{name: x, given: {given}, expect: {{action: defer}}}}\n")
    [result] = await run_cases(made, open_mail=nobody_opens)
    assert result.failures == ()
