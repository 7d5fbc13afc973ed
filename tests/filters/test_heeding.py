"""Filters of several workers: what one is told, the others know, as if each had been told all of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from filters.greylist import Greylist
from filters.rate import Limit, Rate
from gateway.lasting import Heeding, heed
from gateway.mail import Mail
from gateway.reply import OK, TROUBLE, Reply
from gateway.schema.scalars import Duration
from tests.filters.test_greylist import NOON, mail

MAKERS = {
    "rate": lambda: Rate(limits=(Limit(of="domain", per=Duration(3600), messages=10, recipients=30),)),
    "greylist": lambda: Greylist(passes=3),
}
STORY: list[tuple[Mail, Reply]] = [
    (mail(60.0 * number, f"r{number % 3}@example.gov.vn", sender=f"s{number % 2}@example.org"), answer)
    for number in range(24)
    for answer in [TROUBLE if number % 5 == 0 else OK]
]


async def found(kind: Any, message: Mail) -> list[Any]:
    return [finding async for finding in kind.inspect(message)]


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
async def test_all_know_what_one_would_know_alone(make: Any) -> None:
    alone, team = make(), [make() for _ in range(3)]
    for number, (message, answer) in enumerate(STORY):
        assert isinstance(alone, Heeding)
        await alone.answered(message, answer, ())
        here = team[number % 3]
        lesson = await here.answered(message, answer, ())
        for other in team:
            if other is not here and lesson is not None:
                other.heed(json.loads(json.dumps(lesson)))  # as it travels
        later = mail((NOON + timedelta(seconds=60.0 * number + 30) - NOON).total_seconds(), sender="s1@example.org")
        for each in team:
            assert await found(each, later) == await found(alone, later)


def test_nonsense_and_filters_that_are_not_there_are_passed_over() -> None:
    filters = {"rate": MAKERS["rate"]()}
    for lesson in ([], [1], ["x"] * 4, [0.0, [["nowhere", "zz", 1, 1]], "", 0]):
        heed(filters, "rate", lesson)
    heed(filters, "gone", [1])
