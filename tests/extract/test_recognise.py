"""Text in pictures is recognised where the settings ask for it, by a program that can do nothing else."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium
import pytest

from gateway.extract.confinement import Bounds, confine_tool
from gateway.extract.documents.png import grey_png
from gateway.extract.opener import Opener
from gateway.limits import FileReading
from gateway.reading import Reason, Zone
from tests.extract.archives import zipped
from tests.extract.test_opener import mail, read

FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
SENTENCE = "Công văn mật số 12"


def picture(text: str) -> bytes:
    """A picture of a line of text."""
    document = pypdfium2.PdfDocument.new()
    page = document.new_page(700, 120)
    data = FONT.read_bytes()
    letters = (ctypes.c_ubyte * len(data)).from_buffer_copy(data)
    font = pdfium.FPDFText_LoadFont(document, letters, len(data), pdfium.FPDF_FONT_TRUETYPE, 1)
    line = pdfium.FPDFPageObj_CreateTextObj(document, font, 40)
    encoded = ctypes.create_string_buffer((text + "\0").encode("utf-16-le"))
    pdfium.FPDFText_SetText(line, ctypes.cast(encoded, ctypes.POINTER(ctypes.c_ushort)))
    pdfium.FPDFPageObj_Transform(line, 1, 0, 0, 1, 30, 40)
    pdfium.FPDFPage_InsertObject(page, line)
    pdfium.FPDFPage_GenerateContent(page)
    bitmap = page.render(scale=2, grayscale=True)
    return grey_png(memoryview(bytes(bitmap.buffer)), bitmap.width, bitmap.height, bitmap.stride)


@pytest.fixture(scope="module")
def drawn() -> bytes:
    return picture(SENTENCE)


async def test_text_is_recognised_in_pictures_at_every_depth(drawn: bytes) -> None:
    async with Opener(FileReading(ocr=True)) as opener:
        reading = await read(opener, mail(("ảnh.png", drawn), ("a.zip", zipped({"b.png": drawn + b"\0"}))))
    found = {text.place: text.content.strip() for text in reading.of(Zone.IMAGE)}
    assert found == {"2/ảnh.png": SENTENCE, "3/a.zip/b.png": SENTENCE}
    assert reading.blind == ()


async def test_nobody_asked_for_it(drawn: bytes) -> None:
    async with Opener(FileReading()) as opener:
        reading = await read(opener, mail(("ảnh.png", drawn)))
    assert list(reading.of(Zone.IMAGE)) == []


async def test_a_broken_picture_is_told_of(drawn: bytes) -> None:
    async with Opener(FileReading(ocr=True)) as opener:
        reading = await read(opener, mail(("ảnh.png", drawn[:4000])))
    assert {blind.reason for blind in reading.blind} == {Reason.CORRUPT}


ATTEMPTS = {
    "a socket": "import socket; socket.socket()",
    "a file to write": "open({new!r}, 'w')",
    "a file to remove": "import os; os.unlink({kept!r})",
    "another name for a file": "import os; os.rename({kept!r}, {new!r})",
    "the end of another process": "import os; os.kill(os.getppid(), 9)",
}


@pytest.mark.parametrize("code", ATTEMPTS.values(), ids=ATTEMPTS)
def test_the_program_may_read_and_nothing_else(code: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.touch()
    code = code.format(kept=str(kept), new=str(tmp_path / "new"))
    done = subprocess.run(
        [sys.executable, "-c", code],
        preexec_fn=lambda: confine_tool(Bounds(memory=1 << 30, seconds=5), 0, seccomp=True),
        capture_output=True,
        check=False,
    )
    assert b"PermissionError" in done.stderr
    assert list(tmp_path.iterdir()) == [kept]
