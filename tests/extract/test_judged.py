"""From a file in a file in a mail to a verdict; and where files cannot be read, "unknown" and never "nothing found"."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.extract.opener import Opener
from gateway.limits import FileReading
from gateway.pipeline import judge
from gateway.policy.load import load
from gateway.policy.model import Policy
from gateway.specimen import specimen
from gateway.verdict import Action, Verdict
from tests.extract.archives import EXE, zipped
from tests.extract.test_opener import mail

POLICY = """
version: 1
organisation: {domains: [example.gov.vn]}
filters: {inner: {}}
rules:
  - {id: no-programs, when: {found: inner.inside, where: {kind: pe, depth: ">= 2"}}, then: reject}
"""
LETTERS = {
    "a program two archives deep": (zipped({"b.zip": zipped({"c.exe": EXE})}), Action.REJECT),
    "a program one archive deep": (zipped({"c.exe": EXE}), Action.ACCEPT),
    "no program": (zipped({"b.zip": zipped({"c.txt": b"text"})}), Action.ACCEPT),
}


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    (tmp_path / "policy.yaml").write_text(POLICY)
    return load(tmp_path / "policy.yaml", places=("tests.extract.filters",))


async def verdict(policy: Policy, opener: Opener, content: bytes) -> Verdict:
    letter = specimen(policy, bytes(mail(("a.zip", content)).raw[:]), recipients=["b@example.gov.vn"])
    deadline = asyncio.get_running_loop().time() + 30
    return await judge(policy, letter, deadline=deadline, observe=lambda report: None, open_mail=opener.open)


@pytest.mark.parametrize(("content", "action"), LETTERS.values(), ids=LETTERS)
async def test_what_is_deep_inside_is_judged(policy: Policy, content: bytes, action: Action) -> None:
    async with Opener(FileReading()) as opener:
        assert (await verdict(policy, opener, content)).action is action


async def test_without_a_sandbox_the_answer_is_unknown(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Opener(FileReading()) as opener:
        monkeypatch.setattr(opener.sandbox, "_module", "tests.extract.no_such_module")
        found = await verdict(policy, opener, LETTERS["no program"][0])
    assert found.action is Action.DEFER
    assert [(report.filter, report.failure) for report in found.reports] == [("inner", "unavailable")]
