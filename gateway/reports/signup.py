"""signup: mail from services that an official address was used with, by unit, service and category."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.reports.model import Chart, Column, Report, Table, Value, Words
from gateway.reports.people import People
from gateway.reports.tallies import Span, Tallies
from gateway.reports.usage import UNIT

FILTER = "signup"

CHARTED = 20
"""Services in the chart."""

COLUMNS = (
    UNIT,
    Column("service", Words("Dịch vụ", "Service")),
    Column("category", Words("Loại dịch vụ", "Category")),
    Column("kind", Words("Loại thư", "Kind of mail")),
    Column("messages", Words("Số thư", "Messages"), "number"),
    Column("stopped", Words("Đã giữ hoặc từ chối", "Kept or refused"), "number"),
    Column("accounts", Words("Số hộp thư", "Accounts"), "number"),
    Column("last", Words("Lần cuối", "Last"), "moment"),
)

ACCOUNTS = (
    UNIT,
    Column("account", Words("Hộp thư", "Account")),
    *COLUMNS[1:6],
    Column("last", Words("Lần cuối", "Last"), "moment"),
)

NOTES = (
    Words(
        "Người khác có thể tự ý nhập địa chỉ công vụ khi đăng ký: số liệu này không chứng minh người dùng đã đăng ký.",
        "Others can type an official address into a form: this does not prove that its holder signed up.",
    ),
)


@dataclass(slots=True)
class Seen:
    """Mail of one service to one account."""

    last: datetime
    messages: int = 0
    stopped: int = 0


@dataclass(frozen=True, slots=True, order=True)
class _Key:
    unit: str
    account: str
    service: str
    category: str
    kind: str


@dataclass(slots=True)
class _Sum:
    last: datetime
    messages: int = 0
    stopped: int = 0
    accounts: set[str] = field(default_factory=set)


def signup(tallies: Tallies, people: People, span: Span, unit: str = "") -> Report:
    """The report for one unit, or for all if it is ""."""
    seen: dict[_Key, Seen] = {}
    for record in tallies.found(span, FILTER):
        account = people.concerned(record.facts)
        named = (account.unit, account.address) if account else ("", "")
        if unit and named[0] != unit:
            continue
        for found in {_finding(each) for each in record.facts["findings"] if _of_signup(each)}:
            each = seen.setdefault(_Key(*named, *found), Seen(record.moment))
            each.last = record.moment
            each.messages += 1
            each.stopped += record.facts.get("action") not in ("accept", "tag")
    return Report(
        key="signup",
        title=Words("Báo cáo đăng ký dịch vụ bằng thư điện tử công vụ", "Sign-up mail from outside services"),
        span=span,
        unit=unit,
        tables=(
            Table("services", Words("Theo đơn vị và dịch vụ", "By unit and service"), COLUMNS, _by_service(seen)),
            Table("accounts", Words("Theo hộp thư", "By account"), ACCOUNTS, _by_account(seen)),
        ),
        charts=(_chart(seen),),
        notes=NOTES,
    )


def _of_signup(finding: Mapping[str, Any]) -> bool:
    """True for what a mail of a service is; that it is one of many to one mailbox says nothing more of the service."""
    return str(finding["code"]).startswith(f"{FILTER}.") and finding["code"] != f"{FILTER}.bombing"


def _finding(finding: Mapping[str, Any]) -> tuple[str, str, str]:
    """Service, category and kind of mail."""
    fields = finding.get("fields", {})
    kind = str(finding["code"]).partition(".")[2]
    return str(fields.get("service") or ""), str(fields.get("category") or ""), kind


def _by_service(seen: Mapping[_Key, Seen]) -> list[tuple[Value, ...]]:
    sums: dict[tuple[str, str, str, str], _Sum] = {}
    for key, each in seen.items():
        found = sums.setdefault((key.unit, key.service, key.category, key.kind), _Sum(each.last))
        found.last = max(found.last, each.last)
        found.messages += each.messages
        found.stopped += each.stopped
        found.accounts.add(key.account)
    return [
        (*key, each.messages, each.stopped, len(each.accounts - {""}), each.last) for key, each in sorted(sums.items())
    ]


def _by_account(seen: Mapping[_Key, Seen]) -> list[tuple[Value, ...]]:
    return [
        (key.unit, key.account, key.service, key.category, key.kind, each.messages, each.stopped, each.last)
        for key, each in sorted(seen.items())
    ]


def _chart(seen: Mapping[_Key, Seen]) -> Chart:
    counted: Counter[str] = Counter()
    for key, each in seen.items():
        counted[key.service or "?"] += each.messages
    most = counted.most_common(CHARTED)
    title = Words("Số thư theo dịch vụ", "Messages by service")
    return Chart(title, [service for service, _ in most], {"": [count for _, count in most]})
