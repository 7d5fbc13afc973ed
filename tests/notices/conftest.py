"""What the tests of notices share: a message to tell of, one notice of each kind, an outbox in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.errors import StoreUnavailable
from gateway.notices.compose import Letterhead
from gateway.notices.guard import Audience
from gateway.notices.model import (
    AppliedRecipient,
    AppliedSender,
    ApprovalEscalation,
    ApprovalReminder,
    ApprovalRequest,
    DecidedSender,
    Decision,
    DigestRecipient,
    FloodSummary,
    GatheredSummary,
    HeldSender,
    KeptRecipient,
    Notice,
    NoticeKind,
    OfficerAlert,
    ReleasedRecipient,
)
from gateway.notices.original import Attached, Original
from gateway.notices.outbox import BATCH, MOST_WAITING, Letter
from gateway.policy.rule import Bilingual
from gateway.verdict import Action

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
KEY = bytes(range(32))
LETTERHEAD = Letterhead(mailbox="mailwarden@example.gov.vn", hostname="mx.example.gov.vn", key=KEY)
AUDIENCE = Audience(
    domains=frozenset({"example.gov.vn"}), named=frozenset({"officer@soc.example.net", "no-reply@example.net"}), key=KEY
)
TEXT = Bilingual(vi="Theo Điều 9 của quy chế.\nXem https://example.gov.vn/quy-che", en="Under article 9.")
LINK = "https://mx.example.gov.vn/decide?id=1&token=abc"


def original(**changes: Any) -> Original:
    """A message from inside to two people outside, held for approval, with changes."""
    values: dict[str, Any] = {
        "id": "06ES4D1KQ2Z7N8XYAB",
        "received": NOW,
        "direction": "outbound",
        "sender": "an@example.gov.vn",
        "recipients": ("binh@example.com", "chi@example.org"),
        "header_from": "Nguyễn Văn An <an@example.gov.vn>",
        "subject": "Báo cáo quý III",
        "message_id": "<quy3@example.gov.vn>",
        "size": 2_512_345,
        "rules": ("outgoing-approval",),
        "clauses": ("khanhhoa-2021/9",),
        "because": "the sender is the office's mailbox",
        "held": True,
        "expires": NOW + timedelta(days=7),
        "files": (Attached("bao-cao.pdf", "application/pdf", 1_234_567, "ab" * 32),),
        "file_count": 1,
    }
    return Original(**values | changes)


def foreign(**changes: Any) -> Original:
    """A message from a stranger, quarantined, with changes."""
    values: dict[str, Any] = {
        "direction": "inbound",
        "sender": "news@shop.example",
        "recipients": ("dung@example.gov.vn",),
        "header_from": "Shop",
        "subject": "Mã xác nhận của bạn",
        "message_id": "<1@shop.example>",
        "held": False,
    }
    return original(**values | changes)


def notices(about: Original, text: Bilingual | None = TEXT, **changes: Any) -> dict[str, Notice]:
    """One notice of each kind about this message, by kind; `changes` are for all that have such a field."""
    common: dict[str, Any] = {"to": "dung@example.gov.vn", "moment": NOW, "original": about, "text": text}
    asked: dict[str, Any] = {
        **common,
        "link": LINK,
        "code": "K7QX-29MD",
        "others": ("em@example.gov.vn",),
        "quorum": 2,
        "until": NOW + timedelta(hours=3),
    }
    period: dict[str, Any] = {"since": NOW - timedelta(hours=1), "until": NOW, "occasion": "1"}
    people = {"to": common["to"], "moment": NOW}
    each: list[Notice] = [
        KeptRecipient(**common, link=LINK),
        ReleasedRecipient(**common, comment="Đã kiểm tra"),
        HeldSender(**common, approvers=("dung@example.gov.vn",), until=NOW + timedelta(hours=3)),
        DecidedSender(**common, decision=Decision.RETURNED, actor="dung@example.gov.vn", comment="Thiếu phụ lục"),
        ApprovalRequest(**asked),
        ApprovalReminder(**asked, occasion="2"),
        ApprovalEscalation(**asked, asked=("giang@example.gov.vn",)),
        OfficerAlert(**common, action=Action.REJECT),
        AppliedRecipient(**common, action=Action.REJECT),
        AppliedSender(**common, action=Action.QUARANTINE),
        DigestRecipient(**people, **period, kept=(about,), total=3),
        FloodSummary(**people, **period, of=NoticeKind.KEPT_RECIPIENT, suppressed=1234),
        GatheredSummary(
            **people,
            **period,
            of=NoticeKind.KEPT_RECIPIENT,
            rule="signup-bombing",
            clauses=about.clauses,
            text=text,
            total=1234,
            sources=((about.sender, 1000), ("shopee", 4)),
            recipients=(str(common["to"]), *about.recipients),
        ),
    ]
    return {notice.kind.value: notice for notice in each}


@dataclass
class MemoryOutbox:
    """The promises of an outbox but for crashes. Calls in `broken` raise StoreUnavailable; `due` sets `asked`."""

    waiting: dict[str, tuple[datetime, Letter]] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def put(self, letter: Letter) -> bool:
        self._check("put")
        if letter.id in self.waiting or letter.id in self.sent:
            return False
        if len(self.waiting) >= MOST_WAITING:
            raise StoreUnavailable("full")
        self.waiting[letter.id] = (letter.created, letter)
        return True

    async def due(self, now: datetime) -> Sequence[Letter]:
        self.asked.set()
        self._check("due")
        ready = sorted((due, id) for id, (due, _) in self.waiting.items() if due <= now)
        return [self.waiting[id][1] for _, id in ready[:BATCH]]

    async def failed(self, id: str, again: datetime) -> None:
        self._check("failed")
        if id in self.waiting:
            self.waiting[id] = (again, self.waiting[id][1])

    async def done(self, id: str) -> None:
        self._check("done")
        if self.waiting.pop(id, None):
            self.sent.add(id)

    async def close(self) -> None:
        """Nothing is open."""

    def _check(self, call: str) -> None:
        if call in self.broken:
            raise StoreUnavailable("broken on purpose")
