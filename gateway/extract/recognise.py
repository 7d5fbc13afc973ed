"""The text in a picture, by the program `tesseract`, which is given the picture and nothing else."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator

from gateway.reading import Blind, Reason, Text, Zone

LANGUAGES = "vie+eng"

TEXT_LIMIT = 1024 * 1024
"""Bytes of text of one picture; a page has three thousand."""

PROGRAM = "/usr/bin/tesseract"

_ENVIRONMENT = {"OMP_THREAD_LIMIT": "1", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}


def recognised(picture: bytes, confine: Callable[[], None]) -> Iterator[Text | Blind]:
    """What can be read in it. `confine` is called in the new process just before it becomes the program."""
    source = os.memfd_create("picture")
    with open(source, "r+b") as file:
        file.write(picture)
        file.seek(0)
        try:
            process = subprocess.Popen(  # noqa: S603
                [PROGRAM, "-", "-", "-l", LANGUAGES, "--psm", "3"],
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                preexec_fn=confine,
            )
        except (OSError, subprocess.SubprocessError) as problem:
            yield Blind(place="", reason=Reason.UNSUPPORTED, detail=f"tesseract: {problem}")
            return
        assert process.stdout is not None
        text = process.stdout.read(TEXT_LIMIT).decode("utf-8", "replace").replace("\f", "\n").strip()
        if process.wait() != 0:
            yield Blind(place="", reason=Reason.CORRUPT, detail=f"tesseract ended with {process.returncode}")
    if text:
        yield Text(place="", zone=Zone.IMAGE, content=text + "\n", kind="image")
