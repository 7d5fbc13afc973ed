"""What is said to the next hop, and what never is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.mail import Client, Envelope, Recipient, Transaction
from gateway.reply import BAD_ADDRESS, HOP_REFUSES_UTF8, NEEDS_UTF8, Reply
from gateway.smtp import commands
from gateway.smtp.commands import COMMAND_LIMIT, XFORWARD_LIMIT, XFORWARD_VALUE_LIMIT, encode

ALL: dict[str, tuple[str, ...]] = dict.fromkeys(("SIZE", "8BITMIME", "SMTPUTF8", "DSN", "AUTH", "PIPELINING"), ())


def without(*names: str) -> dict[str, tuple[str, ...]]:
    return {name: values for name, values in ALL.items() if name not in names}


MAILS = {
    "null sender": (Envelope(""), ALL, b"MAIL FROM:<>\r\n"),
    "every parameter, case kept": (
        Envelope("a@b", (), ("SIZE=10", "body=8bitmime", "RET=hdrs", "ENVID=Ab+2B", "AUTH=<>")),
        ALL,
        b"MAIL FROM:<a@b> SIZE=10 body=8bitmime RET=hdrs ENVID=Ab+2B AUTH=<>\r\n",
    ),
    "nothing offered": (
        Envelope("a@b", (), ("SIZE=10", "BODY=8BITMIME", "RET=HDRS", "ENVID=x", "AUTH=<>")),
        {},
        b"MAIL FROM:<a@b>\r\n",
    ),
    "no DSN": (Envelope("a@b", (), ("RET=HDRS", "SIZE=10")), without("DSN"), b"MAIL FROM:<a@b> SIZE=10\r\n"),
    "unknown parameters": (Envelope("a@b", (), ("X-A=1", "REQUIRETLS", "SIZE=1")), ALL, b"MAIL FROM:<a@b> SIZE=1\r\n"),
    "an internationalised sender": (
        Envelope("người@ví.vn", (), ("SMTPUTF8",)),
        ALL,
        "MAIL FROM:<người@ví.vn> SMTPUTF8\r\n".encode(),
    ),
    "a quoted local part": (Envelope('"a b> <\\""@b'), ALL, b'MAIL FROM:<"a b> <\\""@b>\r\n'),
}


@pytest.mark.parametrize(("envelope", "offers", "line"), MAILS.values(), ids=MAILS)
def test_mail_has_the_parameters_that_the_hop_understands(
    envelope: Envelope, offers: commands.Offers, line: bytes
) -> None:
    assert commands.mail(envelope, offers) == line


REFUSED = {
    "SMTPUTF8 to a hop without it": (Envelope("a@b", (), ("smtputf8",)), without("SMTPUTF8"), HOP_REFUSES_UTF8),
    "an internationalised sender without SMTPUTF8": (Envelope("người@b"), ALL, NEEDS_UTF8),
    "a line break in the address": (Envelope("a@b>\r\nDATA\r\n<"), ALL, BAD_ADDRESS),
    "a bare LF": (Envelope("a\n@b"), ALL, BAD_ADDRESS),
    "a NUL": (Envelope('"\0"@b'), ALL, BAD_ADDRESS),
    "a DEL": (Envelope("a\x7f@b"), ALL, BAD_ADDRESS),
    "a parameter in the address": (Envelope("a@b> SIZE=1"), ALL, BAD_ADDRESS),
    "a quote without end": (Envelope('"a@b'), ALL, BAD_ADDRESS),
    "a second parameter in a parameter": (Envelope("a@b", (), ("ENVID=a RET=FULL",)), ALL, BAD_ADDRESS),
    "a line break in a parameter": (Envelope("a@b", (), ("ENVID=a\r\nDATA",)), ALL, BAD_ADDRESS),
    "an endless address": (Envelope("a" * COMMAND_LIMIT), ALL, BAD_ADDRESS),
    "a lone surrogate": (Envelope("\udcff@b", (), ("SMTPUTF8",)), ALL, BAD_ADDRESS),
}


@pytest.mark.parametrize(("envelope", "offers", "reply"), REFUSED.values(), ids=REFUSED)
def test_a_sender_that_cannot_be_sent_is_refused(envelope: Envelope, offers: commands.Offers, reply: Reply) -> None:
    with pytest.raises(Refused) as caught:
        commands.mail(envelope, offers)
    assert caught.value.reply == reply


def test_rcpt_passes_dsn_parameters_as_they_came() -> None:
    recipient = Recipient("a@b", ("NOTIFY=success,Failure", "ORCPT=rfc822;A+2Bb@C"))
    line = b"RCPT TO:<a@b> NOTIFY=success,Failure ORCPT=rfc822;A+2Bb@C\r\n"
    assert commands.rcpt(recipient, ALL, "ascii") == line
    assert commands.rcpt(recipient, {}, "ascii") == b"RCPT TO:<a@b>\r\n"


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=3), st.booleans())
def test_whatever_an_address_holds_one_line_is_sent_or_none(text: str, parameters: list[str], utf8: bool) -> None:
    try:
        line = commands.rcpt(Recipient(text, tuple(parameters)), ALL, "utf-8" if utf8 else "ascii")
    except Refused:
        return
    assert line.startswith(b"RCPT TO:<")
    assert line.endswith(b"\r\n")
    assert not [octet for octet in line[:-2] if octet < 32 or octet == 127]
    assert utf8 or line.isascii()


def test_a_command_is_never_longer_than_the_limit() -> None:
    assert len(encode("x" * (COMMAND_LIMIT - 2))) == COMMAND_LIMIT
    with pytest.raises(ValueError):
        encode("x" * (COMMAND_LIMIT - 1))


EVERY = {"XFORWARD": ("NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE")}


def transaction(client: Client, ident: str = "id7") -> Transaction:
    return Transaction(
        id=ident, listener="in", received=datetime.now(UTC), client=client, envelope=Envelope("a@b"), inside=False
    )


XFORWARDS = {
    "all that is known": (
        Client(address="192.0.2.7", port=2525, name="mx.example", helo="he lo+", protocol="ESMTP"),
        EVERY,
        b"XFORWARD NAME=mx.example ADDR=192.0.2.7 PORT=2525 PROTO=ESMTP HELO=he+20lo+2B IDENT=id7 SOURCE=REMOTE\r\n",
    ),
    "all that is not known": (
        Client(),
        EVERY,
        b"XFORWARD NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE] PROTO=SMTP HELO=[UNAVAILABLE] IDENT=id7"
        b" SOURCE=LOCAL\r\n",
    ),
    "IPv6": (Client(address="2001:DB8::1"), {"XFORWARD": ("ADDR",)}, b"XFORWARD ADDR=IPV6:2001:db8::1\r\n"),
    "our own host": (Client(address="::1"), {"XFORWARD": ("SOURCE",)}, b"XFORWARD SOURCE=LOCAL\r\n"),
    "only what is offered": (Client(name="n"), {"XFORWARD": ("name", "X-NEW")}, b"XFORWARD NAME=n\r\n"),
    "letters outside ASCII": (Client(helo="ví"), {"XFORWARD": ("HELO",)}, b"XFORWARD HELO=v+C3+AD\r\n"),
    "a line break": (Client(helo="a\r\nQUIT"), {"XFORWARD": ("HELO",)}, b"XFORWARD HELO=a+0D+0AQUIT\r\n"),
    "XFORWARD not offered": (Client(name="n"), {}, b""),
}


@pytest.mark.parametrize(("client", "offers", "wire"), XFORWARDS.values(), ids=XFORWARDS)
def test_xforward_tells_what_the_hop_takes(client: Client, offers: commands.Offers, wire: bytes) -> None:
    assert b"".join(commands.xforward(transaction(client), offers)) == wire


@given(st.text(max_size=400), st.text(max_size=400), st.text(max_size=400))
def test_xforward_lines_stay_within_their_limits(name: str, helo: str, ident: str) -> None:
    lines = commands.xforward(transaction(Client(name=name, helo=helo), ident), EVERY)
    assert all(len(line) <= XFORWARD_LIMIT and line.isascii() for line in lines)
    words = [word for line in lines for word in line.split()[1:]]
    assert [word.partition(b"=")[0].decode() for word in words] == list(EVERY["XFORWARD"])
    assert all(len(word.partition(b"=")[2]) <= XFORWARD_VALUE_LIMIT for word in words)
