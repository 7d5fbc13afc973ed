"""What the MTA says: one frozen value for each command of the milter protocol, and how it is read from its packet.

Text is bytes, as the MTA sent it: what it means is for who asks. Readers raise ValueError for malformed data.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.milter.flags import Actions, Stage, Steps

_NEGOTIATION = struct.Struct("!III")
_NUMBER = struct.Struct("!I")
_PORT = struct.Struct("!H")

FAMILIES = b"U46L"
"""Of a client: unknown, IPv4, IPv6, a local socket."""

BODY_LIMIT = 65_535
"""Octets of a piece of a body, in either direction (MILTER_CHUNK_SIZE)."""


LINE_LIMIT = 16 * 1024
"""Octets of a command that is not content. An MTA's own lines have 2048 (Postfix's line_length_limit, Sendmail's
MAXLINE); what is kept of them for each session and each recipient is no more than this."""

STRINGS_LIMIT = 500
"""Strings of one command: parameters, or macros with their values. Postfix has about forty macros in all."""


@dataclass(frozen=True, slots=True)
class Negotiate:
    """O: the session begins; what the MTA offers."""

    version: int
    actions: Actions
    steps: Steps


@dataclass(frozen=True, slots=True)
class Macros:
    """D: values that hold for the command that follows, whose code is `command`; names without braces."""

    command: bytes
    values: tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Connect:
    """C: a client has connected to the MTA. `family` is one of FAMILIES; for U there is neither port nor address."""

    host: bytes
    family: bytes
    port: int = 0
    address: bytes = b""


@dataclass(frozen=True, slots=True)
class Helo:
    """H: HELO or EHLO."""

    name: bytes


@dataclass(frozen=True, slots=True)
class MailFrom:
    """M: MAIL. `sender` has its angle brackets."""

    sender: bytes
    parameters: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class RcptTo:
    """R: RCPT. `recipient` has its angle brackets."""

    recipient: bytes
    parameters: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Data:
    """T: DATA (version 4)."""


@dataclass(frozen=True, slots=True)
class HeaderField:
    """L: one field. Folds in `value` are LF; its leading space is there if LEADING_SPACE was agreed on."""

    name: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class EndOfHeaders:
    """N: the head is over."""


@dataclass(frozen=True, slots=True)
class Body:
    """B: a piece of the body, lines ended by CRLF; a line may go on in the next piece."""

    data: bytes


@dataclass(frozen=True, slots=True)
class EndOfBody:
    """E: the message is whole, behind these last bytes of the body."""

    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Abort:
    """A: the message is given up, the session goes on."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Q: the session is over."""


@dataclass(frozen=True, slots=True)
class QuitNewConnection:
    """K: the client is gone; the session goes on with another one (version 6)."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """U: a command that the MTA does not know (version 3)."""

    line: bytes


Command = (
    Negotiate | Macros | Connect | Helo | MailFrom | RcptTo | Data | HeaderField | EndOfHeaders
    | Body | EndOfBody | Abort | Quit | QuitNewConnection | Unknown
)  # fmt: skip


def negotiation(data: bytes) -> tuple[int, Actions, Steps, dict[Stage, bytes]]:
    """Version, actions, steps and lists of macros. Bits that nobody knows are dropped. Raises ValueError."""
    if len(data) < _NEGOTIATION.size:
        raise ValueError("a negotiation that is too short")
    version, actions, steps = _NEGOTIATION.unpack_from(data)
    wanted: dict[Stage, bytes] = {}
    rest = data[_NEGOTIATION.size :]
    while rest:
        if len(rest) < _NUMBER.size + 1 or b"\0" not in rest[_NUMBER.size :]:
            raise ValueError("a list of macros that is cut off")
        [stage] = _NUMBER.unpack_from(rest)
        names, _, rest = rest[_NUMBER.size :].partition(b"\0")
        if stage not in Stage.__members__.values():
            raise ValueError("macros of an unknown stage")
        wanted[Stage(stage)] = names
    return version, Actions(actions & _ALL_ACTIONS), Steps(steps & _ALL_STEPS), wanted


_ALL_ACTIONS = sum(Actions)
_ALL_STEPS = sum(Steps)


def _negotiate(data: bytes) -> Negotiate:
    version, actions, steps, _ = negotiation(data)
    return Negotiate(version, actions, steps)


def _macros(data: bytes) -> Macros:
    if not data:
        raise ValueError("macros of no command")
    words = _strings(data[1:]) if len(data) > 1 else ()
    if len(words) % 2:
        raise ValueError("a macro without a value")
    names = [name.removeprefix(b"{").removesuffix(b"}") for name in words[::2]]
    return Macros(data[:1], tuple(zip(names, words[1::2], strict=True)))


def _connect(data: bytes) -> Connect:
    _check_length(data)
    host, end, rest = data.partition(b"\0")
    if not end or not rest or rest[0] not in FAMILIES:
        raise ValueError("a client without a family")
    family, rest = rest[:1], rest[1:]
    if family == b"U":
        return Connect(host, family)
    if len(rest) < _PORT.size:
        raise ValueError("a client without a port")
    [port] = _PORT.unpack_from(rest)
    [address] = _strings(rest[_PORT.size :], 1)
    return Connect(host, family, port, address)


def _helo(data: bytes) -> Helo:
    _check_length(data)
    [name] = _strings(data, 1)
    return Helo(name)


def _mail(data: bytes) -> MailFrom:
    _check_length(data)
    sender, *parameters = _strings(data)
    return MailFrom(sender, tuple(parameters))


def _rcpt(data: bytes) -> RcptTo:
    _check_length(data)
    recipient, *parameters = _strings(data)
    return RcptTo(recipient, tuple(parameters))


def _header(data: bytes) -> HeaderField:
    name, value = _strings(data, 2)
    if not name:
        raise ValueError("a field without a name")
    return HeaderField(name, value)


def _body(data: bytes) -> Body:
    return Body(data)


def _end_of_body(data: bytes) -> EndOfBody:
    return EndOfBody(data)


def _unknown(data: bytes) -> Unknown:
    [line] = _strings(data, 1)
    return Unknown(line)


def _check_length(data: bytes) -> None:
    if len(data) > LINE_LIMIT:
        raise ValueError(f"a command of {len(data)} octets")


def _strings(data: bytes, count: int = 0) -> tuple[bytes, ...]:
    """Strings that end in NUL; so many of them, if that is fixed."""
    if not data.endswith(b"\0"):
        raise ValueError("a string without an end")
    if data.count(b"\0") > STRINGS_LIMIT:
        raise ValueError("too many strings")
    words = tuple(data[:-1].split(b"\0"))
    if count and len(words) != count:
        raise ValueError(f"{len(words)} strings, not {count}")
    return words


READERS: Mapping[int, Callable[[bytes], Command]] = {
    ord("O"): _negotiate,
    ord("D"): _macros,
    ord("C"): _connect,
    ord("H"): _helo,
    ord("M"): _mail,
    ord("R"): _rcpt,
    ord("T"): lambda _: Data(),
    ord("L"): _header,
    ord("N"): lambda _: EndOfHeaders(),
    ord("B"): _body,
    ord("E"): _end_of_body,
    ord("A"): lambda _: Abort(),
    ord("Q"): lambda _: Quit(),
    ord("K"): lambda _: QuitNewConnection(),
    ord("U"): _unknown,
}
