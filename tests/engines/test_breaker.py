"""The circuit breaker, by a clock of numbers."""

from __future__ import annotations

from gateway.engines.breaker import FIRST_PAUSE, LONGEST_PAUSE, OPENS_AFTER, Breaker, Circuit


def opened() -> Breaker:
    breaker = Breaker()
    for _ in range(OPENS_AFTER):
        assert breaker.lets_through(0.0)
        breaker.failed(0.0)
    return breaker


def test_few_failures_change_nothing() -> None:
    breaker = Breaker()
    for _ in range(OPENS_AFTER - 1):
        breaker.failed(0.0)
    assert breaker.lets_through(0.0)
    breaker.succeeded()
    assert breaker.failures == 0


def test_engine_that_keeps_failing_is_left_alone() -> None:
    breaker = opened()
    assert breaker.state is Circuit.OPEN
    assert not breaker.lets_through(FIRST_PAUSE / 2)


def test_after_the_pause_one_request_tries() -> None:
    breaker = opened()
    assert breaker.lets_through(FIRST_PAUSE)
    assert breaker.state is Circuit.HALF_OPEN
    assert not breaker.lets_through(FIRST_PAUSE)


def test_trial_that_hangs_does_not_hold_up_the_next() -> None:
    breaker = opened()
    assert breaker.lets_through(FIRST_PAUSE)
    assert not breaker.lets_through(FIRST_PAUSE + LONGEST_PAUSE - 0.1)
    assert breaker.lets_through(FIRST_PAUSE + LONGEST_PAUSE)
    assert not breaker.lets_through(FIRST_PAUSE + LONGEST_PAUSE)
    breaker.succeeded()
    assert breaker.state is Circuit.CLOSED


def test_trial_that_succeeds_lets_all_through() -> None:
    breaker = opened()
    breaker.lets_through(FIRST_PAUSE)
    breaker.succeeded()
    assert breaker.state is Circuit.CLOSED
    assert breaker.lets_through(FIRST_PAUSE)


def test_pause_doubles_to_its_limit() -> None:
    breaker, now = opened(), 0.0
    pauses = []
    for _ in range(8):
        pauses.append(breaker.closed_again - now)
        now = breaker.closed_again
        assert breaker.lets_through(now)
        breaker.failed(now)
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert max(pauses) == LONGEST_PAUSE


def test_trial_that_nobody_waited_for_is_made_anew() -> None:
    breaker = opened()
    breaker.lets_through(FIRST_PAUSE)
    breaker.abandoned(FIRST_PAUSE)
    assert breaker.lets_through(FIRST_PAUSE)
