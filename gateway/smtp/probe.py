"""Is the next hop there again? Asked by /readyz, in its own thread, of a hop that was not there at the last message."""

from __future__ import annotations

import socket

from gateway.endpoint import HostPort, UnixSocket, Upstream

WITHIN = 1.0
"""Seconds to connect: a probe of a balancer or an orchestrator waits about as long."""


def answers(upstream: Upstream) -> bool:
    """True if it accepts a connection. A maildir always does."""
    try:
        match upstream.address:
            case HostPort(host, port):
                socket.create_connection((host, port), WITHIN).close()
            case UnixSocket(path):
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.settimeout(WITHIN)
                    connection.connect(str(path))
    except OSError:
        return False
    return True
