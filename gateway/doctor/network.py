"""Who answers whom: the next hops, the resolver, and our own addresses."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path

import dns.asyncresolver
import dns.exception
import dns.resolver

from gateway.config import Listener, Settings, TlsLevel
from gateway.doctor.model import Line, Patient, fail, ok, warn
from gateway.endpoint import HostPort, UnixSocket, Upstream, UpstreamKind
from gateway.errors import HopError
from gateway.smtp.connection import connect, tls_context
from gateway.smtp.hop import HopSettings

WITHIN = 5.0
"""Seconds for one answer of another machine."""

GREETING = 512
"""Octets of a greeting that are read (RFC 5321 section 4.5.3.1.5)."""


async def next_hops(patient: Patient) -> AsyncIterator[Line]:
    """Each next hop once: whether it is there, and what it offers."""
    seen = set()
    for listener in patient.settings.listeners:
        if listener.upstream is not None and (key := (listener.upstream, listener.upstream_tls)) not in seen:
            seen.add(key)
            for line in await _hop(patient.settings, listener, listener.upstream):
                yield line


async def _hop(settings: Settings, listener: Listener, upstream: Upstream) -> list[Line]:
    about = f"next hop {upstream}"
    match upstream.address:
        case HostPort(host, port):
            address: tuple[str, int] | str = (host, port)
        case UnixSocket(path):
            address = str(path)
        case None:
            return [_maildir(about, upstream.path or Path())]
    hop = HopSettings(
        address=address,
        protocol="lmtp" if upstream.kind is UpstreamKind.LMTP else "smtp",
        tls=listener.upstream_tls.value,
        ca=str(listener.upstream_ca or ""),
        helo=settings.hostname,
        connect_timeout=WITHIN,
        reply_timeout=WITHIN,
    )
    try:
        connection = await connect(hop, tls_context(hop))
    except (HopError, OSError) as error:
        return [fail(about, str(error), "start the server there, or correct `upstream`: until then mail is deferred")]
    offers = connection.offers
    connection.close()
    lacking = list(_offers(about, offers, settings, listener, upstream))
    return lacking or [ok(about, f"offers {' '.join(sorted(offers))}")]


def _maildir(about: str, path: Path) -> Line:
    there = next(each for each in (path, *path.parents) if each.exists())
    if os.access(there, os.W_OK | os.X_OK):
        return ok(about, "a folder that can be written")
    return fail(about, f"{there} cannot be written", "give it to the service's user")


def _offers(
    about: str, offers: Mapping[str, tuple[str, ...]], settings: Settings, listener: Listener, upstream: Upstream
) -> Iterator[Line]:
    """What a hop lacks."""
    ours, size = settings.limits.message_size, "".join(offers.get("SIZE", ()))
    if size.isdigit() and 0 < int(size) < ours:  # 0: no fixed limit (RFC 1870 section 4)
        advice = f"raise its limit (message_size_limit) above {ours}, or lower limits.message_size"
        yield warn(about, f"takes {int(size):,} octets, we {ours:,}", advice)
    if "8BITMIME" not in offers:
        yield warn(about, "does not offer 8BITMIME", "mail with letters beyond ASCII is refused: let it offer this")
    if "SMTPUTF8" not in offers:
        yield warn(about, "does not offer SMTPUTF8", "addresses with letters beyond ASCII are refused (553 5.6.7)")
    if listener.upstream_tls is TlsLevel.OFF and "STARTTLS" in offers and _is_far(upstream):
        yield warn(about, "mail crosses the network in the clear", "set `upstream_tls: may`, better `require`")


def _is_far(upstream: Upstream) -> bool:
    try:
        return isinstance(upstream.address, HostPort) and not ip_address(upstream.address.host).is_loopback
    except ValueError:
        return True


async def resolver(patient: Patient) -> AsyncIterator[Line]:
    """Whether names can be looked up: the MX of one of our own domains."""
    name = min(patient.policy.organisation.domains, default=patient.settings.hostname)
    advice = "correct /etc/resolv.conf: without DNS, SPF, DKIM, DMARC and DNS lists cannot look"
    try:
        found = await dns.asyncresolver.Resolver().resolve(name, "MX", lifetime=WITHIN)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        yield ok("DNS", f"answers; {name} has no MX")
    except (dns.exception.DNSException, OSError) as error:
        yield warn("DNS", str(error) or type(error).__name__, advice)
    else:
        yield ok("DNS", f"{name} is served by {', '.join(sorted(str(each.exchange) for each in found))}")


async def listeners(patient: Patient) -> AsyncIterator[Line]:
    """Each address of ours: free, ours already, or somebody else's."""
    for listener in patient.settings.listeners:
        if isinstance(listener.address, HostPort):
            yield await _address(f"listener {listener.name}", listener.address, _greeting(patient.settings, listener))
        else:
            yield _socket(f"listener {listener.name}", listener.address)
    if patient.settings.metrics is not None:
        yield await _address("metrics", patient.settings.metrics, b"")


def _greeting(settings: Settings, listener: Listener) -> bytes:
    """How ours begins, b"" where nothing is said first."""
    speaks = listener.smtp is not None and not listener.proxy_protocol
    return f"220 {settings.hostname} ".encode() if speaks else b""


async def _address(about: str, address: HostPort, greeting: bytes) -> Line:
    try:
        async with asyncio.timeout(WITHIN):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            try:
                heard = await reader.readuntil(b"\n") if greeting else b""
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        return await asyncio.to_thread(_free, about, address)
    if heard.startswith(greeting):
        return ok(about, f"{address} answers" + (": ours" if greeting else ""))
    said = heard[:GREETING].decode("ascii", "replace").strip()
    return fail(about, f"{address} is another program's: {said!r}", "stop it, or choose another port")


def _free(about: str, address: HostPort) -> Line:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        with socket.socket(family) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((address.host, address.port))
    except OSError as error:
        advice = "another program may have it, or this machine has no such address, or the user may not (below 1024)"
        return fail(about, f"{address}: {error.strerror or error}", advice)
    return ok(about, f"{address} is free: the service does not run")


def _socket(about: str, address: UnixSocket) -> Line:
    folder = address.path.parent
    if os.access(folder, os.W_OK | os.X_OK):
        return ok(about, f"{address} can be made")
    return fail(about, f"{folder} cannot be written", "make the folder, and give it to the service's user")
