"""Filters are found by what they are; a module that breaks their contract is a mistake in the program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import pytest

from gateway.mail import Mail
from gateway.policy.catalogue import find_filters
from gateway.verdict import Finding
from tests.policy.filters import oracle, sample


class Nameless(Finding):
    """Has no code."""


def inspect(self: Any, mail: Mail) -> Iterator[Finding]:
    yield from ()


def module(name: str = "made", **classes: Any) -> ModuleType:
    """A module with these classes."""
    made = ModuleType(name)
    for key, value in classes.items():
        value.__module__ = name
        setattr(made, key, value)
    return made


def a_class(*, frozen: bool = True, findings: tuple[Any, ...] = (sample.Thing,), how: Any = inspect) -> type:
    """A class that may be a filter."""

    @dataclass(frozen=frozen)
    class Made:
        FINDINGS: ClassVar = findings

    Made.inspect = how  # type: ignore[attr-defined]
    return Made


def test_every_module_of_a_package_with_a_filter_is_one() -> None:
    kinds = find_filters(["tests.policy.filters"])
    assert {name: kind.cls for name, kind in kinds.items()} == {"oracle": oracle.Oracle, "sample": sample.Sample}
    assert kinds["sample"].findings == {"thing": sample.Thing, "place": sample.Place}


def test_a_single_module_may_be_given() -> None:
    assert list(find_filters([module("alone", A=a_class())])) == ["alone"]


def test_a_module_without_a_filter_is_none() -> None:
    assert find_filters([module()]) == {}


def test_the_manual_tells_options_and_findings() -> None:
    manual = find_filters([sample])["sample"].manual
    assert "finds things and places" in manual
    assert "  limit: a whole number such as 50, default 10\n      How many." in manual
    assert "  sample.place\n      A place; its `size` is a word.\n      Fields: name, size" in manual


BROKEN = {
    "two filters": (lambda: module(A=a_class(), B=a_class()), "more than one class with FINDINGS"),
    "not frozen": (lambda: module(A=a_class(frozen=False)), "must be a frozen dataclass"),
    "no generator": (lambda: module(A=a_class(how=lambda self, mail: [])), "must be a generator, plain or async"),
    "two findings of one code": (
        lambda: module(A=a_class(findings=(sample.Thing, sample.Thing))),
        "every finding needs a code of its own",
    ),
    "a finding without a code": (lambda: module(A=a_class(findings=(Nameless,))), "needs a code of its own"),
}


@pytest.mark.parametrize(("make", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_contract_is_told(make: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        find_filters([make()])


def test_two_filters_of_one_name_are_told() -> None:
    with pytest.raises(TypeError, match="two filters have the name made"):
        find_filters([module(A=a_class()), module(A=a_class())])
