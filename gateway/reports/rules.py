"""rules: how often each rule held, and how much of what it kept people let go on: its share of false alarms."""

from __future__ import annotations

from collections import defaultdict

from gateway.reports.model import Column, Report, Table, Value, Words
from gateway.reports.released import Fates, fates
from gateway.reports.tallies import Span, Tallies

COLUMNS = (
    Column("rule", Words("Quy tắc", "Rule")),
    Column("mode", Words("Chế độ", "Mode")),
    Column("messages", Words("Số thư", "Messages"), "number"),
    Column("released", Words("Được cho đi tiếp", "Released"), "number"),
    Column("refused", Words("Bị từ chối hoặc xóa", "Refused or deleted"), "number"),
    Column("false_alarms", Words("Tỷ lệ báo động nhầm", "False alarms"), "share"),
)

NOTES = (
    Words(
        "Tỷ lệ tính trên thư đã có người quyết định. Quy tắc ở chế độ shadow được tính theo thư mà quy tắc khác "
        "đã giữ.",
        "The share is of mail that people decided on. A rule in shadow is counted by what other rules have kept.",
    ),
)


def rules(tallies: Tallies, span: Span) -> Report:
    """The report; messages count once, however many recipients they have. Decisions count that fall into the span."""
    messages: dict[tuple[str, str], set[str]] = defaultdict(set)
    for hit in tallies.hits(span):
        messages[hit.rule, hit.mode].add(hit.record.id)
    known = fates(tallies.decisions(span))
    return Report(
        key="rules",
        title=Words("Báo cáo quy tắc và báo động nhầm", "Rules and their false alarms"),
        span=span,
        tables=(
            Table(
                "rules",
                Words("Theo quy tắc", "By rule"),
                COLUMNS,
                [_row(*key, ids, known) for key, ids in sorted(messages.items())],
            ),
        ),
        notes=NOTES,
    )


def _row(rule: str, mode: str, ids: set[str], known: Fates) -> tuple[Value, ...]:
    released, refused = len(ids & known.released), len(ids & known.refused)
    decided = released + refused
    return rule, mode, len(ids), released, refused, released / decided if decided else None
