"""The grammar of MAIL, RCPT, XFORWARD and XCLIENT: arguments to facts, or the reply that says why not.

Every function takes the text of a command's argument and raises `Refused`. Parameters keep their case and their
spelling, for the next hop (RFC 5321 section 4.1.1.11).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping

from gateway import reply
from gateway.errors import Refused
from gateway.mail import Envelope, Recipient

PATH_LIMIT = 1000
"""Octets of a path. RFC 5321 section 4.5.3.1.3 says 256; internationalised addresses need more octets a letter."""

ATTRIBUTE_LIMIT = 255
"""Octets of an XFORWARD or XCLIENT attribute, as Postfix's XFORWARD_README sets it."""

UNAVAILABLE = frozenset({"[UNAVAILABLE]", "[TEMPUNAVAIL]"})

_PATH = re.compile(r'<((?:"(?:[^"\\]|\\.)*"|[^"<>])*)>(.*)', re.DOTALL)
_ROUTE = re.compile(r"@[^:,\s]+(?:,@[^:,\s]+)*:")
_LOCAL = r"""(?:"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"|[^\s"(),:;<>@\[\\\]\x00-\x1f\x7f]+)"""
_DOMAIN = r"""(?:[^\W_](?:[\w.-]*[^\W_])?\.?|\[[0-9A-Za-z:.-]+\])"""
_ADDRESS = re.compile(f"{_LOCAL}(?:@{_DOMAIN})?")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_XTEXT_WHOLE = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")  # RFC 3461 section 4
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NOTIFY = re.compile(r"NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY)){0,2}")
_ATTRIBUTE_NAME = re.compile(r"[A-Z]{1,16}")

_MAIL_PARAMETERS: Mapping[str, Callable[[str], object]] = {
    "SIZE": re.compile(r"[0-9]{1,20}").fullmatch,  # RFC 1870 section 5
    "BODY": re.compile(r"(?:7BIT|8BITMIME)", re.IGNORECASE).fullmatch,  # RFC 6152 section 3
    "SMTPUTF8": "".__eq__,  # RFC 6531 section 3.4
    "RET": re.compile(r"(?:FULL|HDRS)", re.IGNORECASE).fullmatch,  # RFC 3461 section 4.3
    "ENVID": lambda value: 0 < len(value) <= 100 and _XTEXT_WHOLE.fullmatch(value),  # RFC 3461 section 4.4
    "AUTH": lambda value: 0 < len(value) <= 500 and _XTEXT_WHOLE.fullmatch(value),  # RFC 4954 section 5
}
_RCPT_PARAMETERS: Mapping[str, Callable[[str], object]] = {
    "NOTIFY": lambda value: _NOTIFY.fullmatch(value.upper()),  # RFC 3461 section 4.1
    "ORCPT": lambda value: ";" in value and 0 < len(value) <= 500 and value.isprintable(),  # RFC 3461 section 4.2
}

XFORWARD_ATTRIBUTES = frozenset({"NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE"})
XCLIENT_ATTRIBUTES = frozenset({"NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT"})


def command(line: bytes) -> tuple[str, str]:
    """Verb in upper case and argument of a command line that ends in CRLF. Refuses controls and bytes not UTF-8."""
    if not line.endswith(b"\r\n"):
        raise Refused(reply.SYNTAX.with_text("Lines end with CR LF"))
    try:
        text = line[:-2].decode()
    except UnicodeDecodeError:
        raise Refused(reply.BAD_ARGUMENT) from None
    if _CONTROL.search(text):
        raise Refused(reply.SYNTAX)
    verb, _, argument = text.partition(" ")
    return verb.upper(), argument.strip(" \t")


def helo_name(argument: str) -> str:
    """The argument of HELO or EHLO. Its meaning is the policy's affair; here it only must be one printable word."""
    if not argument or len(argument) > ATTRIBUTE_LIMIT or not argument.isprintable() or " " in argument:
        raise Refused(reply.BAD_ARGUMENT)
    return argument


def mail_from(argument: str) -> Envelope:
    """`FROM:<reverse-path> [parameters]` (RFC 5321 section 4.1.1.2)."""
    path, rest = _path(argument, "FROM:")
    parameters = _parameters(rest, _MAIL_PARAMETERS)
    return Envelope(_address(path, utf8="SMTPUTF8" in map(str.upper, parameters)) if path else "", (), parameters)


def rcpt_to(argument: str, *, utf8: bool) -> Recipient:
    """`TO:<forward-path> [parameters]` (RFC 5321 section 4.1.1.3). `utf8`: the transaction asked for SMTPUTF8."""
    path, rest = _path(argument, "TO:")
    return Recipient(_address(path, utf8=utf8), _parameters(rest, _RCPT_PARAMETERS))


def declared_size(parameters: tuple[str, ...]) -> int:
    """The SIZE parameter's octets, 0 if there is none."""
    return next((int(item[5:]) for item in parameters if item.upper().startswith("SIZE=")), 0)


def attributes(argument: str, allowed: frozenset[str]) -> dict[str, str]:
    """`NAME=value ...` of XFORWARD and XCLIENT, decoded from xtext, "" for what the sender does not know.

    Refuses unknown or repeated names, control characters, and addresses and ports that are none.
    """
    found: dict[str, str] = {}
    for item in argument.split():
        name, equals, value = item.partition("=")
        name = name.upper()
        if not equals or not _ATTRIBUTE_NAME.fullmatch(name) or name not in allowed or name in found:
            raise Refused(reply.BAD_ARGUMENT)
        found[name] = _attribute(name, value)
    if not found:
        raise Refused(reply.BAD_ARGUMENT)
    return found


def _attribute(name: str, value: str) -> str:
    if value.upper() in UNAVAILABLE:
        return ""
    text = _XTEXT.sub(lambda match: chr(int(match[1], 16)), value)
    if len(text) > ATTRIBUTE_LIMIT or not text.isprintable():
        raise Refused(reply.BAD_ARGUMENT)
    if name in ("ADDR", "DESTADDR"):
        try:
            return str(ipaddress.ip_address(re.sub("^IPV6:", "", text, flags=re.IGNORECASE)))
        except ValueError:
            raise Refused(reply.BAD_ARGUMENT) from None
    if name in ("PORT", "DESTPORT") and not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise Refused(reply.BAD_ARGUMENT)
    return text


def _path(argument: str, keyword: str) -> tuple[str, str]:
    if argument[: len(keyword)].upper() != keyword:
        raise Refused(reply.BAD_ARGUMENT)
    match = _PATH.fullmatch(argument[len(keyword) :].lstrip(" "))
    if match is None or (match[2] and not match[2].startswith(" ")):
        raise Refused(reply.BAD_ARGUMENT)
    if len(match[1].encode()) > PATH_LIMIT:
        raise Refused(reply.BAD_ADDRESS)
    # A source route is ignored, as RFC 5321 appendix C asks.
    return _ROUTE.sub("", match[1], count=1) if match[1].startswith("@") else match[1], match[2]


def _address(path: str, *, utf8: bool) -> str:
    if not _ADDRESS.fullmatch(path):
        raise Refused(reply.BAD_ADDRESS)
    if not path.isascii() and not utf8:
        raise Refused(reply.NEEDS_UTF8)
    return path


def _parameters(text: str, known: Mapping[str, Callable[[str], object]]) -> tuple[str, ...]:
    items = tuple(text.split())
    seen: set[str] = set()
    for item in items:
        name, equals, value = item.partition("=")
        name = name.upper()
        if name not in known:
            raise Refused(reply.BAD_PARAMETER)
        if name in seen or (equals and not value) or not known[name](value):
            raise Refused(reply.BAD_ARGUMENT)
        seen.add(name)
    return items
