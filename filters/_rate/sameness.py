"""What makes two messages the same: their contents without what a mass mailing changes from one to the next."""

from __future__ import annotations

import hashlib
import string

from gateway.mail import Mail
from gateway.mime.decode import decoded

PART_START = 64 * 1024
"""Bytes of a part that are looked at, with its size: two long parts that begin alike are the same."""

MOST_PARTS = 20
"""Parts that are looked at."""

SHORTEST = 40
"""Bytes of text below which messages are alike without being the same ("Received, thank you")."""

_CHANGING = "@/="
_DROPPED = (string.digits + string.punctuation).translate(dict.fromkeys(map(ord, _CHANGING))).encode() + b"\0"
_LOWER = bytes.maketrans(
    (string.ascii_uppercase + _CHANGING).encode(), string.ascii_lowercase.encode() + bytes(len(_CHANGING))
)


def digest_of(mail: Mail) -> str:
    """A digest of the content in hex, "" where there is too little of it.

    Of texts, case, white space, digits, punctuation and words with "@", "/" or "=" in them (addresses, links, tokens)
    do not count.
    """
    digest = hashlib.blake2b(digest_size=16)
    length = 0
    for part in [part for part in mail.root.walk() if not part.children][:MOST_PARTS]:
        content = decoded(mail.raw, part, PART_START)
        if part.media_type.startswith("text/"):
            content = _text(content)
            length += len(content)
        elif content:
            length += SHORTEST
            content += b"%d" % part.size
        digest.update(hashlib.blake2b(content, digest_size=16).digest())
    return digest.hexdigest() if length >= SHORTEST else ""


def _text(content: bytes) -> bytes:
    words = content.translate(_LOWER, _DROPPED).split()
    return b"".join([word for word in words if b"\0" not in word])
