"""So many requests of one client, and then a few each minute."""

from __future__ import annotations

import ipaddress

BURST = 40.0
"""Requests at once: a page, its style and its answer are three."""

EACH_SECOND = 0.5
"""Requests earned back in a second."""

MOST_CLIENTS = 10_000
"""Clients remembered, about 2 MB; whoever asked longest ago is forgotten first."""

IPV6_NETWORK = 64
"""Bits of an address that are one client: a household or an office has a whole network (RFC 6177)."""


class Buckets:
    """What each client has left."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[float, float]] = {}

    def admit(self, address: str, now: float) -> bool:
        """True if this client may ask at this time, in seconds of a clock that only goes forward."""
        client = _client(address)
        left, since = self._left.pop(client, (BURST, now))
        left = min(BURST, left + (now - since) * EACH_SECOND)
        admitted = left >= 1
        self._left[client] = (left - 1 if admitted else left, now)
        if len(self._left) > MOST_CLIENTS:
            del self._left[next(iter(self._left))]
        return admitted


def _client(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, IPV6_NETWORK), strict=False))
