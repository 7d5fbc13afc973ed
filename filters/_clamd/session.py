"""One IDSESSION with clamd (clamd(8)): commands are numbered by their order, answers carry the number and may come in
any order."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.endpoint import HostPort, UnixSocket
from gateway.engines.spread import EngineFailure

Address = HostPort | UnixSocket

LONGEST_ANSWER = 4 * 1024
"""Bytes of one answer: a number, a signature's name, a few words."""

_ANSWER = re.compile(rb"(\d{1,10}): (.{1,2000})", re.DOTALL)


@dataclass(slots=True, eq=False)
class Session:
    """An open session. `waiting` are the scans that have no answer yet, by number; `load` counts those too that have
    not been sent. `overdue` is true once somebody waited in vain: it takes no more scans, for behind a connection that
    is silent there may be nobody any more, and TCP would say so after a quarter of an hour."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    sent: int = 0
    load: int = 0
    waiting: dict[int, asyncio.Future[str]] = field(default_factory=dict)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    listening: asyncio.Task[None] | None = None
    ended: str = ""
    overdue: bool = False

    @classmethod
    async def open(cls, address: Address) -> Session:
        """A new session. Raises OSError."""
        if isinstance(address, UnixSocket):
            streams = await asyncio.open_unix_connection(str(address.path), limit=LONGEST_ANSWER)
        else:
            streams = await asyncio.open_connection(address.host, address.port, limit=LONGEST_ANSWER)
        session = cls(*streams)
        session.writer.write(b"zIDSESSION\0")
        session.listening = asyncio.create_task(session._listen())
        return session

    async def scan(self, chunks: Iterable[bytes]) -> str:
        """What clamd says of the content: "OK", "NAME FOUND" or "... ERROR". Raises EngineFailure, OSError."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.load += 1
        try:
            async with self.writing:
                if self.ended:
                    raise EngineFailure(self.ended)
                self.sent += 1
                number = self.sent
                self.waiting[number] = answer
                try:
                    await self._send(chunks, answer)
                except asyncio.CancelledError:
                    self.close("a scan was given up in the middle of its content")  # the session is out of step
                    raise
            return await answer
        except asyncio.CancelledError:
            self.overdue = True
            raise
        finally:
            self.load -= 1
            answer.cancel()
            if self.overdue and not self.load:
                self.close("an answer did not come in time")

    async def _send(self, chunks: Iterable[bytes], answer: asyncio.Future[str]) -> None:
        self.writer.write(b"zINSTREAM\0")
        for chunk in chunks:
            if answer.done():  # too big, or the session has ended
                break
            self.writer.write(len(chunk).to_bytes(4, "big"))
            self.writer.write(chunk)
            await self.writer.drain()
        self.writer.write(b"\0\0\0\0")
        await self.writer.drain()

    async def _listen(self) -> None:
        try:
            while True:
                line = await self.reader.readuntil(b"\0")
                found = _ANSWER.fullmatch(line[:-1])
                if not found:
                    raise EngineFailure(f"answered {line[:80]!a}")
                answer = self.waiting.pop(int(found[1]), None)
                if answer is not None and not answer.done():
                    answer.set_result(found[2].decode("utf-8", "replace").removeprefix("stream: "))
        except (EOFError, OSError, asyncio.LimitOverrunError, EngineFailure) as error:
            self.close(str(error) if isinstance(error, EngineFailure) else "clamd closed the connection")
        except asyncio.CancelledError:
            self.close("closed")

    def close(self, reason: str) -> None:
        """End the session: who waits hears why."""
        self.ended = self.ended or reason
        for answer in self.waiting.values():
            if not answer.done():
                answer.set_exception(EngineFailure(self.ended))
        self.waiting.clear()
        with contextlib.suppress(OSError, RuntimeError):  # the loop may be gone with its policy
            self.writer.close()
        if self.listening is not None and self.listening is not asyncio.current_task():
            self.listening.cancel()
