"""What doctor says of bypasses: that there is none, who has made which, or that the file is not ours."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from gateway.bypass import file
from gateway.doctor.bypass import bypass
from gateway.doctor.model import State
from tests.bypass.test_model import made
from tests.doctor.conftest import NOW, Made, lines


async def test_nothing_is_bypassed(patient: Made, tmp_path: Path) -> None:
    [line] = await lines(bypass, patient())
    assert (line.state, line.seen) == (State.OK, "nothing is bypassed")


async def test_one_that_counts_and_one_that_is_over(patient: Made, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    over = made(name="old", begins=NOW - timedelta(hours=2), ends=NOW - timedelta(hours=1))
    file.write(tmp_path / "state", [over, made(begins=NOW, ends=NOW + timedelta(hours=1))])
    [line] = await lines(bypass, patient())
    assert line.state is State.WARN
    assert line.seen.startswith("rule no-executables until ")
    assert line.seen.endswith(" by an: why")


async def test_a_file_that_is_odd(patient: Made, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / file.NAME).write_text("{}")
    [line] = await lines(bypass, patient())
    assert (line.state, "cannot be used" in line.seen) == (State.FAIL, True)
