"""What clamd says of itself, by its control commands."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import clamd

from filters._clamd.session import Address
from gateway.endpoint import UnixSocket
from gateway.errors import Unavailable

PATIENCE = 5.0
"""Seconds for one command."""


async def describe(address: Address) -> str:
    """Version, and version and age of the signatures. Raises Unavailable where clamd does not answer."""
    try:
        version = await asyncio.to_thread(_version, address)
    except (clamd.ClamdError, OSError) as error:
        raise Unavailable(f"clamd at {address}: {error}") from error
    return _with_age(version, datetime.now(UTC))


def _version(address: Address) -> str:
    if isinstance(address, UnixSocket):
        client = clamd.ClamdUnixSocket(path=str(address.path), timeout=PATIENCE)
    else:
        client = clamd.ClamdNetworkSocket(host=address.host, port=address.port, timeout=PATIENCE)
    return str(client.version())


def _with_age(version: str, now: datetime) -> str:
    """"ClamAV 1.4.3/27800/Mon Nov 24 09:26:45 2026" with the signatures' age in days."""
    program, _, rest = version.partition("/")
    number, _, made = rest.partition("/")
    try:
        age = (now - datetime.strptime(made, "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)).days
    except ValueError:
        return f"{program}, no official signatures"
    return f"{program}, signatures {number}, {age} days old"
