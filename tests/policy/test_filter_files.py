"""Files that filters are made of belong to the policy: they are watched, and they are in its digest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gateway.policy.filter_files import content_digest, filter_files
from gateway.policy.load import load

POLICY = """version: 1
filters: {signup: {more_services: [ours.yaml]}}
rules:
  - {id: a, when: {found: signup.verification}, then: tag, with: {headers: {X-A: a}}}
"""
OURS = "version: 1\nservices:\n  xeco: {name: Xe Cổ, category: forum, from: [{domain: xeco.example}]}\n"


@dataclass(frozen=True)
class Made:
    """A filter with files as options."""

    one: Path | None = None
    many: tuple[Path, ...] = ()
    name: str = ""


def test_paths_of_all_options_are_named_folders_by_their_files(tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    for name in ("b.yaml", "a.yaml"):
        (tmp_path / "words" / name).write_text(name)
    made = Made(one=tmp_path / "words", many=(tmp_path / "x", tmp_path / "y"), name="words")
    files = [path.name for path in filter_files([made, Made()])]  # type: ignore[list-item]
    assert files == ["a.yaml", "b.yaml", "x", "y"]


def test_a_file_that_is_gone_counts_as_empty(tmp_path: Path) -> None:
    assert content_digest([tmp_path / "gone"]) != content_digest([])


def test_a_changed_file_changes_the_digest_and_is_watched(tmp_path: Path) -> None:
    policy, ours = tmp_path / "policy.yaml", tmp_path / "ours.yaml"
    policy.write_text(POLICY)
    ours.write_text(OURS)
    before = load(policy)
    assert ours in before.files
    ours.write_text(OURS.replace("forum", "commerce "))
    assert load(policy).digest != before.digest
