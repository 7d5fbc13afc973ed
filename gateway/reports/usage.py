"""usage: messages of each account and unit by month, and the share of accounts in use.

The criterion of the regulations on official e-mail (controls `usage-report`, `inactivity`): who has an address, and who
uses it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.mail import Account
from gateway.reports.model import Chart, Column, Report, Table, Value, Words
from gateway.reports.people import People
from gateway.reports.period import months
from gateway.reports.tallies import Span, Tallies

UNIT = Column("unit", Words("Đơn vị", "Unit"))
MONTH = Column("month", Words("Tháng", "Month"))
SENT = Column("sent", Words("Thư đã gửi", "Sent"), "number")
RECEIVED = Column("received", Words("Thư đã nhận", "Received"), "number")

NOTES = (
    Words(
        "Thư đã gửi: mỗi thư tính một lần, không tính thư bị từ chối hoặc tạm hoãn. Thư đã nhận: tính theo người nhận, "
        "không tính thư báo lỗi (người gửi rỗng) và thư đang giữ.",
        "Sent: each message once, without those refused or deferred. Received: for each recipient, without bounces "
        "(no sender) and without what is kept.",
    ),
    Words(
        "Chỉ tính thư đi qua cổng này; đăng nhập và đọc thư không nhìn thấy được ở đây.",
        "Only mail that passed this gateway counts; logins and reading are not seen here.",
    ),
)


@dataclass(slots=True)
class Use:
    """What one account did in each month."""

    sent: Counter[str] = field(default_factory=Counter)
    received: Counter[str] = field(default_factory=Counter)

    @property
    def any(self) -> bool:
        """True if it sent or received anything."""
        return bool(self.sent or self.received)


def usage(tallies: Tallies, people: People, span: Span, unit: str = "") -> Report:
    """The report for one unit, or for all if it is ""."""
    people = people.in_unit(unit)
    used = uses(tallies, people, span)
    names = [name for name, _ in months(span)]
    return Report(
        key="usage",
        title=Words("Báo cáo tình hình sử dụng thư điện tử công vụ", "Use of official e-mail"),
        span=span,
        unit=unit,
        tables=(_by_unit(people, used), _by_month(people, used, names), _by_account(people, used)),
        charts=(
            Chart(
                Words("Số thư theo tháng", "Messages by month"),
                names,
                {
                    "Gửi / sent": [sum(each.sent[name] for each in used.values()) for name in names],
                    "Nhận / received": [sum(each.received[name] for each in used.values()) for name in names],
                },
            ),
        ),
        notes=NOTES,
    )


def uses(tallies: Tallies, people: People, span: Span) -> Mapping[str, Use]:
    """What each account did, by address. Who sends counts by login, and by sender where the login is nobody's."""
    used = {address: Use() for address in people.accounts}
    for name, month in months(span):
        for sent in tallies.sent(month):
            if account := people.of(sent.account) or people.of(sent.sender):
                used[account.address].sent[name] += sent.messages
        for received in tallies.received(month):
            if account := people.of(received.recipient):
                used[account.address].received[name] += received.messages
    return used


def _by_unit(people: People, used: Mapping[str, Use]) -> Table:
    columns = (
        UNIT,
        Column("accounts", Words("Số tài khoản", "Accounts"), "number"),
        Column("active", Words("Đang hoạt động", "Active"), "number"),
        Column("in_use", Words("Có sử dụng", "In use"), "number"),
        Column("share", Words("Tỷ lệ sử dụng", "Share in use"), "share"),
        SENT,
        RECEIVED,
    )
    groups = [*people.units.items(), ("Tổng / total", list(people.accounts.values()))]
    return Table("units", Words("Theo đơn vị", "By unit"), columns, [_unit(*each, used) for each in groups])


def _unit(name: str, accounts: list[Account], used: Mapping[str, Use]) -> tuple[Value, ...]:
    active = [each for each in accounts if each.state == "active"]
    in_use = sum(used[each.address].any for each in active)
    sent = sum(used[each.address].sent.total() for each in accounts)
    received = sum(used[each.address].received.total() for each in accounts)
    return (name, len(accounts), len(active), in_use, in_use / len(active) if active else None, sent, received)


def _by_month(people: People, used: Mapping[str, Use], names: list[str]) -> Table:
    in_use = Column("in_use", Words("Tài khoản có sử dụng", "Accounts in use"), "number")
    columns = (UNIT, MONTH, in_use, SENT, RECEIVED)
    rows: list[tuple[Value, ...]] = []
    for unit, accounts in people.units.items():
        mine = [used[each.address] for each in accounts]
        rows += [
            (
                unit,
                name,
                sum(bool(each.sent[name] or each.received[name]) for each in mine),
                sum(each.sent[name] for each in mine),
                sum(each.received[name] for each in mine),
            )
            for name in names
        ]
    return Table("months", Words("Theo đơn vị và tháng", "By unit and month"), columns, rows)


def _by_account(people: People, used: Mapping[str, Use]) -> Table:
    columns = (
        UNIT,
        Column("account", Words("Hộp thư", "Account")),
        Column("state", Words("Trạng thái", "State")),
        MONTH,
        SENT,
        RECEIVED,
    )
    rows: list[tuple[Value, ...]] = [
        (account.unit, account.address, account.state, name, use.sent[name], use.received[name])
        for accounts in people.units.values()
        for account in accounts
        if (use := used[account.address]).any
        for name in sorted(use.sent.keys() | use.received.keys())
    ]
    return Table("accounts", Words("Theo hộp thư và tháng", "By account and month"), columns, rows)
