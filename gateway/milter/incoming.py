"""One message as an MTA tells it by the milter protocol, from MAIL to the answer to its end.

What becomes of it is in `gateway/handling.py`, which all front ends share; here are the message as it is rebuilt from
the MTA's pieces, and what the MTA is told to change on its own copy. Nothing in it is ever reset.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from gateway import reply, trace
from gateway.errors import Refused
from gateway.handling import Handling, Reception
from gateway.mail import Client, Envelope, Mail, Raw, Recipient, Span
from gateway.milter.answers import AddRecipient, DeleteRecipient
from gateway.milter.changes import Layout, Piece, body_changes, header_changes
from gateway.milter.commands import HeaderField
from gateway.milter.wire import packet
from gateway.reply import Reply

PATH_LIMIT = 1000
"""Octets of an address: as many as by SMTP (`gateway/smtp/syntax.py`)."""

HEAD_PIECE = 16 * 1024
"""Octets of a head that are gathered before they are kept: few heads are longer, and each has twenty fields."""

FIELDS_LIMIT = 30_000
"""Fields of a head: more than fit into the 100 kB that Postfix takes of one (header_size_limit)."""


class Incoming(Handling):
    """A message. `local`: it did not come by SMTP, so nobody hears an answer before the end.

    `spaced`: the MTA leaves the space behind a field's colon to the value (LEADING_SPACE).
    """

    extra: ClassVar[tuple[str, ...]] = ("queue", "local")

    def __init__(self, reception: Reception, client: Client, envelope: Envelope, *, local: bool, spaced: bool) -> None:
        self.local = local
        super().__init__(reception, client, envelope)
        self.queue = ""
        self.head_is_over = False
        self._spaced = spaced
        self._colon = b":" if spaced else b": "
        self._head = bytearray()
        self._written: list[tuple[bytes, bytes]] = []
        self._names: list[bytes] = []
        self._spans: list[Span] = []
        self._body = 0
        self._size = 0
        self._refusal: Reply | None = None
        self._head_changes: list[bytes] | None = None
        self._raw: Raw = b""
        self._pieces: Sequence[Piece] = ()

    @property
    def turned_away(self) -> bool:
        """True if the content is not taken: too big, or no room."""
        return self._refusal is not None

    @property
    def goes_on(self) -> bool:
        """True if the MTA is to deliver the message, once it is settled."""
        return self._head_changes is not None

    def inside(self, client: Client, envelope: Envelope) -> bool:
        """What a program or a person hands in on the mail server itself comes from the organisation."""
        return super().inside(client, envelope) or (self.local and self.reception.direction is None)

    def begin(self, size: int) -> None:
        """May this sender send? Raises Refused; never for local mail, which would stay in the MTA's queue."""
        if not self.local:
            self.check_sender(size)

    def add(self, recipient: Recipient, written: bytes) -> None:
        """May this recipient get it? Raises Refused. `written`: the recipient in the MTA's own words."""
        if not self.local:
            self.check_recipient(recipient)
        self.take_recipient(recipient)
        self._written.append((recipient.address.encode(), written))

    def refused_by_mta(self, address: str, answer: Reply) -> None:
        """The MTA itself has refused this recipient: for the log."""
        if len(self.refused) < self.reception.limits.recipients:
            self.refused.append((address, answer, ()))

    async def header(self, field: HeaderField) -> None:
        """The next field of the head."""
        if self._refusal is not None:
            return
        if len(self._names) >= FIELDS_LIMIT:
            self._refusal = reply.TOO_BIG
            return
        value = field.value
        if b"\n" in value:
            value = value.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        start = self._size + len(self._head)
        self._head += field.name + self._colon + value + b"\r\n"
        self._names.append(field.name)
        self._spans.append(Span(start, self._size + len(self._head)))
        if len(self._head) >= HEAD_PIECE:
            await self._take_head()

    async def end_of_headers(self) -> None:
        """The body begins. An MTA does not tell whether there was an empty line: there is one from now on."""
        self.head_is_over = True
        self._head += b"\r\n"
        await self._take_head()
        self._body = self._size

    async def body(self, data: bytes) -> None:
        """The next piece of the body."""
        if data:
            await self._take(data)

    async def end(self) -> Reply:
        """Decide and carry out: the answer to the end of the message. Never raises."""
        if self._refusal is not None:
            return self.turned_down(self._refusal)
        if not self.envelope.recipients:
            return self.turned_down(reply.NO_VALID_RECIPIENTS)
        return await self.settle()

    async def send(self, recipients: Sequence[Recipient], raw: Raw, pieces: Sequence[bytes | Span]) -> Reply:
        """Work out what the MTA is to change on the message that it has; it is told when all else is done."""
        head = header_changes(self._layout, pieces)
        wanted = dict.fromkeys(recipient.address.encode() for recipient in recipients)
        known = {address for address, _ in self._written}
        gone = [DeleteRecipient(written) for address, written in self._written if address not in wanted]
        added = [AddRecipient(b"<" + address + b">") for address in wanted if address not in known]
        self._head_changes = [packet(change) for change in (*head, *added, *dict.fromkeys(gone))]
        self._raw, self._pieces = raw, pieces
        return reply.TAKEN

    def changes(self) -> Iterator[bytes]:
        """The packets for the MTA, before the final answer. Raises OSError where the spool cannot be read."""
        yield from self._head_changes or ()
        for change in body_changes(self._layout, self._raw, self._pieces):
            yield packet(change)

    def trace(self, mail: Mail, policy: str, action: str) -> bytes:
        """What was decided. The Received field is the MTA's: the message has made no hop."""
        return trace.decision(policy, action)

    @property
    def _layout(self) -> Layout:
        return Layout(tuple(self._names), tuple(self._spans), self._body, self._spaced)

    async def _take_head(self) -> None:
        piece = bytes(self._head)
        self._head.clear()
        await self._take(piece)

    async def _take(self, data: bytes) -> None:
        if self._refusal is None:
            self._size += len(data)
            self._refusal = await self.keep(data, self._size)


def address_of(path: bytes) -> str:
    """The address of `<path>` as an MTA sends it, without a source route; "" for the null sender. Raises Refused."""
    if len(path) > PATH_LIMIT:
        raise Refused(reply.BAD_ADDRESS)
    inner = path.removeprefix(b"<").removesuffix(b">") if path.startswith(b"<") else path
    if inner.startswith(b"@") and b":" in inner:  # RFC 5321 appendix C: a source route is ignored
        inner = inner.partition(b":")[2]
    try:
        text = inner.decode()
    except UnicodeDecodeError:
        raise Refused(reply.BAD_ADDRESS) from None
    if any(not char.isprintable() for char in text):
        raise Refused(reply.BAD_ADDRESS)
    return text
