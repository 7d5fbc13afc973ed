"""Who handed a message in, and so where it goes."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from gateway.mail import Client, Direction, belongs, direction_of
from gateway.origin import handed_in_inside, within

DOMAINS = frozenset({"example.gov.vn"})
NETWORKS = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))

ORIGINS = {
    "a client of our networks": (Client(address="10.1.2.3"), "x@elsewhere.org", None, True),
    "the same in IPv6 form": (Client(address="::ffff:10.1.2.3"), "x@elsewhere.org", None, True),
    "an IPv6 client of ours": (Client(address="2001:db8::5"), "", None, True),
    "a login from anywhere": (Client(address="203.0.113.1", login="an"), "an@example.gov.vn", None, True),
    "a stranger with our domain is outside": (Client(address="203.0.113.1"), "an@example.gov.vn", None, False),
    "this machine with our domain": (Client(address="127.0.0.1"), "an@example.gov.vn", None, True),
    "this machine with another domain": (Client(address="::1"), "an@example.org", None, False),
    "nobody known, our subdomain": (Client(), "an@so.example.gov.vn", None, True),
    "an outbound listener": (Client(address="203.0.113.1"), "x@y.org", Direction.OUTBOUND, True),
    "an inbound listener": (Client(address="10.1.2.3"), "an@example.gov.vn", Direction.INBOUND, False),
}

DIRECTIONS = {
    "from outside": (False, "an@example.gov.vn", Direction.INBOUND),
    "from outside to outside is still coming in": (False, "an@example.org", Direction.INBOUND),
    "between ourselves": (True, "an@so.Example.gov.vn.", Direction.INTERNAL),
    "to a bare name": (True, "postmaster", Direction.INTERNAL),
    "out": (True, "an@example.org", Direction.OUTBOUND),
    "to a name that only ends like ours": (True, "an@notexample.gov.vn", Direction.OUTBOUND),
}


@pytest.mark.parametrize(("client", "sender", "role", "inside"), ORIGINS.values(), ids=ORIGINS)
def test_origin(client: Client, sender: str, role: Direction | None, inside: bool) -> None:
    found = handed_in_inside(client, sender, listener_direction=role, domains=DOMAINS, networks=NETWORKS)
    assert found is inside


@pytest.mark.parametrize(("inside", "recipient", "direction"), DIRECTIONS.values(), ids=DIRECTIONS)
def test_direction(inside: bool, recipient: str, direction: Direction) -> None:
    assert direction_of(inside, recipient, DOMAINS) is direction


def test_no_address_is_in_no_network() -> None:
    assert not within("", NETWORKS)
    assert not within("not an address", NETWORKS)


def test_a_parent_domain_does_not_belong() -> None:
    assert not belongs("an@gov.vn", DOMAINS)
