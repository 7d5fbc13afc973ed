"""The warm process: it has all readers loaded, forks for each file, and holds nothing and knows nobody.

`python -m gateway.extract.worker FD` is started by `sandbox.py`; FD is its end of a pair of sockets on which come, as
one packet each: `{"start": NUMBER, "seconds": S, "tool": false}` with a socket for the file, and `{"stop": NUMBER}`.
It answers `{"ready": true, ...}` once, and `{"ended": NUMBER, "how": ...}` for each file.
"""

from __future__ import annotations

import contextlib
import encodings
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass

from gateway.extract.confinement import (
    Bounds,
    address_space,
    confine_reader,
    confine_tool,
    die_with_parent,
    leave_network,
    seccomp_works,
)
from gateway.extract.formats import readers
from gateway.extract.frames import Done, encoded
from gateway.extract.job import Task, receive
from gateway.extract.opening import Opening
from gateway.extract.recognise import recognised
from gateway.extract.witness import kind_in
from gateway.reading import File

GRACE = 0.5
"""Seconds after its time in which a reader may still stop by itself."""

FLUSH = 64 * 1024
"""Bytes that are told at once; what was found before a crash counts only once it is told."""

PACKET = 4096
"""Bytes of one packet on the control socket."""

OUT_OF_MEMORY = 3
"""The exit code of a process that needed more memory than it may have."""


@dataclass(slots=True)
class _Child:
    number: int
    until: float
    late: bool = False


class Warm:
    """Starts and ends the processes."""

    def __init__(self, control: socket.socket, memory: int) -> None:
        self._control = control
        self._memory = memory
        self._children: dict[int, _Child] = {}
        self._wake, wakened = os.pipe()
        for end in (self._wake, wakened):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(wakened, warn_on_full_buffer=False)
        self._held = address_space()
        namespace = leave_network()
        self._seccomp = seccomp_works()
        self._say({"ready": True, "seccomp": self._seccomp, "namespace": namespace})

    def run(self) -> None:
        """Until the gateway has gone."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        while True:
            soonest = min((child.until for child in self._children.values() if not child.late), default=None)
            wait = None if soonest is None else max(0.0, soonest - time.monotonic()) * 1000 + 1
            ready = {number for number, _ in poll.poll(wait)}
            if self._wake in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake, PACKET)
            self._reap()
            if self._control.fileno() in ready and not self._listen():
                return
            self._end_late()

    def _listen(self) -> bool:
        """Do what one packet asks; False if the gateway has gone."""
        packet, descriptors, _, _ = socket.recv_fds(self._control, PACKET, 1)
        if not packet:
            return False
        asked = json.loads(packet)
        if "stop" in asked:
            self._stop(asked["stop"])
            return True
        job = socket.socket(fileno=descriptors[0])
        bounds = Bounds(memory=self._memory, seconds=asked["seconds"])
        pid = os.fork()
        if pid == 0:
            self._control.close()
            _work(job, bounds, self._held, tool=asked["tool"], seccomp=self._seccomp)
        job.close()
        self._children[pid] = _Child(asked["start"], time.monotonic() + asked["seconds"] + GRACE)
        return True

    def _stop(self, number: int) -> None:
        for pid, child in self._children.items():
            if child.number == number:
                os.kill(pid, signal.SIGKILL)

    def _end_late(self) -> None:
        now = time.monotonic()
        for pid, child in self._children.items():
            if child.until <= now and not child.late:
                child.late = True
                os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is not None:
                self._say({"ended": child.number, "how": _how(status, late=child.late)})

    def _say(self, what: dict[str, object]) -> None:
        self._control.send(json.dumps(what).encode())


def _how(status: int, *, late: bool) -> str:
    """In a word how a process ended: done, late, memory, or its signal or code."""
    if late or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU):
        return "late"
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    return {0: "done", OUT_OF_MEMORY: "memory"}.get(os.WEXITSTATUS(status), f"code {os.WEXITSTATUS(status)}")


def _work(job: socket.socket, bounds: Bounds, held: int, *, tool: bool, seccomp: bool) -> None:
    """The life of one process. Does not return."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if tool:
            task = receive(job)
            for one in recognised(task.file.content or b"", lambda: confine_tool(bounds, held, seccomp=seccomp)):
                job.sendall(encoded(one))
            job.sendall(encoded(Done()))
        else:
            confine_reader(bounds, held, seccomp=seccomp)
            _open(job, receive(job))
        code = 0
    except MemoryError:
        code = OUT_OF_MEMORY
    finally:
        os._exit(code)


def _open(job: socket.socket, task: Task) -> None:
    room = task.room()
    told = bytearray()
    for one in Opening(room).open(task.file, "", 0):
        if len(told) > FLUSH or (told and isinstance(one, File)):
            job.sendall(told)
            told.clear()
        told += encoded(one)
        if isinstance(one, File):
            job.sendall(told)
            told.clear()
    told += encoded(Done(task.unfolded - max(room.unfolded, 0), task.files - max(room.files, 0)))
    job.sendall(told)


def _load() -> None:
    """All that readers need: later nothing can be opened, no module either."""
    for module in pkgutil.iter_modules(encodings.__path__):
        with contextlib.suppress(ImportError):  # those of other systems
            importlib.import_module(f"encodings.{module.name}")
    readers()
    kind_in(b"\x00\x01 of no kind")  # libmagic reads its database when it is first asked
    gc.collect()
    gc.freeze()


def main() -> None:
    """Load, tell that all is ready, work until the gateway has gone."""
    die_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a stop is the gateway's: it has mail to bring to its end
    control = socket.socket(fileno=int(sys.argv[1]))
    _load()
    Warm(control, memory=int(sys.argv[2])).run()


if __name__ == "__main__":
    main()
