"""spam: volumes of inbound mail and what was done with it, by day; what the rules on spam held for, and from where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from gateway.mail import Direction
from gateway.policy.model import Policy
from gateway.reports.model import Chart, Column, Report, Table, Value, Words
from gateway.reports.period import days
from gateway.reports.tallies import Span, Tallies
from gateway.verdict import Action

FILTERS = frozenset({"spam", "dns_lists", "greylist"})
"""Filters that look for spam: rules that ask one of them are rules on spam."""

TOP = 20
"""Sources named."""

VIETNAMESE = {
    Action.ACCEPT: "Cho qua",
    Action.TAG: "Gắn nhãn",
    Action.HOLD: "Chờ duyệt",
    Action.QUARANTINE: "Cách ly",
    Action.DISCARD: "Hủy",
    Action.DEFER: "Tạm hoãn",
    Action.REJECT: "Từ chối",
}
"""The actions as headings say them."""

ACTIONS = tuple(action.word for action in Action)

_ACTION = Column("action", Words("Xử lý", "Action"))
_BY_DAY = (
    Column("day", Words("Ngày", "Day")),
    *(Column(action.word, Words(VIETNAMESE[action], action.word), "number") for action in Action),
    Column("total", Words("Tổng", "Total"), "number"),
)

MESSAGES = Column("messages", Words("Số thư", "Messages"), "number")

NOTES = (
    Words(
        "Tính theo người nhận; gồm thư đã nhận toàn bộ nội dung, không gồm phiên bị từ chối trước khi gửi nội dung.",
        "For each recipient; mail whose content came, without sessions that were refused before.",
    ),
)


def spam_rules(policy: Policy) -> tuple[str, ...]:
    """The policy's rules on spam."""
    return tuple(rule.id.text for rule in policy.rules if rule.filters & FILTERS)


def spam(tallies: Tallies, rules: Sequence[str], span: Span) -> Report:
    """The report. `rules` are the rules on spam; without any, only the volumes can be told."""
    names = days(span)
    volumes = _by_day(tallies, span)
    caught = _by_day(tallies, span, rules) if rules else {}
    title = Words("Thư đến theo cách xử lý", "Inbound mail by action")
    tables = [
        Table("actions", title, (_ACTION, MESSAGES), _sums(volumes)),
        Table("days", Words("Thư đến theo ngày", "Inbound mail by day"), _BY_DAY, _rows(volumes, names)),
        Table("spam_days", Words("Thư rác theo ngày", "Spam by day"), _BY_DAY, _rows(caught, names)),
    ]
    if rules:
        tables += [_rules(tallies, rules, span), *_sources(tallies, rules, span)]
    none = Words(
        "Chính sách chưa có quy tắc nào dùng bộ lọc thư rác.", "The policy has no rule that asks a spam filter."
    )
    return Report(
        key="spam",
        title=Words("Báo cáo thư rác", "Spam"),
        span=span,
        tables=tuple(tables),
        charts=(
            _chart(Words("Thư đến theo ngày", "Inbound mail by day"), volumes, names),
            _chart(Words("Thư rác theo ngày", "Spam by day"), caught, names),
        ),
        notes=NOTES if rules else (*NOTES, none),
    )


def _by_day(tallies: Tallies, span: Span, rules: Collection[str] = ()) -> dict[date, Counter[str]]:
    found: dict[date, Counter[str]] = {}
    for day, action, messages in tallies.daily(span, Direction.INBOUND, rules):
        found.setdefault(day, Counter())[action] += messages
    return found


def _rows(counted: Mapping[date, Counter[str]], names: list[date]) -> list[tuple[Value, ...]]:
    return [
        (day.isoformat(), *(counted[day][action] for action in ACTIONS), counted[day].total())
        for day in names
        if day in counted
    ]


def _sums(counted: Mapping[date, Counter[str]]) -> list[tuple[Value, ...]]:
    total: Counter[str] = Counter()
    for each in counted.values():
        total.update(each)
    return [(action, total[action]) for action in ACTIONS]


def _rules(tallies: Tallies, rules: Sequence[str], span: Span) -> Table:
    columns = (Column("rule", Words("Quy tắc", "Rule")), MESSAGES)
    counts = tallies.by_rule(span, Direction.INBOUND, rules)
    return Table("rules", Words("Theo quy tắc", "By rule"), columns, list(zip(rules, counts, strict=True)))


def _sources(tallies: Tallies, rules: Sequence[str], span: Span) -> list[Table]:
    domains = tallies.sources(span, Direction.INBOUND, rules, "domain", TOP)
    clients = tallies.sources(span, Direction.INBOUND, rules, "client", TOP)
    columns = (Column("source", Words("Nguồn", "Source")), MESSAGES)
    return [
        Table("domains", Words("Tên miền gửi nhiều nhất", "Most by sender's domain"), columns, domains),
        Table("clients", Words("Máy gửi nhiều nhất", "Most by client address"), columns, clients),
    ]


def _chart(title: Words, counted: Mapping[date, Counter[str]], names: list[date]) -> Chart:
    shown = [action for action in ACTIONS if any(each[action] for each in counted.values())]
    return Chart(
        title,
        [f"{day:%d/%m}" for day in names],
        {action: [counted.get(day, Counter())[action] for day in names] for action in shown},
    )
