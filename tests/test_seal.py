"""Only we can make a canary, and only of this very message, for this listener, for a minute."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.canary import Canary
from gateway.reply import TAKEN, Reply
from gateway.seal import FIELD, FRESH, SIZE_LIMIT, Decided, Seals, answer, decided
from gateway.verdict import Action, Outcome, RuleOutcome, Truth, Verdict

SEALS = Seals(b"k" * 32)
NOW = 1_764_018_000.5
LETTER = b"From: a@outside.example\r\nSubject: hello\r\n\r\nx\r\n"
CANARY = SEALS.put_on(LETTER, "inbound", Canary.EICAR, NOW)


def canary(raw: bytes, listener: str = "inbound", moment: float = NOW, seals: Seals = SEALS) -> Canary | None:
    return seals.canary_of(raw, listener, moment)


def test_ours_is_known_for_a_minute() -> None:
    assert [canary(CANARY, moment=NOW + late) for late in (0, FRESH - 1, FRESH + 1)] == [Canary.EICAR] * 2 + [None]


STRANGE = {
    "another letter with the same seal": CANARY.replace(b"hello", b"offer"),
    "something behind it": CANARY + b"more\r\n",
    "a field in front": b"Received: from x\r\n" + CANARY,
    "another name": CANARY.replace(b": eicar;", b": clean;"),
    "a name that there is not": CANARY.replace(b": eicar;", b": nobody;"),
    "another moment": CANARY.replace(b"t=1764018000", b"t=1764018001"),
    "a moment without end": CANARY.replace(b"t=1764018000", b"t=" + b"9" * 400),
    "no code": CANARY[: CANARY.index(b"mac=")] + b"mac=\r\n" + LETTER,
    "a code of zeros": CANARY[: CANARY.index(b"mac=")] + b"mac=" + b"0" * 64 + b"\r\n" + LETTER,
    "the field in other letters": CANARY.replace(b"X-Mail", b"x-mail"),
    "the field twice": CANARY[: CANARY.index(b"\n") + 1] + CANARY,
    "nothing behind the field": FIELD,
    "too big": SEALS.put_on(b"x" * SIZE_LIMIT, "inbound", Canary.EICAR, NOW),
    "empty": b"",
}


@pytest.mark.parametrize("raw", STRANGE.values(), ids=STRANGE)
def test_no_canary(raw: bytes) -> None:
    assert canary(raw) is None


def test_of_another_listener_or_key_it_is_none() -> None:
    assert canary(CANARY, listener="outbound") is None
    assert canary(CANARY, seals=Seals(b"K" * 32)) is None


def test_without_a_key_there_are_none_not_even_with_the_empty_key() -> None:
    nobody = Seals(b"")
    assert canary(nobody.put_on(LETTER, "inbound", Canary.CLEAN, NOW), seals=nobody) is None


@given(some.binary(max_size=200), some.booleans())
def test_no_bytes_make_trouble(raw: bytes, begun: bool) -> None:
    assert canary((FIELD if begun else b"") + raw) is None


@given(some.integers(0, len(CANARY) - 1), some.integers(1, 255))
def test_one_changed_octet_makes_it_a_letter(place: int, change: int) -> None:
    assert canary(CANARY[:place] + bytes([CANARY[place] ^ change]) + CANARY[place + 1 :]) is None


def verdict(action: Action, *rules: tuple[str, Truth, Action | None]) -> Verdict:
    records = tuple(RuleOutcome(f"r{i}", (), mode, truth, asked, "") for i, (mode, truth, asked) in enumerate(rules))
    return Verdict(policy="p", outcomes=(Outcome(recipient=None, action=action, reply=TAKEN, rules=records),))  # type: ignore[arg-type]


ANSWERS = {
    "it passes": (verdict(Action.ACCEPT, ("enforce", Truth.NO_MATCH, None)), Decided(Action.ACCEPT, True)),
    "it passes with marks": (verdict(Action.TAG, ("enforce", Truth.UNKNOWN, Action.TAG)), Decided(Action.TAG, True)),
    "it is refused": (verdict(Action.REJECT, ("enforce", Truth.MATCH, Action.REJECT)), Decided(Action.REJECT, True)),
    "it waits, since nobody could look": (
        verdict(Action.DEFER, ("enforce", Truth.UNKNOWN, Action.DEFER), ("shadow", Truth.MATCH, Action.REJECT)),
        Decided(Action.DEFER, False),
    ),
    "one could not look and another one is sure": (
        verdict(Action.DEFER, ("enforce", Truth.UNKNOWN, Action.DEFER), ("enforce", Truth.MATCH, Action.HOLD)),
        Decided(Action.DEFER, True),
    ),
    "what is bypassed is not sure of anything": (
        verdict(Action.DEFER, ("enforce", Truth.UNKNOWN, Action.DEFER), ("bypassed", Truth.MATCH, Action.REJECT)),
        Decided(Action.DEFER, False),
    ),
}


@pytest.mark.parametrize(("made", "read"), ANSWERS.values(), ids=ANSWERS)
def test_the_answer_tells_the_decision(made: Verdict, read: Decided) -> None:
    assert decided(answer(made)) == read


@pytest.mark.parametrize(
    "reply",
    [TAKEN, Reply(550, "7.1", "Probe action=reject sure=yes"), Reply(250, "0.0", "Probe action=nothing sure=yes")],
    ids=str,
)
def test_other_answers_tell_nothing(reply: Reply) -> None:
    assert decided(reply) is None
