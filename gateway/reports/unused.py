"""unused: accounts of the directory that neither sent nor received in the period (the six-monthly list)."""

from __future__ import annotations

from gateway.reports.model import Column, Report, Table, Value, Words
from gateway.reports.people import People
from gateway.reports.tallies import Span, Tallies
from gateway.reports.usage import NOTES, UNIT, uses

COLUMNS = (
    UNIT,
    Column("account", Words("Hộp thư", "Account")),
    Column("kind", Words("Loại", "Kind")),
    Column("state", Words("Trạng thái", "State")),
    Column("last_sent", Words("Gửi lần cuối", "Last sent"), "moment"),
    Column("last_received", Words("Nhận lần cuối", "Last received"), "moment"),
)


def unused(tallies: Tallies, people: People, span: Span, unit: str = "") -> Report:
    """The report for one unit, or for all if it is ""."""
    people = people.in_unit(unit)
    used = uses(tallies, people, span)
    rows: list[tuple[Value, ...]] = [
        (name, each.address, each.kind, each.state, *tallies.last_used(people.recorded(each.address)))
        for name, accounts in people.units.items()
        for each in accounts
        if not used[each.address].any
    ]
    counts: list[tuple[Value, ...]] = [
        (name, len(accounts), sum(not used[each.address].any for each in accounts))
        for name, accounts in people.units.items()
    ]
    columns = (
        UNIT,
        Column("accounts", Words("Số tài khoản", "Accounts"), "number"),
        Column("unused", Words("Không sử dụng", "Unused"), "number"),
    )
    return Report(
        key="unused",
        title=Words("Danh sách hộp thư công vụ không sử dụng", "Official mailboxes without use"),
        span=span,
        unit=unit,
        tables=(
            Table("accounts", Words("Hộp thư không gửi và không nhận", "Neither sent nor received"), COLUMNS, rows),
            Table("units", Words("Theo đơn vị", "By unit"), columns, counts),
        ),
        notes=NOTES,
    )
