"""What the dashboards have in common: the gateways chosen at the top, links to each other, changes of the policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model
from parts import HERE, SOURCE

TAG = "mailwarden"

Panels = Sequence[Builder[model.Panel] | dashboard.Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A dashboard: its file and uid are the name, `text` says what questions it answers."""

    name: str
    title: str
    text: str
    panels: Panels


class _Marks(dashboard.AnnotationQuery):
    """Marks in every panel where a query has an answer. The SDK's type lacks the words that Grafana shows with them."""

    def __init__(self, name: str, expression: str, *, title: str, text: str, colour: str, shown: bool) -> None:
        super().__init__()
        self._made = _Worded(name=name, datasource=SOURCE, enable=shown, icon_color=colour, expr=expression)
        self._made.extra = {"titleFormat": title, "textFormat": text, "step": "15s"}

    def build(self) -> model.AnnotationQuery:
        return self._made


class _Worded(model.AnnotationQuery):
    extra: dict[str, object]

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), **self.extra}


def _policy_changes() -> _Marks:
    """A policy came into force: its digest was not there five minutes before."""
    there = f"max by (instance, digest) (mailwarden_policy_info{{{HERE}}}"
    return _Marks(
        "Policy changed",
        f"{there}) unless {there} offset 5m)",
        title="Policy changed",
        text="{{digest}} on {{instance}}",
        colour="purple",
        shown=True,
    )


def _alerts() -> _Marks:
    return _Marks(
        "Alerts",
        'ALERTS{alertname=~"Mailwarden.*", alertstate="firing"}',
        title="{{alertname}}",
        text="{{severity}} {{instance}}",
        colour="red",
        shown=False,
    )


def built(board: Board) -> model.Dashboard:
    """The dashboard as Grafana reads it."""
    made = dashboard.Dashboard(board.title).uid(f"mailwarden-{board.name}").description(board.text).tags([TAG])
    made.time("now-6h", "now").refresh("30s").timezone("browser").editable()
    made.tooltip(model.DashboardCursorSync.CROSSHAIR)
    made.with_variable(dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    made.with_variable(
        dashboard.QueryVariable("instance")
        .label("Gateway")
        .datasource(SOURCE)
        .query("label_values(mailwarden_build_info, instance)")
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(model.VariableOption(selected=True, text="All", value="$__all"))
    )
    made.annotation(_policy_changes()).annotation(_alerts())
    made.link(
        dashboard.DashboardLink("Mailwarden")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .keep_time(True)
        .include_vars(True)
    )
    for panel in board.panels:
        if isinstance(panel, dashboard.Row):
            made.with_row(panel)
        else:
            made.with_panel(panel)
    dashboard_made = made.build()
    for number, each in enumerate(dashboard_made.panels or (), 1):
        each.id_val = number
    return dashboard_made
