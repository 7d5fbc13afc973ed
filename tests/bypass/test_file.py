"""The file on the disk: whole or not at all, and not believed if others could have written it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.bypass import file
from tests.bypass.test_model import made


def linked(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


BAD: dict[str, tuple[Callable[[Path], object], type[Exception]]] = {
    "others may read it": (lambda path: path.chmod(0o644), ValueError),
    "others may write it": (lambda path: path.chmod(0o602), ValueError),
    "a link to a good one": (linked, OSError),
    "a pipe, which nobody fills": (piped, ValueError),
    "a folder": (folder, (OSError, ValueError)),  # type: ignore[dict-item]
    "half of it": (cut, ValueError),
}


def test_what_was_written_is_there_and_closed_to_others(tmp_path: Path) -> None:
    file.write(tmp_path, [made()])
    assert file.read(tmp_path) == (made(),)
    assert stat.filemode((tmp_path / file.NAME).stat().st_mode) == "-rw-------"
    assert [each.name for each in tmp_path.iterdir()] == [file.NAME]


def test_without_bypasses_there_is_no_file(tmp_path: Path) -> None:
    assert (file.read(tmp_path), file.sign_of(tmp_path)) == ((), None)
    file.write(tmp_path, [made()])
    file.write(tmp_path, [])
    assert (file.read(tmp_path), file.sign_of(tmp_path)) == ((), None)


def test_each_writing_looks_different_from_outside(tmp_path: Path) -> None:
    signs = set()
    for _ in range(20):
        file.write(tmp_path, [made()])
        signs.add(file.sign_of(tmp_path))
    assert len(signs) == 20


@pytest.mark.parametrize(("spoil", "error"), BAD.values(), ids=BAD)
def test_what_is_not_believed(spoil: Callable[[Path], object], error: type[Exception], tmp_path: Path) -> None:
    file.write(tmp_path, [made()])
    spoil(tmp_path / file.NAME)
    with pytest.raises(error):
        file.read(tmp_path)


def test_a_draft_that_a_killed_command_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / f".{file.NAME}.draft").write_text("half")
    file.write(tmp_path, [made()])
    assert file.read(tmp_path) == (made(),)
