"""Codes: unguessable, for one person, message and act, once, for a time."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.custody.codes import Fault, digest, fault, issue
from gateway.keeping import Code
from tests.custody.conftest import START

SECRET, CODE = issue("1", ["approve", "reject"], "A@example.gov.vn ", START + timedelta(days=3))


def test_a_secret_has_160_bits_and_is_not_in_what_is_remembered() -> None:
    secrets = {issue("1", ["approve"], "a@example.gov.vn", START)[0] for _ in range(100)}
    assert len(secrets) == 100
    assert all(re.fullmatch("[A-Z2-7]{32}", secret) for secret in secrets)
    assert SECRET not in repr(CODE)
    assert CODE.person == "a@example.gov.vn"


TYPED = {
    "as it is": SECRET,
    "in small letters": SECRET.lower(),
    "with blanks around": f" {SECRET}\n",
    "in groups": "-".join(SECRET[at : at + 4] for at in range(0, 32, 4)),
}
OTHERS = {
    "nothing": "",
    "without end": "x" * 100_000,
    "no text": "\udcff",
    "of other letters": "ả" * 32,
    "a letter short": SECRET[:-1],
    "twice": SECRET * 2,
}


@pytest.mark.parametrize("typed", TYPED.values(), ids=TYPED)
def test_it_may_be_typed_in_groups_and_in_any_case(typed: str) -> None:
    assert digest(typed) == CODE.digest


@pytest.mark.parametrize("typed", OTHERS.values(), ids=OTHERS)
def test_what_is_no_code_has_another_digest(typed: str) -> None:
    assert digest(typed) != CODE.digest


FAULTS: dict[str, tuple[Code | None, dict[str, str], Fault | None]] = {
    "good for what it is for": (CODE, {"act": "approve", "message": "1", "person": "a@example.gov.vn"}, None),
    "good for the other act": (CODE, {"act": "reject"}, None),
    "good by itself": (CODE, {}, None),
    "not there": (None, {"act": "approve"}, Fault.UNKNOWN),
    "used": (replace(CODE, used=START), {"act": "approve"}, Fault.USED),
    "over": (replace(CODE, expires=START), {"act": "approve"}, Fault.EXPIRED),
    "for something else": (CODE, {"act": "forward"}, Fault.OTHER_ACT),
    "for another message": (CODE, {"act": "approve", "message": "2"}, Fault.OTHER_MESSAGE),
    "of somebody else": (CODE, {"act": "approve", "person": "b@example.gov.vn"}, Fault.OTHER_PERSON),
}


@pytest.mark.parametrize(("code", "asked", "found"), FAULTS.values(), ids=FAULTS)
def test_fault(code: Code | None, asked: dict[str, str], found: Fault | None) -> None:
    assert fault(code, now=START, **asked) is found
