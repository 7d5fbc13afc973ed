"""The clients of the benchmark: sessions that send one letter after the other, each as soon as the last is answered.

`python load.py PORT SIZE SESSIONS SECONDS kept|anew`: each session sends for that long, one letter at least, over one
connection or over a new one for each letter, as Postfix's proxy filter does. Prints one line of JSON: messages,
seconds, and the milliseconds from the final dot to its answer, half of the time (p50) and 99 of 100 times (p99).
Exit code 1 if an answer is not the one that is wanted.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from itertools import count

import uvloop
from letters import Letter, letter


@dataclass
class Run:
    """What all sessions share."""

    letter: Letter
    anew: bool
    ends: float
    serials: count[int] = field(default_factory=count)
    waits: list[float] = field(default_factory=list)


class Session(asyncio.Protocol):
    """One connection: a script of what is said, driven by the replies."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.over: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.reply = b""
        self.script = self.said()
        self.wanted = next(self.script)

    def said(self) -> Generator[bytes, None, None]:
        """Yields the code that must come before it goes on."""
        run, write = self.run, lambda data: self.transport.write(data)
        yield b"220"
        write(b"EHLO client.example.org\r\n")
        yield b"250"
        while True:
            write(b"MAIL FROM:<s%d@example.org>\r\n" % next(run.serials))
            yield b"250"
            write(b"RCPT TO:<cntt@example.gov.vn>\r\n")
            yield b"250"
            write(b"DATA\r\n")
            yield b"354"
            sent = time.perf_counter()
            write(run.letter.wire)
            yield b"250"
            now = time.perf_counter()
            run.waits.append(now - sent)
            if run.anew or now >= run.ends:
                break
        write(b"QUIT\r\n")
        yield b"221"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.reply += data
        last = self.reply[self.reply.rfind(b"\n", 0, -1) + 1 :]
        if not last.endswith(b"\n") or last[3:4] == b"-":
            return
        if not last.startswith(self.wanted):
            self.over.set_exception(ConnectionError(f"wanted {self.wanted!r}, got {self.reply!r}"))
            self.transport.abort()
            return
        self.reply = b""
        if (wanted := next(self.script, None)) is None:
            self.transport.close()
            self.over.set_result(True)
        else:
            self.wanted = wanted

    def connection_lost(self, error: Exception | None) -> None:
        if not self.over.done():
            self.over.set_exception(ConnectionError(f"closed while {self.wanted!r} was wanted"))


async def client(run: Run, port: int) -> None:
    """One client, from its first letter to its last."""
    loop = asyncio.get_running_loop()
    while True:
        _, session = await loop.create_connection(lambda: Session(run), "127.0.0.1", port)
        await session.over
        if time.perf_counter() >= run.ends:
            return


async def main(port: int, size: int, sessions: int, seconds: float, how: str) -> None:
    """Run and report."""
    prepared = letter(size)
    started = time.perf_counter()
    run = Run(prepared, how == "anew", started + seconds)
    await asyncio.gather(*(client(run, port) for _ in range(sessions)))
    waits = sorted(run.waits)
    told = {
        "messages": len(waits),
        "seconds": time.perf_counter() - started,
        "p50": 1000 * waits[len(waits) // 2],
        "p99": 1000 * waits[len(waits) * 99 // 100],
        "digest": prepared.digest,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    port, size, sessions, seconds, how = sys.argv[1:]
    uvloop.run(main(int(port), int(size), int(sessions), float(seconds), how))
