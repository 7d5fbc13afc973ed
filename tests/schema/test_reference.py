"""The reference page: made from the class, so that page and program cannot differ."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.schema.reference import reference


class Mood(StrEnum):
    CALM = "calm"
    ANGRY = "angry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    green: bool = True
    """Whether it is | was green."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A branch."""

    name: str
    """Its name."""

    leaves: tuple[Leaf, ...] = ()
    """Its leaves."""

    mood: Mood = Mood.CALM
    tags: frozenset[str] = frozenset({"b", "a"})
    below: Branch | None = None


def test_reference() -> None:
    assert reference(Branch) == """### Branch

A branch.

| key | value | default | meaning |
|---|---|---|---|
| `name` | a text | required | Its name. |
| `leaves` | list of: Leaf | `[]` | Its leaves. |
| `mood` | one of "calm", "angry" | `calm` |  |
| `tags` | list of: a text | `[a, b]` |  |
| `below` | Branch or none | `none` |  |

### Leaf

| key | value | default | meaning |
|---|---|---|---|
| `green` | true or false | `true` | Whether it is \\| was green. |
"""
