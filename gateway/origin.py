"""Who handed a message in: the organisation itself or somebody else."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from gateway.mail import Client, Direction, belongs

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def within(address: str, networks: Iterable[Network]) -> bool:
    """True if the address is in one of the networks; IPv4 in its IPv6 form counts as IPv4. False for no address."""
    ip = _ip(address)
    return ip is not None and any(ip in network for network in networks)


def network_of(address: str, prefix: int, prefix_of_v6: int) -> str:
    """The network of this size that the address is in, "" for no address; IPv4 in its IPv6 form counts as IPv4."""
    ip = _ip(address)
    if ip is None:
        return ""
    return str(ipaddress.ip_network((ip, prefix if ip.version == 4 else prefix_of_v6), strict=False))


@lru_cache(maxsize=4096)
def _ip(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read once for all messages of a client: it is asked about several times for each."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip


def handed_in_inside(
    client: Client,
    sender: str,
    *,
    listener_direction: Direction | None,
    domains: frozenset[str],
    networks: Iterable[Network],
) -> bool:
    """True if the message comes from the organisation: told by the listener, a login, or the client's network.

    Where nothing is known of the client but that it is this machine, the sender's domain decides: mail that a relay
    hands on without XFORWARD, and samples on a loopback address.
    """
    if listener_direction is not None:
        return listener_direction is not Direction.INBOUND
    if client.login or within(client.address, networks):
        return True
    ip = _ip(client.address)
    return (ip is None or ip.is_loopback) and belongs(sender, domains)
