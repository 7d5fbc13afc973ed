"""Sockets to listen on: TCP, and unix sockets with the mode and the owner that the settings give them."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from pathlib import Path

from gateway.config import Listener
from gateway.endpoint import HostPort, UnixSocket

BACKLOG = 1024
"""Connections the kernel keeps for us while we are busy: a burst of clients finds an open door, not a refusal."""


def listening(listener: Listener) -> socket.socket:
    """The listener's socket, bound and listening. Raises OSError, also for an owner that there is not."""
    match listener.address:
        case UnixSocket(path):
            return _unix(path, int(listener.socket_mode, 8), listener.socket_owner)
        case HostPort(host, port):
            return _tcp(host, port)


def _tcp(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        return _open(made)
    except OSError:
        made.close()
        raise


def _unix(path: Path, mode: int, owner: str) -> socket.socket:
    """Nobody but us can connect until owner and mode are right; a socket that a killed gateway left is replaced."""
    if path.is_socket():
        path.unlink()
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o777 & ~stat.S_IRUSR)
    try:
        made.bind(str(path))
    except OSError:
        made.close()
        raise
    finally:
        os.umask(before)
    try:
        if owner:
            _give(path, *owner.partition(":")[::2])
        path.chmod(mode)
        return _open(made)
    except (OSError, LookupError) as error:
        made.close()
        path.unlink(missing_ok=True)
        raise error if isinstance(error, OSError) else OSError(str(error)) from None


def _give(path: Path, user: str, group: str) -> None:
    if user:
        shutil.chown(path, user=user)
    if group:
        shutil.chown(path, group=group)


def _open(made: socket.socket) -> socket.socket:
    made.listen(BACKLOG)
    made.setblocking(False)
    return made
