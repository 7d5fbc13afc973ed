"""Walking through a message in windows: a search over all of it would hold up every other message.

`bytes.find` keeps the interpreter to itself until it returns, and `mmap.find` looks at one byte at a time, so both are
given windows, which are searched in well under a millisecond each.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.mail import Raw

WINDOW = 256 * 1024
"""Bytes looked at in one step: 0.1 to 0.3 ms of search or decoding; it is also what stays in the processor's cache."""


NEAR, HOPS = 4 * 1024, 20
"""Bytes searched as they are, and then the bytes like the second of what is searched that are looked at one by one."""


def windows(raw: Raw, start: int, stop: int, size: int = WINDOW) -> Iterator[bytes]:
    """The bytes from `start` to `stop` in pieces of `size`."""
    for at in range(start, stop, size):
        yield raw[at : min(at + size, stop)]


def occurrences(raw: Raw, needle: bytes, start: int, stop: int) -> Iterator[int]:
    """Where `needle` lies between `start` and `stop`, in order."""
    overlap, second = len(needle) - 1, needle[1:2]
    for at in range(start, stop, WINDOW):
        window = raw[at : min(at + WINDOW + overlap, stop)]
        if second not in window:  # memchr's work: a hundred times as fast, and base64 has no hyphen of a boundary
            continue
        found = _find(window, needle, second, 0)
        while found >= 0:
            yield at + found
            found = _find(window, needle, second, found + 1)


def _find(window: bytes, needle: bytes, second: bytes, start: int) -> int:
    """`window.find(needle, start)`, further on by way of its second byte: a hop passes over a whole file in base64."""
    found = window.find(needle, start, start + NEAR)
    if found >= 0 or len(window) <= start + NEAR:
        return found
    at = start + NEAR - len(needle) + 1
    for _ in range(HOPS):
        at = window.find(second, at + 1)
        if at < 0:
            return -1
        if window.startswith(needle, at - 1):
            return at - 1
    return window.find(needle, at - 1)


def line_starts(raw: Raw, mark: bytes, start: int, stop: int) -> Iterator[int]:
    """Where a line begins with `mark` between `start`, which begins a line, and `stop`."""
    if raw[start : start + len(mark)] == mark:
        yield start
    for at in occurrences(raw, b"\n" + mark, start, stop):
        yield at + 1


def line_windows(raw: Raw, start: int, stop: int) -> Iterator[bytes]:
    """The bytes from `start` to `stop` in pieces that end where a line does, unless a line is longer than a window."""
    while start < stop:
        window = raw[start : min(start + WINDOW, stop)]
        cut = len(window) if start + WINDOW >= stop else window.rfind(b"\n") + 1 or len(window)
        yield window[:cut]
        start += cut


def blank(raw: Raw, start: int, stop: int) -> bool:
    """True if there is nothing but white space between `start` and `stop`."""
    if stop - start <= WINDOW:
        return raw[start:stop].isspace() or stop <= start
    return all(window.isspace() for window in windows(raw, start, stop))
