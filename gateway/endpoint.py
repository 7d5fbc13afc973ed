"""Where we listen and where mail goes on to, as the settings write it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from pathlib import Path
from typing import Any, ClassVar

from gateway.schema.nodes import Node, ScalarNode
from gateway.schema.reader import Invalid, Reader

SMTP_PORT = 25  # RFC 5321 section 4.5.4.2
LMTP_PORT = 24  # the port IANA lists for LMTP; RFC 2033 section 5 forbids 25

_NAME_LIMIT = 253  # RFC 1035 section 2.3.4, without the root's dot
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PORT = "[0-9]{1,5}"


def is_host_name(text: str) -> bool:
    """True for a host name of letters, digits and hyphens (RFC 1123 section 2.1), not all of it a number."""
    labels = text.split(".")
    return (
        len(text) <= _NAME_LIMIT
        and all(re.fullmatch(_LABEL, label, re.ASCII) for label in labels)
        and not labels[-1].isdigit()
    )


@dataclass(frozen=True, slots=True)
class HostPort:
    """A host and a port of TCP: `127.0.0.1:25`, `[::1]:25`, `mail.example.org:25`. Port 0 is any free one."""

    host: str
    port: int

    NODES: ClassVar = (ScalarNode,)
    EXPECTED: ClassVar = 'host and port such as "127.0.0.1:25" or "[::1]:25"'

    @classmethod
    def parse(cls, text: str) -> HostPort:
        """Reads the text; an `inet:` in front, as Postfix writes it, is taken too. Raises ValueError."""
        found = re.fullmatch(rf"(?:inet:)?(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+)):({_PORT})", text, re.ASCII)
        if not found or int(found[3]) > 65535:
            raise ValueError(f"{text!r} is not {cls.EXPECTED}")
        if not (_is_ipv6(found[1]) if found[1] else _is_ipv4(found[2]) or is_host_name(found[2])):
            raise ValueError(f"{text!r} is not {cls.EXPECTED}")
        return cls(found[1] or found[2], int(found[3]))

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> HostPort | Invalid:
        """For the reader."""
        text = reader.read(node, str)
        try:
            return text if isinstance(text, Invalid) else cls.parse(text)
        except ValueError:
            return reader.wrong(node, cls.EXPECTED)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """For editors."""
        return {"type": "string", "pattern": rf"^(inet:)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):{_PORT}$"}

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixSocket:
    """A unix socket: `unix:/run/mailwarden/milter.sock`. A relative path starts at the folder of the settings file."""

    path: Path

    NODES: ClassVar = (ScalarNode,)
    EXPECTED: ClassVar = '"unix:PATH"'

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> UnixSocket | Invalid:
        """For the reader."""
        text = reader.read(node, str)
        if isinstance(text, Invalid):
            return text
        path = text.removeprefix("unix:")
        return cls(reader.relative(Path(path))) if path and path != text else reader.wrong(node, cls.EXPECTED)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """For editors."""
        return {"type": "string", "pattern": "^unix:."}

    def __str__(self) -> str:
        return f"unix:{self.path}"


class UpstreamKind(StrEnum):
    """How mail is handed on."""

    SMTP = "smtp"
    LMTP = "lmtp"
    MAILDIR = "maildir"


@dataclass(frozen=True, slots=True)
class Upstream:
    """The next hop.

    Written `smtp://HOST:PORT`, `lmtp://HOST:PORT`, `lmtp+unix:///PATH` (or `lmtp://unix:/PATH`), `maildir:PATH`.
    `address` is where it listens; for a maildir it is None and `path` the folder. A port left out is 25 for SMTP and
    24 for LMTP.
    """

    kind: UpstreamKind
    address: HostPort | UnixSocket | None = None
    path: Path | None = None

    NODES: ClassVar = (ScalarNode,)
    EXPECTED: ClassVar = 'one of "smtp://HOST:PORT", "lmtp://HOST:PORT", "lmtp+unix:///PATH", "maildir:PATH"'

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> Upstream | Invalid:
        """For the reader."""
        text = reader.read(node, str)
        if isinstance(text, Invalid):
            return text
        if path := _after(text, "maildir:"):
            return cls(UpstreamKind.MAILDIR, path=reader.relative(Path(path)))
        if path := _after(text, "lmtp+unix://") or _after(text, "lmtp://unix:"):
            return cls(UpstreamKind.LMTP, UnixSocket(reader.relative(Path(path))))
        kind, scheme, host = text.removesuffix("/").partition("://")
        if not scheme or kind not in (UpstreamKind.SMTP, UpstreamKind.LMTP):
            return reader.wrong(node, cls.EXPECTED)
        port = SMTP_PORT if kind == UpstreamKind.SMTP else LMTP_PORT
        try:
            address = HostPort.parse(host if re.search(rf":{_PORT}$", host) else f"{host}:{port}")
        except ValueError:
            return reader.wrong(node, cls.EXPECTED)
        return cls(UpstreamKind(kind), address) if address.port else reader.wrong(node, cls.EXPECTED)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """For editors."""
        return {"type": "string", "pattern": r"^((smtp|lmtp)://.|lmtp\+unix://.|maildir:.)"}

    def __str__(self) -> str:
        match self.address:
            case None:
                return f"maildir:{self.path}"
            case UnixSocket(path=path):
                return f"lmtp+unix://{path}"
            case address:
                return f"{self.kind}://{address}"


def _after(text: str, prefix: str) -> str:
    return text.removeprefix(prefix) if text.startswith(prefix) else ""


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True
