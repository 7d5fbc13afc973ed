"""A report as one HTML file that needs nothing else: style and drawings inside, no script, everything escaped."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from gateway.reports.cells import written
from gateway.reports.charts import svg
from gateway.reports.model import Report
from gateway.reports.period import first_day, last_day

_TEMPLATES = Path(__file__).parent / "templates"

_environment = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_environment.globals["zip"] = zip


_environment.filters["cell"] = written


def html(report: Report, *, organisation: str, made: datetime) -> str:
    """The whole page."""
    return _environment.get_template("report.html").render(
        report=report,
        organisation=organisation,
        first=f"{first_day(report.span):%d/%m/%Y}",
        last=f"{last_day(report.span):%d/%m/%Y}",
        made=written(made),
        charts=[(chart, svg(chart)) for chart in report.charts],
        style=Markup((_TEMPLATES / "report.css").read_text()),  # noqa: S704 - our own file
    )
