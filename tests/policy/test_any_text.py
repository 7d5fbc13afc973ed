"""Whatever is done to a policy file, it is a policy or a list of problems with their places, and nothing else."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import ConfigurationError, Problem
from gateway.policy.load import load

OK = Path(__file__).parents[1] / "policies" / "ok"
LINES = (OK / "everything.yaml").read_text().replace("upper/", f"{OK}/upper/").splitlines()
FRAGMENTS = st.sampled_from(
    ["", "-", "x", "{}", "[]", "a: b", "[a, {b: c}]", "null", "'", "]", "> 1", "sample.thing", "{in: partners}", "yes"]
)
WAYS = st.sampled_from(["delete", "value", "twice", "indent"])
CHANGES = st.lists(st.tuples(st.integers(0, len(LINES) - 1), WAYS, FRAGMENTS))


def changed(changes: list[tuple[int, str, str]]) -> str:
    """The policy with some lines changed."""
    lines = list(LINES)
    for number, how, fragment in changes:
        key, colon, _ = lines[number].partition(":")
        lines[number] = {
            "delete": "",
            "value": f"{key}{colon} {fragment}",
            "twice": f"{lines[number]}\n{lines[number]}",
            "indent": f"  {lines[number]}",
        }[how]
    return "\n".join(lines)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(CHANGES)
def test_it_is_understood_or_its_problems_are_told(changes: list[tuple[int, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.yaml"
        path.write_text(changed(changes))
        problems = problems_of(path)
    assert all(problem.line >= 1 and problem.column >= 1 for problem in problems)
    assert list(problems) == sorted(set(problems))


def problems_of(path: Path) -> tuple[Problem, ...]:
    """What is wrong with a policy."""
    try:
        load(path, places=["tests.policy.filters"])
    except ConfigurationError as error:
        return error.problems
    return ()
