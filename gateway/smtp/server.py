"""Opens the listeners and closes them: sockets in, sessions out."""

from __future__ import annotations

import asyncio
import ssl

from gateway.config import Tls
from gateway.smtp.door import Door
from gateway.smtp.service import Service
from gateway.smtp.session import Session
from gateway.sockets import listening


async def listen(service: Service, door: Door) -> asyncio.Server:
    """Open one listener. Raises OSError where its address cannot be had."""
    loop = asyncio.get_running_loop()

    def factory() -> Session:
        return Session(service, door)

    return await loop.create_server(factory, sock=listening(service.listener))


def tls_context(tls: Tls) -> ssl.SSLContext:
    """The context of a listener that offers STARTTLS. Raises OSError or ssl.SSLError for files that do not serve."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.certificate, tls.key)
    return context
