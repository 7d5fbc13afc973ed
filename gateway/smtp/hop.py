"""The next hop, as the edges see it: a place that takes one message at a time and answers like an SMTP server.

The file before is `gateway/dispose.py`, which hands a message on; the file after is `gateway/smtp/upstream.py` (SMTP
and LMTP) or `gateway/smtp/maildir.py` (the embedded destination).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from gateway.mail import Raw, Recipient, Span, Transaction
from gateway.reply import Reply


class Delivery(Protocol):
    """One transaction with the next hop. It ends with `send` or `abandon`; a new message is a new `Delivery`."""

    @property
    def accepted(self) -> tuple[Recipient, ...]:
        """The recipients the hop has accepted so far."""
        ...

    async def add(self, recipients: Sequence[Recipient]) -> list[Reply]:
        """Offers recipients; one reply for each, as the hop gave it. A refused MAIL is the reply of each recipient.

        Raises HopError for trouble with the connection; the delivery is over then.
        """
        ...

    async def send(self, raw: Raw, pieces: Sequence[bytes | Span]) -> Reply:
        """Sends the message: `pieces` one after the other, each bytes or a span of `raw`, lines ended by CRLF only.

        Returns the hop's final reply, accepted or refused. Raises HopError where there is none: the hop may or may
        not have taken the message then, and nothing is tried again (RFC 5321 section 4.5.4.2, RFC 1047). Raises
        ValueError if no recipient was accepted. The delivery is over in each case.
        """
        ...

    async def abandon(self) -> None:
        """Gives up what was not sent. Never raises, may be called at any time and more than once."""
        ...


class NextHop(Protocol):
    """Where mail goes on to."""

    def begin(self, transaction: Transaction) -> Delivery:
        """A delivery for this transaction. Nothing is sent yet; `add` names the recipients."""
        ...

    async def close(self) -> None:
        """Closes what is kept open between messages."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HopSettings:
    """How to reach a next hop by SMTP or LMTP. Times are in seconds.

    `address` is host and port, or the path of a unix socket. `tls`: "off" never, "may" where STARTTLS is offered,
    without a look at the certificate, "require" with a certificate that fits the host and comes from `ca` (a file or a
    folder of PEM certificates, "" for the system's). `helo` is our name. Waits for a free connection and for the
    connection itself take `connect_timeout` at most, each reply and each block of the body `reply_timeout`, the reply
    to the end of data `final_timeout`.
    """

    address: tuple[str, int] | str
    protocol: Literal["smtp", "lmtp"] = "smtp"
    tls: Literal["off", "may", "require"] = "off"
    ca: str = ""
    helo: str = "localhost"
    connections: int = 20  # Postfix runs a port with 20 processes in SMTPD_PROXY_README's example
    idle_seconds: float = 30.0  # Postfix closes after smtpd_timeout: 300 s, 10 s under stress
    messages: int = 100  # so that a hop behind a balancer is rebalanced, and a leak in it stays small
    connect_timeout: float = 5.0
    reply_timeout: float = 20.0
    final_timeout: float = 50.0  # inside the deadline of 60 s for the whole message
