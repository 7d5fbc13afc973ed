"""Loopback ports that nobody uses, below the range from which the kernel takes those of outgoing connections."""

from __future__ import annotations

import random
import socket

RANGE = range(20000, 32000)


def free_port() -> int:
    """A port that can be listened on now. Whoever gets it listens at once."""
    while True:
        port = random.choice(RANGE)
        with socket.socket() as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
