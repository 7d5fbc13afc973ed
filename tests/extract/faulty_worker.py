"""A warm process with one reader more: what it reads tells it what to do wrong, as a program would that has been taken
over through a hole in a parser."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from gateway.extract import opening, worker
from gateway.extract.formats import Fact, readers
from gateway.extract.room import Room
from gateway.reading import Text, Zone


def read(data: bytes, place: str, room: Room) -> Iterator[Fact]:
    word, _, argument = data[1:].decode().partition(" ")
    yield Text(place=place, zone=Zone.ATTACHMENT, content="before")
    try:
        said = FAULTS[word](argument)
    except OSError as problem:
        said = f"refused: {problem.strerror}"
    yield Text(place=place, zone=Zone.ATTACHMENT, content=str(said))


def _spin(argument: str) -> None:
    while True:
        pass


def _grow(argument: str) -> None:
    hoard = []
    while True:
        hoard.append(bytearray(1 << 20))


def _thread(argument: str) -> str:
    try:
        threading.Thread(target=print).start()
    except RuntimeError:
        return "refused: no thread"
    return "a thread"


def _write(argument: str) -> str:
    Path(argument).write_text("taken over")
    return "written"


def _shout(argument: str) -> str:
    """Anything but frames, on every descriptor."""
    for number in range(3, 64):
        try:
            os.write(number, argument.encode() * 1000)
        except OSError:
            continue
    return "shouted"


def _flood(argument: str) -> None:
    frame = b'["text","","body","' + b"x" * 1_000_000 + b'","text",""]'
    while True:
        for number in range(3, 64):
            try:
                os.write(number, len(frame).to_bytes(4, "big") + frame)
            except OSError:
                continue


def _connect(argument: str) -> str:
    with socket.create_connection(("127.0.0.1", int(argument)), timeout=1):
        return "connected"


def _ptrace(argument: str) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, os.getppid(), 0, 0) == 0:
        return "attached"
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


FAULTS = {
    "segv": lambda argument: ctypes.string_at(8),
    "abort": lambda argument: os.abort(),
    "exit": lambda argument: os._exit(0),
    "spin": _spin,
    "sleep": lambda argument: time.sleep(1000),
    "grow": _grow,
    "socket": lambda argument: socket.socket(),
    "connect": _connect,
    "write": _write,
    "read": lambda argument: Path(argument).read_text(),
    "list": lambda argument: os.listdir(argument),
    "delete": lambda argument: Path(argument).unlink(),
    "fork": lambda argument: os.fork(),
    "exec": lambda argument: os.execv("/bin/true", ["/bin/true"]),
    "run": lambda argument: subprocess.run(["/bin/true"], check=True),
    "thread": _thread,
    "kill": lambda argument: os.kill(int(argument), signal.SIGKILL),
    "ptrace": _ptrace,
    "shout": _shout,
    "flood": _flood,
    "environment": lambda argument: sorted(os.environ),
}


def main() -> None:
    table = {**readers(), "data": (read,)}
    opening.readers = lambda: table  # type: ignore[assignment]
    worker.main()


if __name__ == "__main__":
    main()
