"""Names: in the form in which they are compared, and who registered them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dns.names import (
    as_address,
    as_domain,
    backwards,
    is_name,
    organisation,
    public_suffix,
    reverse_name,
    within,
)

DOMAINS = {
    "capitals and the root's dot": ("Mail.Example.ORG.", "mail.example.org"),
    "letters of Vietnamese": ("thư.vn", "xn--th-e0a.vn"),
    "an underscore, which hosts have not and names may": ("_dmarc.example.org", "_dmarc.example.org"),
    "one label": ("localhost", ""),
    "an address": ("192.0.2.1", ""),
    "an address in brackets": ("[192.0.2.1]", ""),
    "an empty label": ("a..example.org", ""),
    "a label of 64": ("a" * 64 + ".example.org", ""),
    "too long in all": (".".join(["a" * 60] * 5), ""),
    "white space": ("exa mple.org", ""),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("text", "domain"), DOMAINS.values(), ids=DOMAINS)
def test_as_domain(text: str, domain: str) -> None:
    assert as_domain(text) == domain


@given(st.text(max_size=300))
def test_any_text_is_a_domain_or_none(text: str) -> None:
    domain = as_domain(text)
    assert domain == "" or (is_name(domain) and as_domain(domain) == domain and organisation(domain))


ORGANISATIONS = {
    "below a plain suffix": ("mail.example.org", "example.org", "org"),
    "below gov.vn, which is one": ("mail.sotaichinh.gialai.gov.vn", "gialai.gov.vn", "gov.vn"),
    "a suffix itself": ("gov.vn", "gov.vn", ""),
    "a private registry": ("alice.github.io", "alice.github.io", "github.io"),
    "a province of vn, in which others register": ("shop.hanoi.vn", "shop.hanoi.vn", "hanoi.vn"),
}


@pytest.mark.parametrize(("domain", "owner", "suffix"), ORGANISATIONS.values(), ids=ORGANISATIONS)
def test_who_registered_it(domain: str, owner: str, suffix: str) -> None:
    assert (organisation(domain), public_suffix(domain)) == (owner, suffix)


def test_within() -> None:
    domains = frozenset({"gov.vn"})
    assert within("a.gov.vn", domains)
    assert within("gov.vn", domains)
    assert not within("gov.vn.example.org", domains)
    assert not within("", domains)


def test_addresses() -> None:
    assert str(as_address("::ffff:192.0.2.1")) == "192.0.2.1"
    assert as_address("example.org") is None
    four, six = as_address("192.0.2.99"), as_address("2001:db8::1")
    assert four is not None
    assert six is not None
    assert backwards(four) == "99.2.0.192"  # RFC 5782 section 2.1
    assert reverse_name(four) == "99.2.0.192.in-addr.arpa"
    assert reverse_name(six) == f"1{'.0' * 23}.8.b.d.0.1.0.0.2.ip6.arpa"
