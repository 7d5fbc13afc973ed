"""Who handed a message in: the organisation itself or somebody else."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from gateway.mail import Client, Direction, belongs

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def within(address: str, networks: Iterable[Network]) -> bool:
    """True if the address is in one of the networks; IPv4 in its IPv6 form counts as IPv4. False for no address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return any(ip in network for network in networks)


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
    if not client.address or ipaddress.ip_address(client.address).is_loopback:
        return belongs(sender, domains)
    return False
