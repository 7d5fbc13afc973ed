"""JSON Schema of declared types: valid itself, and of one mind with the reader on single values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from jsonschema import Draft202012Validator

from gateway.schema.jsonschema import schema_of
from gateway.schema.nodes import Node
from gateway.schema.pattern import Pattern
from gateway.schema.scalars import Duration, Network, Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A tree, which may hold trees."""

    name: str
    """What it is
    called."""

    wait: Duration = Duration(300)
    """How long."""

    below: tuple[Tree, ...] = field(default=(), metadata={"key": "has"})


def test_a_dataclass_is_a_definition_with_its_docs() -> None:
    schema = schema_of(Tree)
    Draft202012Validator.check_schema(schema)
    assert schema["$ref"] == "#/$defs/Tree"
    tree = schema["$defs"]["Tree"]
    assert tree["description"] == "A tree, which may hold trees."
    assert tree["required"] == ["name"]
    assert tree["additionalProperties"] is False
    assert tree["properties"]["name"]["description"] == "What it is called."
    assert tree["properties"]["wait"]["description"] == "How long. Default: 5m"
    assert tree["properties"]["has"]["items"] == {"$ref": "#/$defs/Tree"}


VALUES: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "text": (str, ["a", 5, True], [None, [], {}]),
    "truth": (bool, [True, "yes", "off"], ["maybe", 1.5, None]),
    "whole number": (int, [5, "5"], [1.5, "x", None]),
    "duration": (Duration, [30, "30s", "2h"], ["5min", None]),
    "size": (Size, [1000, "25MB", "10 MiB"], ["big", None]),
    "network": (Network, ["10.0.0.0/8", "::1"], ["localhost", 10]),
    "pattern": (Pattern, ["a+"], [5, ["a"]]),
    "words": (Literal["a", "b"], ["a"], ["c", None]),
    "a list, or one for a list": (tuple[Literal["a"], ...], ["a", ["a", "a"], []], ["b", ["b"], None]),
    "a mapping": (Mapping[str, int], [{}, {"x": 1}], [[], {"x": "y"}]),
    "perhaps nothing": (int | None, [None, "none", 5], ["x"]),
    "a dataclass": (
        Tree,
        [{"name": "a", "has": [{"name": "b"}]}],
        [{}, {"name": "a", "x": 1}, {"name": "a", "has": [{}]}],
    ),
    "a node is anything": (Node, [None, 1, "a", [], {}], []),
}


@pytest.mark.parametrize(("wanted", "right", "wrong"), VALUES.values(), ids=VALUES)
def test_values(wanted: Any, right: list[Any], wrong: list[Any]) -> None:
    validator = Draft202012Validator(schema_of(wanted))
    assert [value for value in right if not validator.is_valid(value)] == []
    assert [value for value in wrong if validator.is_valid(value)] == []


def test_two_classes_of_one_name_are_two_definitions() -> None:
    other = dataclass(frozen=True)(type("Tree", (), {"__annotations__": {"x": int}, "__module__": "elsewhere"}))
    names = schema_of(tuple[Tree, ...] | Mapping[str, other])["$defs"]
    assert sorted(names) == ["Tree", "elsewhere.Tree"]
