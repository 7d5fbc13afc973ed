"""The mark on our notices, which only we can make: by it a notice that comes back is known, and nothing else is.

A mark that everybody could write would let a stranger keep his mail from being told of.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from datetime import datetime, timedelta
from pathlib import Path

from gateway.notices.original import Original

KEY_SIZE = 32
"""Bytes of the key. RFC 2104 section 3: at least as many as the hash has."""

LIFETIME = timedelta(days=7)
"""How old a mark may be. Queues give up after five days (Postfix: maximal_queue_lifetime)."""

LENGTH_LIMIT = 200
"""Characters of a mark that are looked at; ours have about 125."""


def mark(key: bytes, id: str, to: str, moment: datetime) -> str:
    """The value of the field `original.MARKER` for a notice to this address."""
    seconds = int(moment.timestamp())
    return f"{id}; t={seconds}; mac={_mac(key, id, to, str(seconds))}"


def is_own(original: Original, key: bytes) -> bool:
    """True if the message is a notice of ours on its way: the mark is right, young, and for this one recipient."""
    pieces = original.marker.split("; ") if len(original.marker) <= LENGTH_LIMIT else []
    if original.sender or len(original.recipients) != 1 or len(pieces) != 3:
        return False
    id, seconds, mac = pieces[0], pieces[1].removeprefix("t="), pieces[2].removeprefix("mac=")
    if not (seconds.isascii() and seconds.isdigit() and mac.isascii() and len(seconds) < 12):
        return False
    if not hmac.compare_digest(mac, _mac(key, id, original.recipients[0], seconds)):
        return False
    return abs(original.received.timestamp() - int(seconds)) <= LIFETIME.total_seconds()


def read_key(path: Path) -> bytes:
    """The key in that file, which is made where it is missing. Raises OSError, and ValueError for a damaged file."""
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = _new_key(path)
    if len(key) != KEY_SIZE:
        raise ValueError(f"{path} does not hold a key of {KEY_SIZE} bytes")
    return key


def _new_key(path: Path) -> bytes:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(secrets.token_bytes(KEY_SIZE))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # fails where another process was faster: its key is the key
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_bytes()


def _mac(key: bytes, id: str, to: str, seconds: str) -> str:
    return hmac.new(key, repr((id, to.lower(), seconds)).encode(), hashlib.sha256).hexdigest()
