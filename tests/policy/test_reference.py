"""The page an operator reads says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.policy.load import load
from gateway.policy.reference import SECTIONS, page
from gateway.schema.docs import class_doc, field_docs
from gateway.schema.shapes import Record, shape_of

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_classes_say() -> None:
    written = (ROOT / "policies/README.md").read_text()
    assert written == page(written), "run `python -m gateway.policy.reference`"


@pytest.mark.parametrize("cls", [cls for _, cls in SECTIONS], ids=lambda cls: cls.__name__)
def test_every_key_is_explained(cls: type) -> None:
    record, docs = shape_of(cls), field_docs(cls)
    assert isinstance(record, Record)
    assert class_doc(cls)
    assert [key.key for key in record.keys.values() if not docs.get(key.name)] == []


def test_the_example_in_the_page_is_a_policy(tmp_path: Path) -> None:
    blocks = (ROOT / "policies/README.md").read_text().split("```yaml\n")[1:]
    policy, cases = (block.split("```")[0] for block in blocks)
    (tmp_path / "example.yaml").write_text(policy)
    (tmp_path / "example.cases.yaml").write_text(cases)
    loaded = load(tmp_path / "example.yaml")
    assert [rule.id.text for rule in loaded.rules] == ["no-executables"]
    assert len(loaded.cases) == 1
