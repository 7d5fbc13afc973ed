"""What the policies in tests/policies/ok say must be understood, and together they must use every key there is."""

from __future__ import annotations

import re
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from jsonschema import Draft202012Validator

from gateway.policy.load import load
from gateway.policy.model import PolicyFile
from gateway.policy.names import DatedEntry
from gateway.policy.reference import SECTIONS
from gateway.schema.jsonschema import schema_of
from gateway.schema.shapes import Record, shape_of

OK = Path(__file__).parents[1] / "policies" / "ok"
FILES = sorted(OK.glob("**/*.yaml"))


class CoreLoader(yaml.SafeLoader):
    """What editors read by: the core schema of YAML 1.2 (section 10.3), in which `off` and `22:00` are texts."""


CoreLoader.yaml_implicit_resolvers = {}
for tag, form, first in (
    ("bool", "true|false", "tf"),
    ("int", "[-+]?[0-9]+", "-+0123456789"),
    ("float", "[-+]?[0-9]+[.][0-9]+", "-+0123456789"),
    ("null", "~|null|", ["~", "n", ""]),
):
    CoreLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^({form})$"), list(first))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_understood(path: Path, places: tuple[str, ...]) -> None:
    load(path, places=places)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_schema_for_editors_takes_it(path: Path) -> None:
    document = yaml.load(path.read_text(), CoreLoader)
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
    seen: list[Any] = []
    waiting: list[Any] = [PolicyFile]
    while waiting:
        kind = waiting.pop()
        if kind not in seen:
            seen.append(kind)
            waiting += get_args(kind)
            if is_dataclass(kind) and isinstance(record := shape_of(kind), Record):
                waiting += [key.type for key in record.keys.values()]
    written = {kind for kind in seen if is_dataclass(kind) and isinstance(shape_of(kind), Record)}
    # An entry of a list is read by a class of its own, as a bare value or as this mapping.
    assert {cls for _, cls in SECTIONS} == written | {DatedEntry}
