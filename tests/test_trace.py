"""Trace fields: what we add is harmless whatever a client said, and what others wrote is counted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import trace
from gateway.mail import Client, Envelope, Transaction
from gateway.mime.parse import parse

PROTOCOLS = {
    "HELO": (Client(protocol="SMTP"), (), "SMTP"),
    "EHLO": (Client(protocol="ESMTP"), (), "ESMTP"),
    "with TLS": (Client(protocol="ESMTP", tls=True), (), "ESMTPS"),
    "with TLS and a login": (Client(protocol="ESMTP", tls=True, login="a"), (), "ESMTPSA"),
    "with a login": (Client(protocol="ESMTP", login="a"), (), "ESMTPA"),
    "internationalised": (Client(protocol="ESMTP", tls=True), ("smtputf8",), "UTF8SMTPS"),
}


def transaction(client: Client, parameters: tuple[str, ...] = ()) -> Transaction:
    return Transaction(
        id="01ARZ3NDEKTSV4RRFF",
        listener="inbound",
        received=datetime(2026, 11, 24, 5, 0, tzinfo=UTC),
        client=client,
        envelope=Envelope("a@example.org", (), parameters),
        inside=False,
    )


def test_received() -> None:
    client = Client(address="2001:db8::1", name="mail.example.org", helo="x.example.org", protocol="ESMTP")
    assert trace.received(transaction(client), "mx.example.gov.vn") == (
        b"Received: from x.example.org (mail.example.org [IPv6:2001:db8::1])\r\n"
        b"\tby mx.example.gov.vn (Mailwarden) with ESMTP id 01ARZ3NDEKTSV4RRFF;\r\n"
        b"\tTue, 24 Nov 2026 05:00:00 +0000\r\n"
    )


@pytest.mark.parametrize(("client", "parameters", "word"), PROTOCOLS.values(), ids=PROTOCOLS)
def test_the_with_word(client: Client, parameters: tuple[str, ...], word: str) -> None:
    assert f" with {word} id ".encode() in trace.received(transaction(client, parameters), "mx")


@given(st.text(), st.text())
def test_no_name_of_a_client_breaks_the_field(helo: str, name: str) -> None:
    field = trace.received(transaction(Client(helo=helo, name=name)), "mx.example.gov.vn")
    assert field.count(b"\r\n") == 3
    assert field.count(b"\n") == field.count(b"\r") == 3
    [header] = parse(field + b"\r\n").headers
    assert header.name == "Received"


def test_hops_and_own_passes_are_counted() -> None:
    own = trace.received(transaction(Client()), "mx.example.gov.vn")
    root = parse(own * 2 + b"received: from x by y\r\nSubject: by mx.example.gov.vn (Mailwarden)\r\n\r\n")
    assert (trace.hops(root), trace.own_passes(root, "mx.example.gov.vn")) == (3, 2)


LOGINS = {
    "as Postfix writes it": (
        b"Received: from x (y [1.2.3.4]) (Authenticated sender: an@example.gov.vn) by z\r\n",
        "an@example.gov.vn",
    ),
    "not in the topmost field": (b"Received: from a by b\r\nReceived: from x (Authenticated sender: an) by z\r\n", ""),
    "none": (b"Subject: (Authenticated sender: an)\r\n", ""),
}


@pytest.mark.parametrize(("head", "login"), LOGINS.values(), ids=LOGINS)
def test_the_login_is_read_from_the_topmost_field_only(head: bytes, login: str) -> None:
    assert trace.authenticated_user(parse(head + b"\r\n")) == login
