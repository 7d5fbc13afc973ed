"""`modes`: rules of upper layers are put on trial, let act, or switched off, without being copied."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.policy.load import load

UPPER = """version: 1
rules:
  - {id: one, when: always, then: reject}
  - {id: two, mode: shadow, when: always, then: reject}
"""

CASES = {
    "what is not named stays": ("", {"one": "enforce", "two": "shadow"}),
    "a rule is put on trial": ("modes: {one: shadow}", {"one": "shadow", "two": "shadow"}),
    "a rule is let act": ("modes: {two: enforce}", {"one": "enforce", "two": "enforce"}),
    "a rule is switched off": ("modes: {two: off}", {"one": "enforce"}),
    "a rule of the same file": (
        "rules: [{id: three, when: always, then: accept}]\nmodes: {three: shadow}",
        {"one": "enforce", "two": "shadow", "three": "shadow"},
    ),
}


@pytest.mark.parametrize(("lower", "modes"), CASES.values(), ids=CASES)
def test_modes(tmp_path: Path, lower: str, modes: dict[str, str]) -> None:
    (tmp_path / "upper.yaml").write_text(UPPER)
    path = tmp_path / "lower.yaml"
    path.write_text(f"version: 1\nextends: [upper.yaml]\n{lower}\n")
    assert {rule.id.text: rule.mode.value for rule in load(path).rules} == modes
