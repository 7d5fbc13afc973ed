"""A table of a report as CSV (RFC 4180), for a table program: UTF-8 with a byte order mark, no cell a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from gateway.reports.cells import plain
from gateway.reports.model import Table, Value

MARK = "\ufeff"
"""Without it Excel takes UTF-8 for the code page of the machine, and Vietnamese is lost."""

FORMULA = ("=", "+", "-", "@")
"""What makes a table program run a cell (OWASP, CSV injection); such cells begin with an apostrophe instead. Tabs and
line ends, which it would skip, are none any more (`cells.printable`)."""


def csv_lines(table: Table) -> Iterator[str]:
    """A line of headings, then one line a row, each with its line end."""
    yield MARK + _line([f"{column.title.vi} / {column.title.en}" for column in table.columns])
    for row in table.rows:
        yield _line([_cell(value) for value in row])


def _cell(value: Value) -> str:
    """Numbers are left as they are: a negative one is no formula, and there are none."""
    if value is None:
        return ""
    text = " ".join(plain(value)) if isinstance(value, tuple) else str(plain(value))
    return "'" + text if isinstance(value, (str, tuple)) and text.lstrip(" ").startswith(FORMULA) else text


def _line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
