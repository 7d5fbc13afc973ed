"""Files that filters are made of belong to the policy: they are watched, and they are in its digest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.policy.filter_files import content_digest, filter_files, stamps
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
    learned: Path | None = field(default=None, metadata={"memory": True})


def test_paths_of_all_options_are_named_folders_with_what_lies_in_them(tmp_path: Path) -> None:
    (tmp_path / "words" / "deep").mkdir(parents=True)
    for name in ("b.yaml", "a.yaml", "deep/c.yar"):
        (tmp_path / "words" / name).write_text(name)
    made = Made(one=tmp_path / "words", many=(tmp_path / "x", tmp_path / "y"), name="words", learned=tmp_path / "z")
    files = [str(path.relative_to(tmp_path)) for path in filter_files([made, Made()])]  # type: ignore[list-item]
    assert files == ["words", "words/a.yaml", "words/b.yaml", "words/deep", "words/deep/c.yar", "x", "y"]


CHANGES: dict[str, Callable[[Path], object]] = {
    "a file is written": lambda folder: (folder / "a").write_text("other"),
    "one takes its place": lambda folder: (folder / "fresh").replace(folder / "a"),
    "one comes": lambda folder: (folder / "b").write_text("b"),
    "one goes": lambda folder: (folder / "a").unlink(),
    "a link leads elsewhere": lambda folder: (folder / "new").replace(folder / "link"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_stamps_tell_what_changed(tmp_path: Path, change: Callable[[Path], object]) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name, text in (("a", "a"), ("fresh", "a"), ("one", "1"), ("two", "2")):
        (folder / name).write_text(text)
    (folder / "link").symlink_to("one")
    (folder / "new").symlink_to("two")
    files = [folder, folder / "a", folder / "link"]
    before = stamps(files)
    assert stamps(files) == before
    change(folder)
    assert stamps(files) != before


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
