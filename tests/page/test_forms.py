"""Forms, tokens and what each client may ask."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.custody.approvals import Want
from gateway.page.bucket import BURST, EACH_SECOND, MOST_CLIENTS, Buckets
from gateway.page.forms import FORM_WITHIN, Form, read_form, token_for, token_holds

KEY = b"k" * 32


def test_a_form_is_read() -> None:
    body = b"want=reject&comment=Sai+%C4%91%E1%BB%8Ba+ch%E1%BB%89%0D%0Ahai+&to=&token=1.a"
    assert read_form(body) == Form(Want.REJECT, "Sai địa chỉ\nhai", "", "1.a")


@given(st.binary(max_size=200))
def test_any_body_is_a_form_or_none(body: bytes) -> None:
    read_form(body)
    read_form(b"want=approve&" + body)


@given(st.text(max_size=200))
def test_only_our_tokens_hold(token: str) -> None:
    assert not token_holds(token, KEY, "code", 1_000)


def test_a_token_holds_for_its_code_until_it_is_too_old() -> None:
    token = token_for(KEY, "code", 1_000)
    assert token_holds(token, KEY, "code", 1_000)
    assert token_holds(token, KEY, "code", 1_000 + FORM_WITHIN)
    assert not token_holds(token, KEY, "code", 1_001 + FORM_WITHIN)
    assert not token_holds(token, KEY, "other", 1_000)
    assert not token_holds(token, b"other", "code", 1_000)


def test_a_client_earns_requests_back() -> None:
    buckets = Buckets()
    assert all(buckets.admit("192.0.2.1", 0.0) for _ in range(int(BURST)))
    assert not buckets.admit("192.0.2.1", 0.0)
    assert not buckets.admit("::ffff:192.0.2.1", 0.5)
    assert buckets.admit("192.0.2.2", 0.5)
    assert buckets.admit("192.0.2.1", 1 / EACH_SECOND)


def test_a_network_of_ipv6_is_one_client() -> None:
    buckets = Buckets()
    assert all(buckets.admit(f"2001:db8::{number:x}", 0.0) for number in range(int(BURST)))
    assert not buckets.admit("2001:db8::ffff", 0.0)
    assert buckets.admit("2001:db8:0:1::1", 0.0)


def test_clients_beyond_the_limit_are_forgotten() -> None:
    buckets = Buckets()
    for number in range(MOST_CLIENTS + 10):
        buckets.admit(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0.0)
    assert len(buckets._left) == MOST_CLIENTS
