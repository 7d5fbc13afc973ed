"""Opens the listeners and closes them: sockets in, sessions out."""

from __future__ import annotations

import asyncio
import socket
import ssl

from gateway.config import Tls
from gateway.endpoint import UnixSocket
from gateway.smtp.door import Door
from gateway.smtp.service import Service
from gateway.smtp.session import Session

BACKLOG = 1024
"""Connections the kernel keeps for us while we are busy: a burst of clients finds an open door, not a refusal."""


async def listen(service: Service, door: Door) -> asyncio.Server:
    """Open one listener. Raises OSError where its address cannot be had."""
    loop = asyncio.get_running_loop()

    def factory() -> Session:
        return Session(service, door)

    address = service.listener.address
    if isinstance(address, UnixSocket):
        address.path.unlink(missing_ok=True)  # what a gateway that was killed left behind
        return await loop.create_unix_server(factory, str(address.path), backlog=BACKLOG)
    return await loop.create_server(factory, sock=_bound(address.host, address.port))


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


def tls_context(tls: Tls) -> ssl.SSLContext:
    """The context of a listener that offers STARTTLS. Raises OSError or ssl.SSLError for files that do not serve."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.certificate, tls.key)
    return context
