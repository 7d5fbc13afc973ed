"""The check of the process that reads files."""

from __future__ import annotations

from gateway.doctor.model import State
from gateway.doctor.reading import reading
from tests.doctor.conftest import Made, lines


async def test_files_are_read_behind_walls(patient: Made) -> None:
    [line] = await lines(reading, patient())
    assert (line.about, line.state) == ("sandbox", State.OK)
    assert "a filter of system calls" in line.seen


async def test_recognition_is_looked_at_where_it_is_asked_for(patient: Made) -> None:
    found = await lines(reading, patient(reading={"ocr": True}))
    assert [(line.about, line.state) for line in found] == [("sandbox", State.OK), ("ocr", State.OK)]
