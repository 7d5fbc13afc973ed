"""What a report is: tables with typed columns, charts, and notes, all headed in Vietnamese and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from gateway.reports.tallies import Span

Value = str | int | float | date | datetime | tuple[str, ...] | None
"""A cell. A float is a share of one; a tuple several texts."""

Kind = Literal["text", "number", "share", "moment", "texts"]


@dataclass(frozen=True, slots=True)
class Words:
    """A heading in both languages."""

    vi: str
    en: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its key in JSON and CSV, its heading, what its cells are."""

    key: str
    title: Words
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns. `key` names it for scripts; `more` is the number of rows that were left out."""

    key: str
    title: Words
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Value, ...]]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars side by side or in a pile, one for each label, from series of equal length."""

    title: Words
    labels: Sequence[str]
    series: Mapping[str, Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report. The first table is what it is about; `notes` say how it was counted and what it cannot tell."""

    key: str
    title: Words
    span: Span
    unit: str = ""
    tables: tuple[Table, ...]
    charts: tuple[Chart, ...] = ()
    notes: tuple[Words, ...] = ()
