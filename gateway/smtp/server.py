"""Opens the listeners: sockets in, sessions out."""

from __future__ import annotations

import socket
import ssl
from functools import partial

from gateway.config import Tls
from gateway.entrance import Entrance
from gateway.reply import TOO_BUSY
from gateway.smtp.door import Door
from gateway.smtp.service import Service
from gateway.smtp.session import Session


def listen(service: Service, door: Door, listening: socket.socket) -> Entrance:
    """Let in who connects to the socket; those who are too many hear 421."""

    def refuse(taken: socket.socket) -> None:
        door.too_many()
        taken.send(TOO_BUSY.encode())

    return Entrance(listening, partial(Session, service, door), door.intake, refuse)


def tls_context(tls: Tls) -> ssl.SSLContext:
    """The context of a listener that offers STARTTLS. Raises OSError or ssl.SSLError for files that do not serve."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.certificate, tls.key)
    return context
