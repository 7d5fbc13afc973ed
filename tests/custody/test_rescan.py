"""What looks again before a release: the rules for viruses, and no other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.custody.rescan import rescan
from gateway.extract.opener import Opener
from gateway.limits import FileReading
from gateway.verdict import Action
from tests.custody.conftest import letter, policy_of

RULES: dict[str, tuple[str, Action | None]] = {
    "could not look": ("rescan: oracle\nrules: [{id: a, when: {found: oracle.infected}, then: reject}]", Action.DEFER),
    "could not look, and that is no matter": (
        "rescan: oracle\n"
        "rules: [{id: a, when: {found: oracle.infected}, then: reject, on_unknown: accept, because: a test}]",
        None,
    ),
    "found nothing": ("rescan: sample\nrules: [{id: a, when: {found: sample.thing}, then: reject}]", None),
    "found what is no more than marked": (
        "rescan: sample\nrules: [{id: a, when: {not: {found: sample.thing}}, then: tag, with: {subject: x}}]",
        None,
    ),
    "found something": (
        "rescan: sample\nrules: [{id: a, when: {not: {found: sample.thing}}, then: hold}]",
        Action.HOLD,
    ),
    "what stopped it is not asked again": ("rescan: sample\nrules: [{id: a, when: always, then: reject}]", None),
    "nor is a filter that is not named": (
        "rescan: sample\nrules: [{id: a, when: {found: oracle.infected}, then: reject}]",
        None,
    ),
    "no filter looks again": ("rules: [{id: a, when: {found: oracle.infected}, then: reject}]", None),
}


@pytest.mark.parametrize(("text", "action"), RULES.values(), ids=RULES)
async def test_rescan(text: str, action: Action | None, tmp_path: Path) -> None:
    policy = policy_of(tmp_path, f"version: 1\n{text}\n")
    deadline = asyncio.get_running_loop().time() + 10
    seen: list[str] = []
    async with Opener(FileReading()) as opener:
        objection = await rescan(
            policy,
            letter(),
            deadline=deadline,
            observe=lambda report: seen.append(report.filter),
            open_mail=opener.open,
        )
    assert (objection.action if objection else None) is action
