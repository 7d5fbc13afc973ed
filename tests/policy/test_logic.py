"""Kleene's logic, and that asking in steps (message, direction, recipient) is asking at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail import Direction, Recipient
from gateway.policy.logic import ALWAYS, All, Answer, Condition, Known, Leaf, Not, Scope, Some
from gateway.verdict import Report, Truth
from tests.policy.conftest import make_mail
from tests.policy.filters.sample import Thing

YES, NO, UNKNOWN = Truth.MATCH, Truth.NO_MATCH, Truth.UNKNOWN
STRENGTH = {NO: 0, UNKNOWN: 1, YES: 2}
MAIL = make_mail(inside=True)
FOUND = {"f": Thing(name="f"), "g": Thing(name="g")}


@dataclass(frozen=True, slots=True)
class Fixed(Leaf):
    """Says the same, whatever is asked."""

    truth: Truth

    def test(self, known: Known) -> Answer:
        return Answer(self.truth, self.truth.value)


@dataclass(frozen=True, slots=True)
class OfFilter(Leaf):
    """Known once the filter has looked."""

    name: str
    truth: Truth

    def test(self, known: Known) -> Answer:
        if self.name not in known.reports:
            return Answer(UNKNOWN, f"{self.name} has not looked", waits=(self.name,))
        findings = (FOUND[self.name],) if self.truth is YES else ()
        return Answer(self.truth, f"{self.name} says {self.truth}", findings)


@dataclass(frozen=True, slots=True)
class OfDirection(Leaf):
    """Known once the direction is."""

    wanted: Direction
    scope: ClassVar[Scope] = Scope.DIRECTION

    def test(self, known: Known) -> Answer:
        if known.direction is None:
            return Answer(UNKNOWN, "direction")
        return Answer(YES if known.direction is self.wanted else NO, f"direction {known.direction}")


@dataclass(frozen=True, slots=True)
class OfRecipient(Leaf):
    """Known once the recipient is."""

    wanted: str
    scope: ClassVar[Scope] = Scope.RECIPIENT

    def test(self, known: Known) -> Answer:
        if known.recipient is None:
            return Answer(UNKNOWN, "recipient")
        return Answer(YES if known.recipient.address == self.wanted else NO, f"recipient {known.recipient.address}")


LEAVES = st.one_of(
    st.sampled_from([YES, NO, UNKNOWN]).map(Fixed),
    st.builds(OfFilter, st.sampled_from("fg"), st.sampled_from([YES, NO])),
    st.sampled_from([Direction.INTERNAL, Direction.OUTBOUND]).map(OfDirection),
    st.sampled_from("ab").map(OfRecipient),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map(lambda parts: All(tuple(parts))),
        st.lists(inner, min_size=1, max_size=4).map(lambda parts: Some(tuple(parts))),
        inner.map(Not),
        inner.map(lambda part: Not(part, "unless")),
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(("a", "b"), list(product([YES, NO, UNKNOWN], repeat=2)))
def test_and_is_the_weaker_and_or_the_stronger_of_two(a: Truth, b: Truth) -> None:
    known = Known(MAIL)
    assert All((Fixed(a), Fixed(b))).test(known).truth is min(a, b, key=STRENGTH.__getitem__)
    assert Some((Fixed(a), Fixed(b))).test(known).truth is max(a, b, key=STRENGTH.__getitem__)


@pytest.mark.parametrize(("truth", "opposite"), [(YES, NO), (NO, YES), (UNKNOWN, UNKNOWN)])
def test_not_turns_what_is_known_and_leaves_what_is_not(truth: Truth, opposite: Truth) -> None:
    assert Not(Fixed(truth)).test(Known(MAIL)).truth is opposite


@given(st.lists(CONDITIONS, min_size=1, max_size=4))
def test_de_morgan(parts: list[Condition]) -> None:
    known = Known(MAIL, {"f": Report("f")}, Direction.INTERNAL, Recipient("a"))
    assert Not(All(tuple(parts))).test(known).truth is Some(tuple(map(Not, parts))).test(known).truth


def known_step_by_step(filters: frozenset[str], direction: Direction, recipient: str) -> list[Known]:
    """From nothing to everything known, a little more each time."""
    reports = {name: Report(name) for name in filters}
    return [
        Known(MAIL),
        Known(MAIL, reports),
        Known(MAIL, reports, direction),
        Known(MAIL, reports, direction, Recipient(recipient)),
    ]


FACTS = st.tuples(
    st.frozensets(st.sampled_from("fg")),
    st.sampled_from([Direction.INTERNAL, Direction.OUTBOUND]),
    st.sampled_from("abc"),
)


@given(CONDITIONS, FACTS)
def test_what_is_once_known_stays_so_when_more_is_known(condition: Condition, facts: tuple) -> None:
    answers = [condition.test(known).truth for known in known_step_by_step(*facts)]
    for earlier, later in pairwise(answers):
        assert earlier is UNKNOWN or earlier is later


@given(CONDITIONS, FACTS)
def test_asking_in_steps_gives_the_same_answer(condition: Condition, facts: tuple) -> None:
    _, message, direction, recipient = known_step_by_step(*facts)
    left = condition.narrow(message, Scope.MESSAGE).narrow(direction, Scope.DIRECTION)
    stepwise, at_once = left.test(recipient), condition.test(recipient)
    assert (stepwise.truth, stepwise.findings, set(stepwise.waits)) == (
        at_once.truth,
        at_once.findings,
        set(at_once.waits),
    )


@given(CONDITIONS, FACTS)
def test_an_unknown_answer_names_filters_whose_reports_can_settle_it(condition: Condition, facts: tuple) -> None:
    _, direction, recipient = facts
    answer = condition.test(Known(MAIL, {}, direction, Recipient(recipient)))
    reports = {name: Report(name) for name in answer.waits}
    settled = condition.test(Known(MAIL, reports, direction, Recipient(recipient)))
    everything = condition.test(Known(MAIL, {name: Report(name) for name in "fg"}, direction, Recipient(recipient)))
    assert settled.truth is everything.truth


def test_reasons_are_those_of_the_parts_that_brought_the_answer_about() -> None:
    known = Known(MAIL, {"f": Report("f")}, Direction.INTERNAL)
    inside, film = OfDirection(Direction.INTERNAL), OfFilter("f", YES)
    assert All((inside, film)).test(known).because == "direction internal; f says match"
    assert All((film, OfDirection(Direction.OUTBOUND))).test(known).because == "direction internal"
    assert All((film, OfFilter("g", YES))).test(known) == Answer(UNKNOWN, "g has not looked", waits=("g",))


def test_an_exemption_is_named_where_it_applies_and_silent_elsewhere() -> None:
    assert Not(Fixed(YES), "unless").test(Known(MAIL)).because == "unless: match"
    assert All((ALWAYS, Not(Fixed(NO), "unless"))).test(Known(MAIL)).because == "always"
