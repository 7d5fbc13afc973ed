"""A policy's own cases: a message described in YAML, the bytes it becomes, and how a verdict is held against it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime
from typing import ClassVar
from urllib.parse import quote as percent

from gateway.mail import Client, Envelope, Recipient
from gateway.policy.forms import RuleId
from gateway.policy.logic import HOME_ZONE
from gateway.policy.pretended import Pretended
from gateway.policy.when import ABSENT, HeaderName
from gateway.schema.nodes import Node, ScalarNode
from gateway.schema.reader import Invalid, Reader
from gateway.schema.scalars import Size
from gateway.schema.shapes import Position
from gateway.verdict import Action, Truth, Verdict

BOUNDARY = "=_case"
"""What separates the parts of a case's message; nobody writes it by chance (RFC 2046 section 5.1.1)."""

SIZE_LIMIT = 100_000_000
"""Octets of an attachment that is given by its size alone."""

_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")  # RFC 6838 section 4.2


@dataclass(frozen=True, slots=True)
class Moment:
    """A day and time, `2026-11-24T22:30`; in Vietnam, unless it ends in an offset such as `+00:00`."""

    at: datetime
    NODES: ClassVar = (ScalarNode,)
    EXPECTED: ClassVar = 'a day and time such as "2026-11-24T22:30"'

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> Moment | Invalid:
        """ISO 8601."""
        assert isinstance(node, ScalarNode)
        try:
            at = datetime.fromisoformat(node.text)
        except ValueError:
            return reader.wrong(node, cls.EXPECTED)
        return cls(at if at.tzinfo else at.replace(tzinfo=HOME_ZONE))

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%dT%H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A part of a case's message: its content is `text`, `base64`, or so many octets of nothing (`size`)."""

    name: str
    """Its file name."""
    type: str = "application/octet-stream"
    """The type it declares."""
    text: str = ABSENT
    """Its content, as text."""
    base64: str = ABSENT
    """Its content, in base64."""
    size: Size = ABSENT
    """The size of its content, if that is all that matters."""

    def __post_init__(self) -> None:
        if sum(value is not None for value in (self.text, self.base64, self.size)) > 1:
            raise ValueError('only one of "text", "base64" and "size" can be its content')
        if not _TYPE.fullmatch(self.type):
            raise ValueError(f'"{self.type}" is no media type')
        if self.size is not None and self.size > SIZE_LIMIT:
            raise ValueError(f"at most {SIZE_LIMIT // 1_000_000} MB")
        try:
            base64.b64decode(self.base64 or "", validate=False)
        except binascii.Error:
            raise ValueError("this is not base64") from None

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        if self.base64 is not None:
            return base64.b64decode(self.base64)
        return bytes(self.size) if self.size is not None else (self.text or "").encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A message and how it comes."""

    sender: str = field(metadata={"key": "from"})
    """The envelope's sender; `<>` is the null sender. It is also in the header, unless `headers` say otherwise."""
    to: tuple[str, ...]
    """The envelope's recipients."""
    client: str = ""
    """The client's IP address."""
    client_name: str = ""
    """The client's verified host name."""
    helo: str = ""
    """What the client called itself."""
    login: str = ""
    """The user who logged in."""
    tls: bool = False
    """Whether the connection is encrypted."""
    listener: str = "case"
    """The listener it comes in by."""
    time: Moment = Moment(datetime(2026, 11, 24, 9, 0, tzinfo=HOME_ZONE))
    """When it comes; a Tuesday morning if left out."""
    subject: str = "Case"
    """Its subject."""
    headers: Mapping[HeaderName, str] = field(default_factory=dict)
    """Further header fields."""
    text: str = "Case."
    """What it says."""
    attachments: tuple[Attachment, ...] = ()
    """Its attachments."""
    message: str = ""
    """The whole message as it is, in the place of subject, headers, text and attachments."""
    unavailable: tuple[str, ...] = ()
    """The names of filters that cannot look."""
    found: Pretended = field(default_factory=Pretended, metadata={"default": "{}"})
    """What filters find that are not to be asked, because they would ask a network: a list for each, of codes or of
    `{code: {field: value}}`. A field left out is empty, or the first of its words."""

    def __post_init__(self) -> None:
        if not self.to:
            raise ValueError("a message needs somebody to go to")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must come of it. What is left out is not looked at."""

    action: Action = ABSENT
    """The strongest action over the recipients."""
    rules: tuple[RuleId, ...] = ABSENT
    """The rules that hold for at least one recipient: these, and no other that is enforced."""
    reply: int = ABSENT
    """The code of the refusal."""
    recipients: Mapping[str, Action] = field(default_factory=dict)
    """The action for single recipients."""

    def __post_init__(self) -> None:
        if not self.recipients and all(value is None for value in (self.action, self.rules, self.reply)):
            raise ValueError("nothing is expected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One message and the verdict it must get."""

    name: str
    """A sentence that says what this shows."""
    given: Given
    """The message."""
    expect: Expected
    """The verdict."""
    where: Position


def build_mail_bytes(case: Case) -> bytes:
    """The message of a case as it would arrive (RFC 5322), the same each time."""
    given = case.given
    if given.message:
        return given.message.replace("\n", "\r\n").encode()
    text = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + _base64(
        f"{given.text}\n".encode()
    )
    head = "".join(f"{name}: {_encoded(value)}\r\n" for name, value in _fields(given)).encode()
    if not given.attachments:
        return head + text
    parts = [text, *(_part(attachment) for attachment in given.attachments)]
    body = b"".join(b"--%s\r\n%s" % (BOUNDARY.encode(), part) for part in parts)
    return head + b'Content-Type: multipart/mixed; boundary="%b"\r\n\r\n%b--%b--\r\n' % (
        BOUNDARY.encode(),
        body,
        BOUNDARY.encode(),
    )


def envelope_of(case: Case) -> Envelope:
    """The envelope of a case's message."""
    sender = "" if case.given.sender == "<>" else case.given.sender
    return Envelope(sender, tuple(Recipient(address) for address in case.given.to))


def client_of(case: Case) -> Client:
    """Who hands a case's message in."""
    given = case.given
    return Client(address=given.client, name=given.client_name, helo=given.helo, login=given.login, tls=given.tls)


def failures(case: Case, verdict: Verdict) -> tuple[str, ...]:
    """In words, how the verdict differs from what the case expects; nothing if it does not."""
    return tuple(_differences(case.expect, verdict))


def _differences(expected: Expected, verdict: Verdict) -> Iterator[str]:
    if expected.action is not None and verdict.action is not expected.action:
        yield f"expected {expected.action.word}, got {verdict.action.word}{_why(verdict)}"
    by_address = {outcome.recipient.address: outcome for outcome in verdict.outcomes}
    for address, action in expected.recipients.items():
        if address not in by_address:
            yield f"expected {action.word} for {address}, who is no recipient"
        elif (got := by_address[address].action) is not action:
            yield f"expected {action.word} for {address}, got {got.word}"
    codes = {outcome.reply.code for outcome in verdict.outcomes if outcome.action >= Action.DEFER}
    if expected.reply is not None and codes != {expected.reply}:
        yield f"expected reply {expected.reply}, got {', '.join(map(str, sorted(codes))) or 'no refusal'}"
    if expected.rules is not None:
        yield from _other_rules({rule.text for rule in expected.rules}, verdict)


def _other_rules(wanted: set[str], verdict: Verdict) -> Iterator[str]:
    held = {rule.id: rule.mode for outcome in verdict.outcomes for rule in outcome.rules if rule.result is Truth.MATCH}
    reasons = {rule.id: rule.because for outcome in verdict.outcomes for rule in outcome.rules}
    for rule in sorted(wanted - set(held)):
        yield f"expected rule {rule} to hold; {reasons.get(rule, 'there is no such rule')}"
    for rule in sorted(set(held) - wanted):
        if held[rule] == "enforce":
            yield f"rule {rule} holds as well: {reasons[rule]}"


def _why(verdict: Verdict) -> str:
    """The rules that brought the action about."""
    rules = {
        rule.id: rule.because
        for outcome in verdict.outcomes
        for rule in outcome.rules
        if rule.action is verdict.action and rule.mode == "enforce"
    }
    return "".join(f"; {name}: {because}" for name, because in rules.items())


def _fields(given: Given) -> Iterator[tuple[str, str]]:
    own = {
        "From": given.sender if given.sender not in ("", "<>") else "postmaster@case.example",
        "To": ", ".join(given.to),
        "Subject": given.subject,
        "Date": format_datetime(given.time.at),
        "Message-ID": f"<{given.time.at.astimezone(UTC):%Y%m%d%H%M%S}@case.example>",
        "MIME-Version": "1.0",
    }
    written = {name.text.lower() for name in given.headers}
    yield from ((name, value) for name, value in own.items() if name.lower() not in written)
    yield from ((name.text, value) for name, value in given.headers.items())


def _encoded(value: str) -> str:
    """A header's value in US-ASCII: as it is, or as encoded words (RFC 2047); an address in brackets is none."""
    if value.isascii():
        return value
    text, bracket, address = value.rpartition(" <")
    if not bracket or not address.isascii():
        text, bracket, address = value, "", ""
    return Header(text, "utf-8").encode(linesep="\r\n") + bracket + address


def _part(attachment: Attachment) -> bytes:
    # RFC 2231 section 4 for a name that is not US-ASCII.
    plain = attachment.name.replace("\\", "\\\\").replace('"', '\\"')
    name = f'filename="{plain}"' if plain.isascii() else f"filename*=UTF-8''{percent(attachment.name, safe='')}"
    head = (
        f"Content-Type: {attachment.type}\r\nContent-Disposition: attachment; {name}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + _base64(attachment.content)


def _base64(content: bytes) -> bytes:
    return base64.encodebytes(content).replace(b"\n", b"\r\n")
