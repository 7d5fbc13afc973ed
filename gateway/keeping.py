"""Mail that the gateway owns, and what is remembered of every message: the facts, and the protocols of their stores.

A store is one of the small protocols below. The embedded family (`store/`) keeps files and a SQLite index; another
family may keep the same promises elsewhere, and one contract suite holds every implementation to them.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from gateway.mail import Client, Envelope, Raw

canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode
"""A JSON value as text, so that equal values are equal bytes: keys sorted, no spaces, ASCII.

Raises TypeError or ValueError for what is not a plain JSON value.
"""


class Kind(StrEnum):
    """Why mail is kept: somebody must approve it before it goes on, or somebody may release it."""

    HELD = "held"
    QUARANTINED = "quarantined"


class State(StrEnum):
    """Where a kept message is on its way. RELEASING is the claim of one process that hands it on.

    A process that dies between the next hop's answer and the record of it leaves RELEASING behind: nobody can know then
    whether the hop took it, so nobody sends it again by himself; a person looks, and decides.
    """

    WAITING = "waiting"
    RELEASING = "releasing"
    RELEASED = "released"
    REJECTED = "rejected"
    DELETED = "deleted"
    EXPIRED = "expired"

    @property
    def final(self) -> bool:
        """True if nothing more happens to it; its content may be gone."""
        return self not in (State.WAITING, State.RELEASING)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMail:
    """One kept message for the recipients it was kept for, without its bytes.

    `id` is the message's own id. `rules` are the rules that kept it, `clauses` what they cite; `because` says why, in
    words for an officer. `retention` is the class that says how long it is kept; `digest` the SHA-256 of the bytes.
    `approvers` and `quorum` are who may approve held mail and how many of them must. `terms` is the rest of what was
    decided when it came, as `custody/terms.py` writes it; to a store it is a text.
    """

    id: str
    kind: Kind
    state: State
    received: datetime
    expires: datetime
    retention: str
    listener: str
    direction: str
    client: Client
    envelope: Envelope
    header_from: str
    subject: str
    message_id: str
    size: int
    digest: str
    rules: tuple[str, ...]
    clauses: tuple[str, ...]
    because: str
    policy: str
    approvers: tuple[str, ...] = ()
    quorum: int = 1
    terms: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened to a kept message: who did what, when, and what he said of it.

    `whom` is for whom he did it, or whom it concerns, where that is somebody else.
    """

    moment: datetime
    actor: str
    act: str
    comment: str = ""
    whom: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to look for; what is left out matches everything. `text` is looked for in subject, addresses and ids."""

    kind: Kind | None = None
    states: tuple[State, ...] = ()
    sender: str = ""
    recipient: str = ""
    rule: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How much kept mail there is: held mail by state, quarantined mail that waits by its class of retention, and when
    the held message came that waits longest. What has ended does not count."""

    held: Mapping[State, int]
    quarantined: Mapping[str, int]
    oldest: datetime | None = None


class MailStore(Protocol):
    """Kept mail. What `own` has returned from survives a crash and a power cut at any later instant."""

    async def own(self, kept: KeptMail, raw: Raw) -> None:
        """Put a message on stable storage: bytes and entry. Raises StoreUnavailable, and then owns nothing."""
        ...

    async def get(self, id: str) -> KeptMail | None:
        """The entry of that id."""
        ...

    async def find(self, query: Query) -> Sequence[KeptMail]:
        """Entries that match, newest first."""
        ...

    async def raw(self, id: str) -> Raw:
        """The bytes as they were owned. Raises StoreUnavailable where they are gone or are not what they were."""
        ...

    async def move(self, id: str, *, before: State, after: State, step: Step) -> bool:
        """From one state to the next, once: False if another process was faster, or the state is not `before`."""
        ...

    async def note(self, id: str, step: Step) -> None:
        """Record a step that leaves the state as it is: an approval of several, a view, a reminder."""
        ...

    async def steps(self, id: str) -> Sequence[Step]:
        """What happened to it, oldest first."""
        ...

    async def tally(self) -> Tally:
        """What there is, counted. Raises StoreUnavailable."""
        ...

    async def discard_content(self, id: str) -> None:
        """Destroy the bytes of a message whose way is over; its entry and steps stay."""
        ...

    async def forget(self, id: str) -> None:
        """Remove all there is of a message whose way is over, also its entry and steps. Twice does no harm."""
        ...

    async def close(self) -> None:
        """End the store's work."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """Leave to act once on one message, for whoever has the secret of which `digest` is the SHA-256 in hexadecimal.

    `acts` are what may be done with it, `person` in whose name. `used` is when it was, None while it was not.
    """

    digest: str
    message: str
    acts: tuple[str, ...]
    person: str
    expires: datetime
    used: datetime | None = None


class Codes(Protocol):
    """Single-use codes, by their digests: the secrets themselves are nowhere."""

    async def put(self, codes: Sequence[Code]) -> None:
        """Remember codes. Raises StoreUnavailable."""
        ...

    async def peek(self, digest: str) -> Code | None:
        """The code of that digest, used or not. Raises StoreUnavailable."""
        ...

    async def redeem(self, digest: str, moment: datetime) -> bool:
        """Use it up: True for one caller only, False if it is used or is not there. Raises StoreUnavailable."""
        ...

    async def forget(self, before: datetime) -> int:
        """Drop the codes that expired before that moment; how many. Raises StoreUnavailable."""
        ...


class Written(list[Any]):
    """A list that many records have as their fact, with its JSON text, so that a trail need not write it each time.

    Nobody changes it.
    """

    __slots__ = ("text",)

    def __init__(self, values: Sequence[Any]) -> None:
        super().__init__(values)
        self.text = canonical(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """What is remembered of one message for one recipient, or of one act of a person (regulations 1.6).

    `event` is message, decision, notice, view, policy or another word of ours; `facts` its fields, as plain JSON
    values.
    """

    id: str
    moment: datetime
    event: str
    retention: str = "decision"
    facts: dict[str, Any] = field(default_factory=dict)


class AuditTrail(Protocol):
    """The memory of the gateway: append-only, and chained so that a change or a gap shows."""

    async def append(self, records: Sequence[AuditRecord]) -> None:
        """Remember; on stable storage when it returns. Raises StoreUnavailable."""
        ...

    def search(self, *, since: datetime | None, until: datetime | None, **equal: str) -> AsyncIterator[AuditRecord]:
        """Records in a span of time whose facts (id, sender, recipient, rule, action, ...) are these, oldest first."""
        ...

    async def verify(self) -> Sequence[str]:
        """What does not fit the chain, in words with the record's number; nothing if it is whole."""
        ...

    async def close(self) -> None:
        """End the trail's work."""
        ...
