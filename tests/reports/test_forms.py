"""A report given out: nothing in it runs in a table program or a browser, whatever strangers wrote."""

from __future__ import annotations

import csv
import io
import itertools
import json
from datetime import UTC, date, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reports.as_csv import csv_lines
from gateway.reports.as_html import html
from gateway.reports.as_lines import json_lines
from gateway.reports.charts import svg
from gateway.reports.model import Chart, Column, Report, Table, Value, Words
from gateway.reports.period import days, months, span_of

TITLE = Words("Báo cáo", "Report")
KINDS = ("text", "number", "share", "moment", "texts")
COLUMNS = tuple(Column(kind, Words(f"cột {kind}", kind), kind) for kind in KINDS)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVIL = "</td><script>alert(1)</script>\u202e\udce9\x00'\"=cmd|' /C calc'!A0"


def report(*rows: tuple[Value, ...], chart: Chart | None = None) -> Report:
    span = span_of(date(2026, 1, 1), date(2026, 6, 30))
    table = Table("all", TITLE, COLUMNS, rows, more=3)
    return Report(key="x", title=TITLE, span=span, unit=EVIL, tables=(table,), charts=(chart,) if chart else ())


def page(made: Report) -> str:
    return html(made, organisation=EVIL, made=NOON)


class Seen(HTMLParser):
    """The tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def looked_at(text: str) -> Seen:
    seen = Seen()
    seen.feed(text)
    return seen


CHART = Chart(TITLE, [EVIL, "b"], {EVIL: [1, 2], "": [3, 4]})


def test_a_page_runs_nothing_and_loads_nothing() -> None:
    text = page(report((EVIL, 1, 0.5, NOON, (EVIL, "b")), chart=CHART))
    seen = looked_at(text)
    assert seen.tags & {"script", "link", "img", "iframe", "object", "form", "a", "base"} == set()
    assert not {name for name in seen.attributes if name.startswith("on") or name in ("src", "href", "style")}
    assert "default-src 'none'" in text
    assert "\u202e" not in text
    assert "\x00" not in text
    text.encode()
    for word in ("Báo cáo", "Report", "1,", "50.0%", "2026-03-01 19:00", "3 older rows", "01/01/2026", "30/06/2026"):
        assert word.rstrip(",") in text, word


@given(st.text(), st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=400))
def test_any_chart_is_one_drawing(name: str, values: list[int]) -> None:
    drawing = str(svg(Chart(TITLE, [name] * len(values), {name: values, "b": values})))
    assert (drawing == "") is not any(values)
    seen = looked_at(drawing)
    assert seen.tags <= {"svg", "title", "line", "rect", "text"}
    assert drawing.count("<svg") == drawing.count("</svg>") <= 1


FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "=HYPERLINK(\"x\")")


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_of_a_csv_is_a_formula(formula: str) -> None:
    lines = list(csv_lines(report((formula, 1, 0.5, NOON, (formula,))).tables[0]))
    _, row = csv.reader(io.StringIO("".join(lines).removeprefix("\ufeff")))
    for cell in (row[0], row[4]):
        assert not cell.strip().startswith(("=", "+", "-", "@")), cell


def test_a_csv_is_utf_8_with_a_mark_and_has_numbers_as_numbers() -> None:
    lines = list(csv_lines(report(("thư, số", 1234, 0.25, NOON, ("M1", "M2")), ("", -1, None, None, ())).tables[0]))
    assert lines[0].startswith("\ufeffcột text / text,")
    first, second = csv.reader(lines[1:])
    assert first == ["thư, số", "1234", "0.25", "2026-03-01T19:00:00+07:00", "M1 M2"]
    assert second == ["", "-1", "", "", ""]


@given(st.text(), st.lists(st.text()).map(tuple))
def test_any_text_can_be_written_in_every_form(text: str, texts: tuple[str, ...]) -> None:
    made = report((text, 1, 0.5, NOON, texts))
    for line in json_lines(made):
        assert json.loads(line)["number"] == 1
        line.encode()
    rows = list(csv.reader(io.StringIO("".join(csv_lines(made.tables[0])).removeprefix("\ufeff"))))
    assert [len(row) for row in rows] == [5, 5]
    assert len(looked_at(page(made)).tags) > 5


def test_months_and_days_are_those_of_vietnam() -> None:
    span = span_of(date(2025, 12, 31), date(2026, 2, 1))
    assert span.since == datetime(2025, 12, 30, 17, tzinfo=UTC)
    assert span.until == datetime(2026, 2, 1, 17, tzinfo=UTC)
    assert [name for name, _ in months(span)] == ["2025-12", "2026-01", "2026-02"]
    parts = [part for _, part in months(span)]
    assert (parts[0].since, parts[-1].until) == (span.since, span.until)
    assert all(one.until == next.since for one, next in itertools.pairwise(parts))
    assert len(days(span)) == 33
