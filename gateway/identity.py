"""A message's id: in the reply, the Received header, the log line and the audit record.

Eighteen letters and digits: 48 bits of milliseconds, so that ids sort by time, then 40 random bits, so that they stay
unique on every node and when the clock jumps. An id is no secret.
"""

from __future__ import annotations

import os
import random
import secrets
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U to misread over the telephone

SEED_BITS = 256

# Not the system's generator for each id: its call gives other threads the turn, which costs more than the message.
_generator = random.Random(secrets.randbits(SEED_BITS))  # noqa: S311
os.register_at_fork(after_in_child=lambda: _generator.seed(secrets.randbits(SEED_BITS)))


def new_id() -> str:
    """A fresh id."""
    number = int(time.time() * 1000) << 40 | _generator.getrandbits(40)
    return "".join([ALPHABET[number >> shift & 31] for shift in range(85, -1, -5)])
