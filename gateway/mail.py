"""What a message is: the facts that a front end collects and that filters and policies look at.

The file before is `gateway/smtp/session.py`, which builds a `Mail`; the file after is `gateway/pipeline.py`, which
hands it to the filters. Everything here is frozen: a changed message is a new `Mail`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.reading import Reading


class Raw(Protocol):
    """A whole message: `bytes` in memory, or the spool file it was written to. Slices are `bytes`."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> bytes: ...



class Direction(StrEnum):
    """Where mail goes, seen from the organisation (regulations: "inbound", "outbound", "internal")."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who handed the message in: the original client where a trusted peer named it, else the peer itself.

    `address` is the IP in text form, "" where unknown; `name` its verified host name; `login` the authenticated user,
    "" where nobody logged in.
    """

    address: str = ""
    port: int = 0
    name: str = ""
    helo: str = ""
    protocol: str = "SMTP"
    login: str = ""
    tls: bool = False


@dataclass(frozen=True, slots=True)
class Recipient:
    """One RCPT: the address as written between the angle brackets, and its parameters with their case kept."""

    address: str
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Envelope:
    """MAIL and RCPT of one transaction. `sender` is "" for the null reverse-path (RFC 5321 section 4.5.5)."""

    sender: str
    recipients: tuple[Recipient, ...] = ()
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A mailbox of the organisation as its directory has it. `state` is active, locked or revoked."""

    address: str
    state: str = "active"
    kind: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes `start` to `stop` (not included) of the message."""

    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


class Header(Protocol):
    """One header field. It is decoded when it is asked for: of most fields of most mail nobody ever asks."""

    @property
    def name(self) -> str:
        """The name as it was written."""
        ...

    @property
    def value(self) -> str:
        """The text, unfolded and decoded (RFC 2047)."""
        ...

    @property
    def span(self) -> Span:
        """Where name, value and line ending lie in the message."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One node of the MIME tree. `label` is its place as IMAP numbers it ("1.2"), "" for the message itself.

    `media_type` is the declared type in lower case ("image/png"); `names` every file name a mail client might show,
    most official first; `size` the number of bytes after decoding; `defects` the named oddities of its form.
    """

    label: str
    headers: Sequence[Header]
    head: Span
    body: Span
    media_type: str = "text/plain"
    parameters: Mapping[str, str] = field(default_factory=dict)
    disposition: str = ""
    encoding: str = "7bit"
    names: tuple[str, ...] = ()
    size: int = 0
    children: tuple[Part, ...] = ()
    defects: tuple[str, ...] = ()

    def walk(self) -> list[Part]:
        """This part and all below it, in the order of the message."""
        parts, waiting = [], [self]
        while waiting:
            part = waiting.pop()
            parts.append(part)
            waiting.extend(reversed(part.children))
        return parts

    def header(self, name: str) -> str | None:
        """The value of the first header of that name (any case), or None."""
        wanted = name.lower()
        return next((header.value for header in self.headers if header.name.lower() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """What is known of a message before its content is sent: enough for the rules that look at the envelope only.

    `inside` tells that it was handed in by the organisation itself; with a recipient's domain that gives the
    direction. `accounts` holds the directory's entries for the sender, the login and the recipients, by address in
    lower case.
    """

    id: str
    listener: str
    received: datetime
    client: Client
    envelope: Envelope
    inside: bool
    domains: frozenset[str] = frozenset()
    accounts: Mapping[str, Account] = field(default_factory=dict)

    def direction(self, recipient: Recipient) -> Direction:
        """Where the message goes as far as this recipient is concerned."""
        return direction_of(self.inside, recipient.address, self.domains)

    @property
    def strictest_direction(self) -> Direction:
        """One word for the whole message: outbound as soon as one recipient of inside mail is outside."""
        if not self.inside:
            return Direction.INBOUND
        outside = any(self.direction(recipient) is Direction.OUTBOUND for recipient in self.envelope.recipients)
        return Direction.OUTBOUND if outside else Direction.INTERNAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail(Transaction):
    """One whole message: a transaction with its content, read once and before anybody looks.

    `opened` is what its parts hold, once they have been opened: the pipeline does so where a filter declares `READS`.
    """

    raw: Raw
    root: Part
    opened: Reading | None = None

    @classmethod
    def of(cls, transaction: Transaction, raw: Raw, root: Part) -> Mail:
        """The transaction with its content."""
        return cls(
            id=transaction.id,
            listener=transaction.listener,
            received=transaction.received,
            client=transaction.client,
            envelope=transaction.envelope,
            inside=transaction.inside,
            domains=transaction.domains,
            accounts=transaction.accounts,
            raw=raw,
            root=root,
        )

    @property
    def reading(self) -> Reading:
        """What the parts hold. Raises LookupError where nobody has opened them: "not read" is never "empty"."""
        if self.opened is None:
            raise LookupError("the mail has not been opened: a filter that uses mail.reading declares READS = True")
        return self.opened

    @property
    def size(self) -> int:
        """Bytes of the whole message as it arrived."""
        return len(self.raw)


def domain_of(address: str) -> str:
    """The domain of an address in lower case, "" where it has none (null sender, bare postmaster)."""
    return address.rpartition("@")[2].lower().rstrip(".") if "@" in address else ""


def belongs(address: str, domains: frozenset[str]) -> bool:
    """True if the address is in one of the domains or a subdomain of one."""
    domain = domain_of(address)
    while domain:
        if domain in domains:
            return True
        domain = domain.partition(".")[2]
    return False


def direction_of(inside: bool, recipient: str, domains: frozenset[str]) -> Direction:
    """The direction of a message handed in by the organisation itself (`inside`) or by others, to one recipient."""
    if not inside:
        return Direction.INBOUND
    return Direction.INTERNAL if belongs(recipient, domains) or "@" not in recipient else Direction.OUTBOUND
