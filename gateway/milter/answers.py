"""What we say: one frozen value for each answer and each change of the milter protocol, and its packet.

Changes are sent before the final answer to the end of a message, and at no other time. Text is bytes; a NUL in it
would end it early, so `encode` raises ValueError for one.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.milter.commands import BODY_LIMIT
from gateway.milter.flags import Actions, Stage, Steps
from gateway.reply import Reply

_NUMBER = struct.Struct("!I")

REASON_LIMIT = 100
"""Octets of the reason of a quarantine that Postfix keeps."""


@dataclass(frozen=True, slots=True)
class Negotiated:
    """O: what we have chosen of what was offered. `macros` are lists of names, separated by spaces."""

    version: int
    actions: Actions
    steps: Steps
    macros: Mapping[Stage, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Continue:
    """c: go on."""


@dataclass(frozen=True, slots=True)
class Accept:
    """a: the message, or before MAIL the client, is accepted; nothing more is asked about it."""


@dataclass(frozen=True, slots=True)
class Reject:
    """r: refused for good, in the MTA's words."""


@dataclass(frozen=True, slots=True)
class TempFail:
    """t: refused for now, in the MTA's words."""


@dataclass(frozen=True, slots=True)
class Discard:
    """d: the client hears 250, the MTA forgets the message."""


@dataclass(frozen=True, slots=True)
class Answer:
    """y: refused in our words: 4xx or 5xx."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Shutdown:
    """4: 421, and the client is disconnected."""


@dataclass(frozen=True, slots=True)
class ConnectionFailed:
    """f: this filter cannot be had."""


@dataclass(frozen=True, slots=True)
class Skip:
    """s: no more of the body is wanted (version 6)."""


@dataclass(frozen=True, slots=True)
class Progress:
    """p: still at work; the MTA waits on."""


@dataclass(frozen=True, slots=True)
class AddRecipient:
    """+, or 2 where there are parameters: another recipient, in angle brackets."""

    recipient: bytes
    parameters: bytes = b""


@dataclass(frozen=True, slots=True)
class DeleteRecipient:
    """-: this recipient, as the MTA wrote it, does not get the message."""

    recipient: bytes


@dataclass(frozen=True, slots=True)
class ChangeSender:
    """e: another sender, in angle brackets."""

    sender: bytes
    parameters: bytes = b""


@dataclass(frozen=True, slots=True)
class AddHeader:
    """h: a field behind the others."""

    name: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class InsertHeader:
    """i: a field behind the first `index` ones; 0: on top."""

    index: int
    name: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class ChangeHeader:
    """m: the `index`th field of that name, counted from 1, has this value; without one it is gone."""

    index: int
    name: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class ReplaceBody:
    """b: the next piece of the new body. All pieces follow each other, with nothing else between them."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Quarantine:
    """q: the MTA holds the message. A final answer must follow."""

    reason: bytes


@dataclass(frozen=True, slots=True)
class SetMacros:
    """l: the macros that are wanted at a stage, names separated by spaces."""

    stage: Stage
    names: str


Change = (
    AddRecipient | DeleteRecipient | ChangeSender | AddHeader | InsertHeader | ChangeHeader | ReplaceBody | Quarantine
)
Final = Continue | Accept | Reject | TempFail | Discard | Answer | Shutdown | ConnectionFailed
Said = Negotiated | Final | Skip | Progress | SetMacros | Change

_BARE: Mapping[type[Said], bytes] = {
    Continue: b"c",
    Accept: b"a",
    Reject: b"r",
    TempFail: b"t",
    Discard: b"d",
    Shutdown: b"4",
    ConnectionFailed: b"f",
    Skip: b"s",
    Progress: b"p",
}


def encode(said: Said) -> bytes:
    """The packet, without its length: code and data. Raises ValueError for what no packet can say."""
    match said:
        case Negotiated(version, actions, steps, macros):
            lists = b"".join(_NUMBER.pack(stage) + _text(names.encode()) for stage, names in macros.items())
            return b"O" + struct.pack("!III", version, actions, steps) + lists
        case Answer(reply):
            return b"y" + _text(_reply_text(reply))
        case AddRecipient(recipient, b""):
            return b"+" + _text(recipient)
        case AddRecipient(recipient, parameters):
            return b"2" + _text(recipient) + _text(parameters)
        case DeleteRecipient(recipient):
            return b"-" + _text(recipient)
        case ChangeSender(sender, parameters):
            return b"e" + _text(sender) + (_text(parameters) if parameters else b"")
        case AddHeader(name, value):
            return b"h" + _text(name) + _text(value)
        case InsertHeader(index, name, value):
            return b"i" + _NUMBER.pack(index) + _text(name) + _text(value)
        case ChangeHeader(index, name, value):
            return b"m" + _NUMBER.pack(index) + _text(name) + _text(value)
        case ReplaceBody(data):
            if len(data) > BODY_LIMIT:
                raise ValueError(f"a piece of {len(data)} octets")
            return b"b" + data
        case Quarantine(reason):
            return b"q" + _text(reason[:REASON_LIMIT])
        case SetMacros(stage, names):
            return b"l" + _NUMBER.pack(stage) + _text(names.encode())
        case _:
            return _BARE[type(said)]


def _text(value: bytes) -> bytes:
    if b"\0" in value:
        raise ValueError("NUL in a string")
    return value + b"\0"


def _reply_text(reply: Reply) -> bytes:
    """Lines as SMTP has them, without the last line's end, and "%" doubled: it is a format to both MTAs."""
    if not 400 <= reply.code <= 599:
        raise ValueError(f"{reply.code} refuses nothing")
    return reply.encode().removesuffix(b"\r\n").replace(b"%", b"%%")
