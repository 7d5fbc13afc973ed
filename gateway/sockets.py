"""Sockets to listen on: TCP, and unix sockets with the mode and the owner that the settings give them.

A socket is opened once and handed on: systemd or the supervisor has it, and the processes that serve it inherit it and
take connections from one queue. The other way, a socket for each worker (SO_REUSEPORT), has a queue for each: who waits
in that of a worker that ends is reset, and who is put into that of a worker that hangs waits for its death. A shared
queue loses nobody when a worker goes, and whoever is free takes the next.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

import structlog

from gateway.config import Listener, Settings
from gateway.endpoint import HostPort, UnixSocket

BACKLOG = 4096
"""Connections the kernel keeps for us while we are busy: at 300 a second, enough for the seconds of a restart. Linux
takes no more without net.core.somaxconn."""

PAGE = "page"
"""What the approvers' page's socket is called where listeners' sockets are called by their names with an "@" in front
(no listener's name has one)."""

Sockets = dict[str, socket.socket]
"""Listening sockets: a listener's by "@" and its name, the page's by PAGE."""

log = structlog.get_logger()


def name_of(listener: Listener) -> str:
    """What the listener's socket is called."""
    return f"@{listener.name}"


def open_sockets(settings: Settings, given: Sequence[tuple[str, socket.socket]] = ()) -> Sockets:
    """All sockets of the settings: those of `given`, by the listener's name or else by address, and new ones for the
    rest. Given sockets that nothing in the settings asks for are closed. Raises OSError, and then none stays open."""
    left = list(given)
    opened: Sockets = {}
    try:
        for listener in settings.listeners:
            opened[name_of(listener)] = _given(left, listener.name, listener.address) or listening(listener)
        if settings.page is not None:
            page = settings.page.address
            opened[PAGE] = _given(left, PAGE, page) or _tcp(page.host, page.port)
    except OSError:
        close(opened.values())
        raise
    finally:
        for name, unwanted in left:
            log.warning("socket not used", name=name, address=str(unwanted.getsockname()))
        close(each for _, each in left)
    return opened


def close(sockets: Iterable[socket.socket]) -> None:
    """Close them in this process; others that have them go on."""
    for each in sockets:
        each.close()


def _given(left: list[tuple[str, socket.socket]], name: str, address: HostPort | UnixSocket) -> socket.socket | None:
    """Take the one of this name out of what was given, or else the one at this address."""
    found = [each for each in left if each[0] == name] or [each for each in left if _is_at(each[1], address)]
    if not found:
        return None
    left.remove(found[0])
    found[0][1].setblocking(False)
    return found[0][1]


def _is_at(listening: socket.socket, address: HostPort | UnixSocket) -> bool:
    here = listening.getsockname()
    match address:
        case UnixSocket(path):
            return bool(here == str(path))
        case HostPort(host, port):
            return bool(here[:2] == (host, port))


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
