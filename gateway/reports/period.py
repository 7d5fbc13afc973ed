"""Days and months in Asia/Ho_Chi_Minh, by which reports count."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from gateway.policy.logic import HOME_ZONE
from gateway.reports.tallies import Span


def span_of(first: date, last: date) -> Span:
    """From the beginning of the first day to the end of the last."""
    return Span(_midnight(first), _midnight(last + timedelta(days=1)))


def months(span: Span) -> Iterator[tuple[str, Span]]:
    """The months of a span, each as `2026-03` with the part of it that is in the span."""
    since = span.since
    while since < span.until:
        local = since.astimezone(HOME_ZONE)
        following = _midnight((local.date().replace(day=1) + timedelta(days=32)).replace(day=1))
        yield f"{local:%Y-%m}", Span(since, min(following, span.until))
        since = following


def days(span: Span) -> list[date]:
    """Every day of a span."""
    first, last = first_day(span), last_day(span)
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def first_day(span: Span) -> date:
    """The day on which it begins."""
    return span.since.astimezone(HOME_ZONE).date()


def last_day(span: Span) -> date:
    """The last day that has a part in it."""
    return (span.until - timedelta(microseconds=1)).astimezone(HOME_ZONE).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), HOME_ZONE)
