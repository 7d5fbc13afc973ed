"""A trail of a small office: three accounts, some mail, everything through the real store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.keeping import AuditRecord
from gateway.mail import Account
from gateway.reports.people import People
from gateway.reports.period import span_of
from gateway.reports.tallies import Span
from gateway.store.open import open_store
from gateway.store.pseudonyms import Pseudonyms
from gateway.store.summaries import Summaries
from tests.store.families import record

NOON = datetime(2026, 3, 10, 12, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
QUARTER: Span = span_of(date(2026, 1, 1), date(2026, 3, 31))
ACCOUNTS = {
    each.address: each
    for each in (
        Account(address="an@example.gov.vn", kind="person", unit="office"),
        Account(address="binh@example.gov.vn", kind="person", unit="office"),
        Account(address="chi@example.gov.vn", kind="person", unit="finance", state="locked"),
        Account(address="dung@example.gov.vn", kind="person", unit="finance"),
    )
}
KEY = bytes(range(32))


def message(**changes: Any) -> AuditRecord:
    """A message from outside to An, handed on."""
    facts: dict[str, Any] = {
        "moment": NOON,
        "direction": "inbound",
        "sender": "a@example.org",
        "recipient": "an@example.gov.vn",
        "account": "",
        "action": "accept",
        "client": "192.0.2.1",
        "rules": [],
        "clauses": [],
        "answers": [],
        "findings": [],
    }
    return record(**facts | changes)


def sent(**changes: Any) -> AuditRecord:
    """A message from An to outside."""
    return message(
        **{"direction": "outbound", "sender": "an@example.gov.vn", "recipient": "x@example.org"} | changes
    )


def held(rule: str, mode: str = "enforce", **changes: Any) -> AuditRecord:
    """A message for which a rule held."""
    answer = {"rule": rule, "mode": mode, "result": "match", "action": "reject", "because": "found <b>it</b>"}
    return message(**{"rules": [rule], "answers": [answer], "action": "reject", "clauses": ["test/9"]} | changes)


def months_later(number: int) -> datetime:
    """Noon so many times thirty days later."""
    return NOON + timedelta(days=30 * number)


Trail = Callable[..., Any]


@pytest.fixture
def trail(tmp_path: Path) -> Trail:
    """`await trail(record, ...)` is a trail with these records; with `key=` under pseudonyms."""

    async def opened(*records: AuditRecord, key: bytes = b"") -> Summaries:
        stores = await open_store(tmp_path / "store", pseudonyms=Pseudonyms(key) if key else None)
        await stores.trail.append(records)
        await stores.close()
        return Summaries(tmp_path / "store")

    return opened


@pytest.fixture
def people() -> People:
    """The directory's accounts, as they stand in a trail without pseudonyms."""
    return People(ACCOUNTS, str)
