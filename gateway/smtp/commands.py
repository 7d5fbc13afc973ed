"""What we say to the next hop: envelope and client -> command lines. Pure; every command passes through `encode`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Literal

from gateway.errors import Refused
from gateway.mail import Client, Envelope, Recipient, Transaction
from gateway.reply import BAD_ADDRESS, HOP_REFUSES_UTF8, NEEDS_UTF8

Charset = Literal["ascii", "utf-8"]
Offers = Mapping[str, tuple[str, ...]]
"""What a hop's EHLO offered: keyword in upper case -> its parameters."""

COMMAND_LIMIT = 2048
"""Octets of a command. RFC 5321 section 4.5.3.1.4 has 512, DSN, AUTH and SMTPUTF8 add to it; Postfix reads 2048."""

XFORWARD_LIMIT = 512
"""Octets of an XFORWARD command (Postfix XFORWARD_README); longer lists go in several."""

XFORWARD_VALUE_LIMIT = 255
"""Octets of an attribute's value (Postfix XFORWARD_README)."""

_UNAVAILABLE = "[UNAVAILABLE]"  # XFORWARD_README: the value is not known

_CONTROL = re.compile("[\x00-\x1f\x7f]")

# RFC 5321 section 4.1.2: blanks and angle brackets stand in quoted strings only; elsewhere they would end the path and
# make the rest a parameter.
_PATH = re.compile(r'(?:[^\s<>"\\]|"(?:[^"\\]|\\.)*+")*+')

# The extension that lets a parameter of MAIL or RCPT be sent: RFC 1870, 6152, 6531, 3461 section 4, 4954 section 5.
_NEEDED = {
    "SIZE": "SIZE",
    "BODY": "8BITMIME",
    "SMTPUTF8": "SMTPUTF8",
    "AUTH": "AUTH",
    "RET": "DSN",
    "ENVID": "DSN",
    "NOTIFY": "DSN",
    "ORCPT": "DSN",
}


def encode(line: str, charset: Charset = "ascii") -> bytes:
    """The one way onto the wire for a command. Raises ValueError for controls, wrong characters and excess length.

    A CR or LF in an address would be a command of the sender's making.
    """
    if _CONTROL.search(line):
        raise ValueError(f"control character in command: {line[:80]!r}")
    data = line.encode(charset) + b"\r\n"
    if len(data) > COMMAND_LIMIT:
        raise ValueError(f"command of {len(data)} octets")
    return data


def mail(envelope: Envelope, offers: Offers) -> bytes:
    """MAIL with the parameters that the hop understands. Raises Refused where the hop cannot be asked."""
    charset = charset_of(envelope)
    if charset == "utf-8" and "SMTPUTF8" not in offers:
        raise Refused(HOP_REFUSES_UTF8)
    return _path_command("MAIL FROM:", envelope.sender, envelope.parameters, offers, charset)


def rcpt(recipient: Recipient, offers: Offers, charset: Charset) -> bytes:
    """RCPT with the parameters that the hop understands. Raises Refused for an address that cannot be sent."""
    return _path_command("RCPT TO:", recipient.address, recipient.parameters, offers, charset)


def charset_of(envelope: Envelope) -> Charset:
    """The charset of the transaction's addresses: UTF-8 only if its MAIL asked for it (RFC 6531 section 3.4)."""
    return "utf-8" if any(parameter.upper() == "SMTPUTF8" for parameter in envelope.parameters) else "ascii"


def _path_command(verb: str, address: str, parameters: Sequence[str], offers: Offers, charset: Charset) -> bytes:
    kept = [parameter for parameter in parameters if _NEEDED.get(parameter.partition("=")[0].upper()) in offers]
    if charset == "ascii" and not address.isascii():
        raise Refused(NEEDS_UTF8)
    if not _PATH.fullmatch(address) or any(" " in parameter for parameter in kept):
        raise Refused(BAD_ADDRESS)
    try:
        return encode(" ".join([f"{verb}<{address}>", *kept]), charset)
    except ValueError:
        raise Refused(BAD_ADDRESS) from None


def xforward(transaction: Transaction, offers: Offers) -> list[bytes]:
    """XFORWARD commands with the attributes that the hop takes (Postfix XFORWARD_README); none if it takes none."""
    wanted = [attribute.upper() for attribute in offers.get("XFORWARD", ())]
    if not wanted:
        return []
    values = _attributes(transaction.client, transaction.id)
    lines: list[str] = []
    for name in wanted:
        if name not in values:
            continue
        word = f" {name}={_xtext(values[name])}"
        if lines and len(lines[-1]) + len(word) + 2 <= XFORWARD_LIMIT:
            lines[-1] += word
        else:
            lines.append(f"XFORWARD{word}")
    return [encode(line) for line in lines]


def _attributes(client: Client, ident: str) -> dict[str, str]:
    address, local = client.address, not client.address
    try:
        parsed = ipaddress.ip_address(client.address)
    except ValueError:
        pass
    else:
        address = f"IPV6:{parsed}" if parsed.version == 6 else str(parsed)
        local = parsed.is_loopback
    return {
        "NAME": client.name,
        "ADDR": address,
        "PORT": str(client.port) if client.port else "",
        "PROTO": client.protocol,
        "HELO": client.helo,
        "IDENT": ident,
        # LOCAL lets the hop complete headers; Postfix itself does so for its own host only
        # (local_header_rewrite_clients = permit_inet_interfaces).
        "SOURCE": "LOCAL" if local else "REMOTE",
    }


def _xtext(value: str) -> str:
    """RFC 3461 section 4, cut to what an attribute may hold."""
    if not value:
        return _UNAVAILABLE
    text = ""
    for octet in value.encode("utf-8", "replace"):
        char = chr(octet) if 33 <= octet <= 126 and octet not in b"+=" else f"+{octet:02X}"
        if len(text) + len(char) > XFORWARD_VALUE_LIMIT:
            break
        text += char
    return text
