"""What the policies in tests/policies/ok say must be understood, and together they must use every key there is."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from gateway.policy.load import load
from gateway.policy.model import PolicyFile
from gateway.policy.reference import SECTIONS
from gateway.schema.jsonschema import schema_of
from gateway.schema.shapes import Record, shape_of

OK = Path(__file__).parents[1] / "policies" / "ok"
FILES = sorted(OK.glob("**/*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_understood(path: Path, places: tuple[str, ...]) -> None:
    load(path, places=places)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_schema_for_editors_takes_it(path: Path) -> None:
    document = json.loads(json.dumps(yaml.safe_load(path.read_text()), default=str))
    errors = list(Draft202012Validator(schema_of(PolicyFile)).iter_errors(document))
    assert [f"{list(error.absolute_path)}: {error.message}" for error in errors] == []


def test_every_key_of_the_language_is_used() -> None:
    used: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            used.update(map(str, node))
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    for path in FILES:
        walk(yaml.load(path.read_text(), yaml.BaseLoader))
    keys: set[str] = set()
    for _, cls in SECTIONS:
        record = shape_of(cls)
        assert isinstance(record, Record)
        keys |= set(record.keys)
    assert keys - used == set()


def test_no_class_of_the_language_is_missing_in_the_reference() -> None:
    described = {cls for _, cls in SECTIONS}
    reached = {PolicyFile}
    waiting: list[Any] = [PolicyFile]
    while waiting:
        kind = waiting.pop()
        for part in getattr(kind, "__args__", ()):
            waiting.append(part)
        if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__") and not hasattr(kind, "from_node"):
            reached.add(kind)
            record = shape_of(kind)
            assert isinstance(record, Record)
            assert len(record.keys) <= len(fields(kind))
            waiting += [key.type for key in record.keys.values() if key.type not in reached]
    assert {cls.__name__ for cls in reached if hasattr(cls, "__dataclass_fields__")} <= {
        cls.__name__ for cls in described
    }
