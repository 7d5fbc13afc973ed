"""What reading attached files costs, the sandbox included: documents, and the files that are made to cost much.

`python tests/bench/reading.py` prints a table. Each case runs in a process of its own, so that memory is its own.
"""

from __future__ import annotations

import asyncio
import ctypes
import io
import json
import os
import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import pypdfium2
import pypdfium2.raw as pdfium

from gateway.extract.opener import Opener
from gateway.limits import FileReading
from gateway.reading import Reading
from tests.extract.archives import quoted_overlap, tower, zipped
from tests.extract.test_opener import mail

REPEATS = 20
SENTENCE = "Căn cứ Luật Tổ chức chính quyền địa phương ngày 19 tháng 6 năm 2015; xét đề nghị của Giám đốc Sở. "

CONTENT_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
BODY = '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
END = "</w:body></w:document>"


def docx(paragraphs: int) -> bytes:
    text = "".join(f"<w:p><w:r><w:t>{number} {SENTENCE}</w:t></w:r></w:p>" for number in range(paragraphs))
    return zipped({"[Content_Types].xml": CONTENT_TYPES.encode(), "word/document.xml": (BODY + text + END).encode()})


def huge_docx() -> bytes:
    """A document whose XML is a gigabyte."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("[Content_Types].xml", CONTENT_TYPES)
        with file.open("word/document.xml", "w", force_zip64=True) as part:
            part.write(BODY.encode())
            paragraph = b"<w:p><w:r><w:t>" + b"A" * 1_000_000 + b"</w:t></w:r></w:p>"
            for _ in range(1000):
                part.write(paragraph)
            part.write(END.encode())
    return buffer.getvalue()


def laughing_docx() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE d [<!ENTITY l0 "ha">{entities}]>' + BODY.partition("?>")[2]
    text = bomb + "<w:p><w:r><w:t>&l9;</w:t></w:r></w:p>" + END
    return zipped({"[Content_Types].xml": CONTENT_TYPES.encode(), "word/document.xml": text.encode()})


def pdf(pages: int) -> bytes:
    document = pypdfium2.PdfDocument.new()
    for number in range(pages):
        page = document.new_page(595, 842)
        font = pdfium.FPDFText_LoadStandardFont(document, b"Helvetica")
        for line in range(45):
            text = pdfium.FPDFPageObj_CreateTextObj(document, font, 11)
            words = f"{number}.{line} Can cu Luat To chuc chinh quyen dia phuong ngay 19 thang 6 nam 2015\0"
            encoded = ctypes.create_string_buffer(words.encode("utf-16-le"))
            pdfium.FPDFText_SetText(text, ctypes.cast(encoded, ctypes.POINTER(ctypes.c_ushort)))
            pdfium.FPDFPageObj_Transform(text, 1, 0, 0, 1, 50, 790 - 16 * line)
            pdfium.FPDFPage_InsertObject(page, text)
        pdfium.FPDFPage_GenerateContent(page)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


CASES: dict[str, Callable[[], bytes]] = {
    "a text of 20 bytes (the sandbox alone)": lambda: b"hello there",
    "docx, 5 pages": lambda: docx(80),
    "PDF, 20 pages": lambda: pdf(20),
    "zip of 100 texts": lambda: zipped({f"{number}.txt": SENTENCE.encode() * 20 for number in range(100)}),
    "zips of zips to petabytes": lambda: tower(5, 16, 1 << 30),
    "files that share their bytes, 335 GB": lambda: quoted_overlap(20_000, 1 << 24),
    "zip of 10,000 files": lambda: zipped({f"{number}.txt": b"x" for number in range(10_000)}),
    "zip of 1 GB of zeros": lambda: tower(0, 1, 1 << 30),
    "docx of 1 GB": huge_docx,
    "docx of billion laughs": laughing_docx,
}
NAMES = {"docx": "a.docx", "PDF,": "a.pdf", "a te": "a.txt"}


async def measure(case: str) -> dict[str, object]:
    """One case, read again and again with nothing remembered; seconds of the best time, and what it took in all."""
    letter = mail((next((name for start, name in NAMES.items() if case.startswith(start)), "a.zip"), CASES[case]()))
    times: list[float] = []
    async with Opener(FileReading(cache=1)) as opener:  # type: ignore[arg-type]
        await opener.sandbox.strength()
        loop = asyncio.get_running_loop()
        [warm] = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        before, before_there = time.process_time(), _children_cpu(warm)
        first = Reading()
        while len(times) < REPEATS and sum(times) < 2:
            started = loop.time()
            first = await opener.open(letter, deadline=started + 60)
            times.append(loop.time() - started)
        ours, theirs = (time.process_time() - before) / len(times), (_children_cpu(warm) - before_there) / len(times)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "case": case,
        "seconds": min(times),
        "our_cpu": ours,
        "their_cpu": theirs,
        "their_mb": usage.ru_maxrss / 1024,
        "files": len(first.files),
        "texts": sum(len(text.content) for text in first.texts),
        "blind": sorted({blind.reason.value for blind in first.blind}),
    }


def _children_cpu(pid: str) -> float:
    """Seconds of the processor that its ended children took (proc(5), fields 16 and 17)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def run() -> list[dict[str, object]]:
    """All cases."""
    found = []
    for case in CASES:
        told = subprocess.run([sys.executable, __file__, case], capture_output=True, check=True, text=True).stdout
        found.append(json.loads(told.splitlines()[-1]))
    return found


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(asyncio.run(measure(sys.argv[1]))))
    else:
        for row in run():
            print(
                f"{row['case']:40} {1000 * row['seconds']:8.1f} ms  CPU ours {1000 * row['our_cpu']:6.1f} ms, theirs"
                f" {1000 * row['their_cpu']:7.1f} ms  peak {row['their_mb']:4.0f} MB  {row['files']} files,"
                f" {row['texts']} characters {row['blind']}"
            )
