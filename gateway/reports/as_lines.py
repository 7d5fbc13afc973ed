"""A report as JSON Lines: one object for each row, with the key of its table."""

from __future__ import annotations

import json
from collections.abc import Iterator

from gateway.reports.cells import plain
from gateway.reports.model import Report


def json_lines(report: Report) -> Iterator[str]:
    """The rows of all tables, table by table, without line ends."""
    for table in report.tables:
        for row in table.rows:
            cells = {column.key: plain(value) for column, value in zip(table.columns, row, strict=True)}
            yield json.dumps({"report": report.key, "table": table.key} | cells, ensure_ascii=False)
