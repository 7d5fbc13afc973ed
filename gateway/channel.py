"""The way between the supervisor and one of its workers: a pair of sockets, on which each message is a line of JSON.

A message is a mapping whose `kind` says what it is; `worker.py` and `supervisor.py` say what each kind asks for. The
first thing on the way is the welcome, with the listening sockets themselves (unix(7), SCM_RIGHTS).
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from typing import Any

from gateway.sockets import Sockets

MOST = 16 * 1024 * 1024
"""Bytes of a message: the numbers of a worker are some 200 kB."""

UNREAD = 8 * 1024 * 1024
"""Bytes that wait for a process that does not read. Beyond that what may be lost is lost (`Channel.offer`)."""

WELCOME = 64 * 1024
"""Bytes of the welcome."""

SOCKETS = 250
"""Sockets that are handed over: what the kernel takes in one message (SCM_MAX_FD, 253)."""

Message = Mapping[str, Any]


class Gone(Exception):
    """Who is at the other end has ended."""


def welcome(way: socket.socket, sockets: Sockets, **facts: Any) -> None:
    """Hand the sockets to a worker that is being started. Raises OSError."""
    content = json.dumps({"sockets": list(sockets), **facts}).encode()
    socket.send_fds(way, [content], [each.fileno() for each in sockets.values()])


def welcomed(way: socket.socket) -> tuple[Sockets, Message]:
    """The sockets, and what else the supervisor said; waits for it. Raises Gone."""
    content, descriptors, _, _ = socket.recv_fds(way, WELCOME, SOCKETS)
    if not content:
        raise Gone
    facts = json.loads(content)
    opened = [socket.socket(fileno=each) for each in descriptors]
    for each in opened:
        each.set_inheritable(False)  # not for those that read files
    return dict(zip(facts["sockets"], opened, strict=True)), facts


class Channel:
    """One end, for one event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, way: socket.socket) -> Channel:
        """The end that this socket is."""
        return cls(*await asyncio.open_unix_connection(sock=way, limit=MOST))

    def say(self, kind: str, **facts: Any) -> None:
        """Send a message. Whether it arrives shows in what comes back, or in the end of `messages`."""
        self._writer.write(_line(kind, facts))

    def offer(self, kind: str, **facts: Any) -> None:
        """Send a message that may be lost, if the other end still reads."""
        self.pass_on(_line(kind, facts))

    def pass_on(self, line: bytes) -> None:
        """The same with a message as it came."""
        if self._writer.transport.get_write_buffer_size() < UNREAD:
            self._writer.write(line)

    async def messages(self) -> AsyncIterator[tuple[bytes, Message]]:
        """What the other end says, as it came and as it is meant, until it ends."""
        while True:
            try:
                line = await self._reader.readline()
            except (ConnectionError, ValueError):
                return
            if not line.endswith(b"\n"):
                return
            yield line, json.loads(line)

    async def close(self) -> None:
        """Send what waits, and end."""
        try:
            async with asyncio.timeout(1.0):
                await self._writer.drain()
        except (OSError, TimeoutError):
            pass
        self._writer.close()


def _line(kind: str, facts: Mapping[str, Any]) -> bytes:
    return json.dumps({"kind": kind, **facts}, separators=(",", ":")).encode() + b"\n"
