"""The grammar of commands: what is understood, and with which reply the rest is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import reply
from gateway.errors import Refused
from gateway.mail import Envelope, Recipient
from gateway.reply import Reply
from gateway.smtp import syntax

SENDERS = {
    "an address": ("FROM:<a@example.org>", Envelope("a@example.org")),
    "the null sender": ("FROM:<>", Envelope("")),
    "lower case and a space": ("from: <a@example.org>", Envelope("a@example.org")),
    "a quoted local part": ('FROM:<"a b>c"@example.org>', Envelope('"a b>c"@example.org')),
    "a route is ignored": ("FROM:<@x.org,@y.org:a@example.org>", Envelope("a@example.org")),
    "an address literal": ("FROM:<a@[192.0.2.1]>", Envelope("a@[192.0.2.1]")),
    "an underscore in a domain": ("FROM:<a@my_host.example.org>", Envelope("a@my_host.example.org")),
    "parameters keep their case": (
        "FROM:<a@b.org> SIZE=100 body=8bitmime RET=hdrs ENVID=Ab+2BC AUTH=<>",
        Envelope("a@b.org", (), ("SIZE=100", "body=8bitmime", "RET=hdrs", "ENVID=Ab+2BC", "AUTH=<>")),
    ),
    "SMTPUTF8": ("FROM:<người@tỉnh.vn> SMTPUTF8", Envelope("người@tỉnh.vn", (), ("SMTPUTF8",))),
}

BAD_SENDERS = {
    "no keyword": ("<a@example.org>", reply.BAD_ARGUMENT),
    "no brackets": ("FROM:a@example.org", reply.BAD_ARGUMENT),
    "nothing at all": ("", reply.BAD_ARGUMENT),
    "text glued to the path": ("FROM:<a@example.org>SIZE=1", reply.BAD_ARGUMENT),
    "two at signs": ("FROM:<a@b@c.org>", reply.BAD_ADDRESS),
    "no local part": ("FROM:<@example.org>", reply.BAD_ADDRESS),
    "no domain after the at sign": ("FROM:<a@>", reply.BAD_ADDRESS),
    "a space in it": ("FROM:<a b@example.org>", reply.BAD_ADDRESS),
    "a comma": ("FROM:<a,b@example.org>", reply.BAD_ADDRESS),
    "far too long": (f"FROM:<{'a' * 1000}@example.org>", reply.BAD_ADDRESS),
    "8-bit without SMTPUTF8": ("FROM:<người@example.org>", reply.NEEDS_UTF8),
    "an unknown parameter": ("FROM:<a@b.org> X=1", reply.BAD_PARAMETER),
    "binary mail": ("FROM:<a@b.org> BODY=BINARYMIME", reply.BAD_ARGUMENT),
    "a size that is none": ("FROM:<a@b.org> SIZE=-1", reply.BAD_ARGUMENT),
    "a size without end": (f"FROM:<a@b.org> SIZE={'9' * 21}", reply.BAD_ARGUMENT),
    "a parameter twice": ("FROM:<a@b.org> SIZE=1 size=2", reply.BAD_ARGUMENT),
    "an empty value": ("FROM:<a@b.org> ENVID=", reply.BAD_ARGUMENT),
    "SMTPUTF8 with a value": ("FROM:<a@b.org> SMTPUTF8=yes", reply.BAD_ARGUMENT),
    "xtext that is none": ("FROM:<a@b.org> ENVID=a+zz", reply.BAD_ARGUMENT),
}

RECIPIENTS = {
    "an address": ("TO:<a@b.org>", Recipient("a@b.org")),
    "postmaster": ("TO:<Postmaster>", Recipient("Postmaster")),
    "DSN parameters": (
        "TO:<a@b.org> NOTIFY=success,Failure ORCPT=rfc822;Bob@Example.org",
        Recipient("a@b.org", ("NOTIFY=success,Failure", "ORCPT=rfc822;Bob@Example.org")),
    ),
}

BAD_RECIPIENTS = {
    "no recipient": ("TO:<>", reply.BAD_ADDRESS),
    "NEVER with others": ("TO:<a@b.org> NOTIFY=NEVER,SUCCESS", reply.BAD_ARGUMENT),
    "an original recipient without a type": ("TO:<a@b.org> ORCPT=Bob", reply.BAD_ARGUMENT),
    "a parameter of MAIL": ("TO:<a@b.org> SIZE=1", reply.BAD_PARAMETER),
}

ATTRIBUTES = {
    "all Postfix sends": (
        "NAME=mail.example.org ADDR=192.0.2.1 PORT=2525 PROTO=ESMTP HELO=x.example.org IDENT=4F SOURCE=REMOTE",
        {
            "NAME": "mail.example.org",
            "ADDR": "192.0.2.1",
            "PORT": "2525",
            "PROTO": "ESMTP",
            "HELO": "x.example.org",
            "IDENT": "4F",
            "SOURCE": "REMOTE",
        },
    ),
    "IPv6": ("ADDR=IPv6:2001:DB8::1", {"ADDR": "2001:db8::1"}),
    "not known": ("NAME=[UNAVAILABLE] ADDR=[TEMPUNAVAIL]", {"NAME": "", "ADDR": ""}),
    "xtext": ("HELO=a+2Bb", {"HELO": "a+b"}),
    "lower case": ("name=x", {"NAME": "x"}),
}

BAD_ATTRIBUTES = {
    "nothing": "",
    "an unknown name": "LOGIN=x",
    "no value": "NAME",
    "twice": "NAME=a NAME=b",
    "an address that is none": "ADDR=300.1.1.1",
    "a port that is none": "PORT=70000",
    "a control character in xtext": "HELO=a+0Ab",
    "too long": f"HELO={'a' * 256}",
}


@pytest.mark.parametrize(("argument", "envelope"), SENDERS.values(), ids=SENDERS)
def test_mail(argument: str, envelope: Envelope) -> None:
    assert syntax.mail_from(argument) == envelope


@pytest.mark.parametrize(("argument", "refusal"), BAD_SENDERS.values(), ids=BAD_SENDERS)
def test_mail_is_refused(argument: str, refusal: Reply) -> None:
    with pytest.raises(Refused) as caught:
        syntax.mail_from(argument)
    assert caught.value.reply == refusal


@pytest.mark.parametrize(("argument", "recipient"), RECIPIENTS.values(), ids=RECIPIENTS)
def test_rcpt(argument: str, recipient: Recipient) -> None:
    assert syntax.rcpt_to(argument, utf8=False) == recipient


@pytest.mark.parametrize(("argument", "refusal"), BAD_RECIPIENTS.values(), ids=BAD_RECIPIENTS)
def test_rcpt_is_refused(argument: str, refusal: Reply) -> None:
    with pytest.raises(Refused) as caught:
        syntax.rcpt_to(argument, utf8=False)
    assert caught.value.reply == refusal


@pytest.mark.parametrize(("argument", "found"), ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_attributes(argument: str, found: dict[str, str]) -> None:
    assert syntax.attributes(argument, syntax.XFORWARD_ATTRIBUTES) == found


@pytest.mark.parametrize("argument", BAD_ATTRIBUTES.values(), ids=BAD_ATTRIBUTES)
def test_attributes_are_refused(argument: str) -> None:
    with pytest.raises(Refused) as caught:
        syntax.attributes(argument, syntax.XFORWARD_ATTRIBUTES)
    assert caught.value.reply == reply.BAD_ARGUMENT


@pytest.mark.parametrize("line", [b"NOOP\n", b"NO\rOP\r\n", b"NO\0OP\r\n", b"RCPT TO:<\xc0\xae>\r\n"])
def test_command_lines_of_other_forms_are_refused(line: bytes) -> None:
    with pytest.raises(Refused):
        syntax.command(line)


@given(st.binary(max_size=60))
def test_any_line_is_a_command_or_refused(line: bytes) -> None:
    try:
        verb, argument = syntax.command(line + b"\r\n")
        for parse in (syntax.mail_from, syntax.helo_name, lambda text: syntax.rcpt_to(text, utf8=True)):
            try:
                parse(argument)
            except Refused:
                continue
    except Refused:
        return
    assert "\n" not in verb + argument
