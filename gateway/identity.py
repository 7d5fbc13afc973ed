"""A message's id: in the reply, the Received header, the log line and the audit record.

Eighteen letters and digits: 48 bits of milliseconds, so that ids sort by time, then 40 random bits, so that they stay
unique on every node and when the clock jumps.
"""

from __future__ import annotations

import secrets
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U to misread over the telephone


def new_id() -> str:
    """A fresh id."""
    number = int(time.time() * 1000) << 40 | secrets.randbits(40)
    return "".join([ALPHABET[number >> shift & 31] for shift in range(85, -1, -5)])
