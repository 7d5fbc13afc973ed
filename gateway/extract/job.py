"""What the gateway asks of the sandboxed process: one file to be opened, as bytes on a socket.

A request is a length, a JSON object, and the file's bytes; the answer is the frames of `frames.py`.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any

from gateway.extract.formats import Member
from gateway.extract.room import Room

_LENGTH = 4
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """`what` is "open" (the file and all inside it) or "recognise" (the text of a picture)."""

    what: str
    file: Member
    unfolded: int = 0
    member: int = 0
    files: int = 0
    depth: int = 0
    text: int = 0
    links: int = 0
    seconds: float = 0.0
    keep: int = 0
    pictures: int = 0

    def room(self) -> Room:
        """The room that begins to be used now."""
        return Room(
            unfolded=self.unfolded,
            member=self.member,
            files=self.files,
            depth=self.depth,
            text=self.text,
            links=self.links,
            seconds=self.seconds,
            keep=self.keep,
            pictures=self.pictures,
        )


_NUMBERS = ("unfolded", "member", "files", "depth", "text", "links", "seconds", "keep", "pictures")


def request(task: Task) -> tuple[bytes, bytes]:
    """The head and the file's bytes, to be sent one after the other."""
    file, content = task.file, task.file.content or b""
    about = {"names": file.names, "media_type": file.media_type, "charset": file.charset}
    head = {"what": task.what, "length": len(content), **about, **{name: getattr(task, name) for name in _NUMBERS}}
    encoded = json.dumps(head).encode()
    return len(encoded).to_bytes(_LENGTH, "big") + encoded, content


def receive(sock: socket.socket) -> Task:
    """The task, on the far side. Raises EOFError where the sender has gone."""
    length = int.from_bytes(_exactly(sock, _LENGTH), "big")
    head: dict[str, Any] = json.loads(_exactly(sock, length))
    file = Member(
        names=tuple(head["names"]),
        content=_exactly(sock, head["length"]),
        media_type=head["media_type"],
        charset=head["charset"],
    )
    return Task(what=head["what"], file=file, **{name: head[name] for name in _NUMBERS})


def _exactly(sock: socket.socket, length: int) -> bytes:
    buffer = bytearray(length)
    view, at = memoryview(buffer), 0
    while at < length:
        count = sock.recv_into(view[at : at + _PIECE])
        if count == 0:
            raise EOFError
        at += count
    view.release()
    return bytes(buffer)
