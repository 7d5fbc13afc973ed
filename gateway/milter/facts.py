"""What an MTA tells of its client, by CONNECT, HELO and macros, as facts of ours. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from gateway.mail import Client
from gateway.milter.commands import Connect, Macros
from gateway.milter.flags import Stage
from gateway.reply import Reply, printable

WANTED = {
    Stage.CONNECT: "{client_addr} {client_port} {client_name}",
    Stage.HELO: "{tls_version}",
    Stage.MAIL: "i {auth_authen} {tls_version}",
    Stage.RCPT: "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
    Stage.END: "i",
}
"""The macros we ask for, where the MTA lets us; what each of them is told is read by `Told`."""

KEPT = frozenset(word.strip("{}").encode() for words in WANTED.values() for word in words.split())
"""The macros whose values are kept: a session's memory does not depend on how many an MTA sends."""

VALUE_LIMIT = 1000
"""Octets of a macro's value that are kept; the text of a refusal by the MTA is the longest that we look at."""

NAME_LIMIT = 255
"""Letters of a host's or a user's name that are kept (RFC 1035 section 2.3.4; XFORWARD's limit too)."""

_OF_MESSAGE = (b"M", b"R", b"T", b"N", b"E")
"""The commands whose macros end with the message."""

_LATEST_FIRST = (b"E", b"N", b"T", b"R", b"M", b"H", b"C")
"""The commands whose macros are looked at; those for other commands are not kept."""


_NONE: Mapping[bytes, bytes] = {}


class Told:
    """The macros that hold now: those of later commands go before those of earlier ones."""

    def __init__(self) -> None:
        self._values: dict[bytes, dict[bytes, bytes]] = {}

    def take(self, macros: Macros) -> None:
        """Macros for the command that follows, in the place of those for such a command before."""
        if macros.command in _LATEST_FIRST:
            self._values[macros.command] = {
                name: value[:VALUE_LIMIT] for name, value in macros.values if name in KEPT
            }

    def forget_message(self, but: bytes = b"") -> None:
        """The message is over; what has been told for the command `but` belongs to the next one."""
        for command in _OF_MESSAGE:
            if command != but:
                self._values.pop(command, None)

    def of(self, name: str, commands: Iterable[bytes] = _LATEST_FIRST) -> str:
        """The value of a macro, "" where there is none."""
        key = name.encode()
        for command in commands:
            if (value := self._values.get(command, _NONE).get(key)) is not None:
                return text(value)
        return ""


def text(value: bytes, limit: int = VALUE_LIMIT) -> str:
    """Bytes of an MTA as printable text."""
    decoded = value.decode("utf-8", "replace")[:limit]
    return decoded if decoded.isprintable() else "".join(char if char.isprintable() else "?" for char in decoded)


def client_of(connect: Connect | None, helo: bytes, told: Told, *, login: str, believed: bool) -> Client:
    """The MTA's client. `login` is the account where nobody logged in, or where the MTA is not `believed` about it."""
    address = _address(text(connect.address)) if connect and connect.family in (b"4", b"6") else ""
    port = connect.port if connect else 0
    if not address:
        address, port = _address(told.of("client_addr")), _number(told.of("client_port"))
    name = text(connect.host, NAME_LIMIT) if connect else told.of("client_name")
    return Client(
        address=address,
        port=port,
        name="" if name.lower() == "unknown" or name.startswith("[") else name,
        helo=text(helo, NAME_LIMIT),
        protocol="ESMTP",
        login=(told.of("auth_authen")[:NAME_LIMIT] if believed else "") or login,
        tls=bool(told.of("tls_version")),
    )


def is_local(connect: Connect | None) -> bool:
    """True for mail that did not come by SMTP: Postfix makes up a client of this machine with port 0 for it (its
    MILTER_README, "non-SMTP"), Sendmail one without an address."""
    if connect is None:
        return False
    if connect.family in (b"U", b"L"):
        return connect.host.lower() == b"localhost" or connect.family == b"L"
    try:
        return connect.port == 0 and ipaddress.ip_address(_address(text(connect.address))).is_loopback
    except ValueError:
        return False


def refusal_by_mta(told: Told) -> Reply | None:
    """The MTA's own refusal of the recipient that it tells of (REFUSED_RECIPIENTS), None where it has taken it."""
    if told.of("rcpt_mailer", (b"R",)) != "error":
        return None
    status = told.of("rcpt_host", (b"R",))
    kind, _, rest = status.partition(".")
    known = kind in ("4", "5") and all(piece.isascii() and piece.isdecimal() for piece in rest.split("."))
    return Reply(450 if kind == "4" else 550, rest if known else "", printable(told.of("rcpt_addr", (b"R",))))


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value.removeprefix("IPv6:")))
    except ValueError:
        return ""


def _number(value: str) -> int:
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= 5 else 0
