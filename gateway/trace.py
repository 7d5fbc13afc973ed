"""The header fields that every relayed message gets on top, and what earlier ones say (RFC 5321 section 4.4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime

from gateway.mail import Client, Part, Transaction

SOFTWARE = "Mailwarden"

BYPASS = "X-Mailwarden-Bypass"
"""The field of mail that passed while something of the policy was suspended. What others write there is taken out."""

OWN_PASSES = 3
"""How often one message may pass this very gateway: in, and out again after a forward; a third time is a loop."""

_UNSAFE = re.compile(r"[^A-Za-z0-9.:_\[\]@/+-]")
_AUTHENTICATED = re.compile(r"\(Authenticated sender:\s*([^\s()<>]{1,255})\)", re.IGNORECASE)


def received(transaction: Transaction, hostname: str) -> bytes:
    """The Received field for a message this gateway passes on. Foreign names are reduced to harmless characters."""
    client = transaction.client
    name = _UNSAFE.sub("?", client.name[:255]) or "unknown"
    address = f"IPv6:{client.address}" if ":" in client.address else client.address or "unknown"
    return (
        f"Received: from {_UNSAFE.sub('?', client.helo[:255]) or 'unknown'} ({name} [{address}])\r\n"
        f"\tby {hostname} ({SOFTWARE}) with {_protocol(client, transaction.envelope.parameters)}"
        f" id {transaction.id};\r\n"
        f"\t{_date(transaction.received)}\r\n"
    ).encode("ascii", "replace")


def decision(policy: str, action: str) -> bytes:
    """The field that tells which policy let the message pass and how."""
    return f"X-Mailwarden: action={action}; policy={policy}\r\n".encode("ascii")


def bypassed(names: Sequence[str]) -> bytes:
    """The field that tells what was suspended when the message passed; nothing where nothing was."""
    folded = ",\r\n\t".join(names)  # a line for each: RFC 5322 section 2.1.1
    return f"{BYPASS}: {folded}\r\n".encode("ascii") if names else b""


def claims_bypass(root: Part) -> bool:
    """True if the message came with such a field."""
    return any(header.name.lower() == BYPASS.lower() for header in root.headers)


def hops(root: Part) -> int:
    """How many servers have passed the message on (RFC 5321 section 6.3)."""
    return sum(header.name.lower() == "received" for header in root.headers)


def own_passes(root: Part, hostname: str) -> int:
    """How many of them were this gateway."""
    mark = f"by {hostname} ({SOFTWARE})"
    return sum(header.name.lower() == "received" and mark in header.value for header in root.headers)


def authenticated_user(root: Part) -> str:
    """The login that the topmost Received field names as Postfix writes it (smtpd_sasl_authenticated_header), or ""."""
    match = _AUTHENTICATED.search(root.header("Received") or "")
    return match[1] if match else ""


def _protocol(client: Client, parameters: tuple[str, ...]) -> str:
    """The "with" word (RFC 3848; RFC 6531 section 4.3)."""
    if not client.protocol.upper().startswith("E"):
        return "SMTP"
    utf8 = "UTF8SMTP" if "SMTPUTF8" in (item.upper() for item in parameters) else "ESMTP"
    return utf8 + "S" * client.tls + "A" * bool(client.login)


def _date(moment: datetime) -> str:
    return format_datetime(moment)
