"""What the dashboards are made of: panels of a few kinds, each with its queries and a line on how to read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as words
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")

HERE = 'instance=~"$instance"'
"""What every query of a gateway's own numbers asks for: the gateways chosen at the top."""

COUNT = "none"
"""The unit of what is counted in whole numbers; growth is estimated between two scrapes and would have fractions."""

Bound = tuple[float | None, str]
"""From this value on (None: from the lowest), this colour."""

Levels = Sequence[Bound]

GOOD_IF_ONE: Levels = ((None, "red"), (1, "green"))
BAD_IF_ANY: Levels = ((None, "green"), (1, "red"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How numbers are written and coloured, and how wide the panel is (of 24 columns)."""

    unit: str = "short"
    width: int = 8
    stacked: bool = False
    levels: Levels = ()
    highest: float | None = None
    words: Mapping[str, str] | None = None
    kind: Literal["value", "name"] = "value"


PROCESS = f'job="mailwarden", {HERE}'
"""The same for the figures of the process, which other programs have under the same names."""


def rate(metric: str, by: str = "", where: str = "") -> str:
    """Events a second of a counter of ours, summed by labels."""
    chosen = f"{HERE}, {where}" if where else HERE
    return f"{_sum(by)}(rate(mailwarden_{metric}{{{chosen}}}[$__rate_interval]))"


def a_minute(metric: str, by: str = "", where: str = "") -> str:
    """Events a minute of a counter of ours, summed by labels."""
    return f"{rate(metric, by, where)} * 60"


def an_hour(metric: str, by: str = "", where: str = "") -> str:
    """Events an hour of a counter of ours, summed by labels."""
    return f"{rate(metric, by, where)} * 3600"


def share(metric: str, part: str, whole: str) -> str:
    """Of the events of a counter of ours with the labels `whole`, those that also have `part`."""
    return f"{rate(metric, '', f'{whole}, {part}')} / {rate(metric, '', whole)}"


def busiest(query: str) -> str:
    """The ten greatest of a query's values."""
    return f"topk(10, {query})"


def counted(metric: str, by: str, where: str = "") -> str:
    """Events within the time shown."""
    chosen = f"{HERE}, {where}" if where else HERE
    return f"{_sum(by)}(increase(mailwarden_{metric}{{{chosen}}}[$__range]))"


def total(metric: str, by: str = "", where: str = "") -> str:
    """A gauge of ours, summed by labels."""
    chosen = f"{HERE}, {where}" if where else HERE
    return f"{_sum(by)}(mailwarden_{metric}{{{chosen}}})"


def quantile(share: float, metric: str, by: str = "", where: str = "") -> str:
    """Below this lies the share of what a histogram of ours saw."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, {rate(f'{metric}_bucket', labels, where)})"


def lines(title: str, text: str, queries: Mapping[str, str], look: Look = Look()) -> Builder[model.Panel]:
    """Values over time; a legend is the labels in braces and the text around them."""
    panel = timeseries.Panel().title(title).description(text).datasource(SOURCE).span(look.width).height(8)
    panel.unit(look.unit).min(0).line_width(1).fill_opacity(60 if look.stacked else 10)
    panel.show_points(words.VisibilityMode.NEVER)
    panel.tooltip(common.VizTooltipOptions().mode(words.TooltipDisplayMode.MULTI).sort(words.SortOrder.DESCENDING))
    panel.legend(
        common.VizLegendOptions()
        .display_mode(words.LegendDisplayMode.LIST)
        .placement(words.LegendPlacement.BOTTOM)
        .show_legend(True)
    )
    if look.stacked:
        panel.stacking(common.StackingConfig().mode(words.StackingMode.NORMAL).group("A"))
    if look.highest is not None:
        panel.max(look.highest)
    if look.levels:
        panel.thresholds(_thresholds(look.levels))
        panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(words.GraphThresholdsStyleMode.LINE))
    for number, (legend, query) in enumerate(queries.items()):
        panel.with_target(_query(query, legend, number))
    return panel


def figure(title: str, text: str, query: str, look: Look = Look(width=3), legend: str = "") -> Builder[model.Panel]:
    """The value of this moment, large."""
    panel = stat.Panel().title(title).description(text).datasource(SOURCE).span(look.width).height(4)
    panel.unit(look.unit).graph_mode(words.BigValueGraphMode.NONE).color_mode(words.BigValueColorMode.VALUE)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(""))
    if look.unit == COUNT:
        panel.decimals(0)
    if look.kind == "name":
        panel.text_mode(words.BigValueTextMode.NAME)
    panel.thresholds(_thresholds(look.levels or ((None, "text"),)))
    if look.words:
        panel.mappings([_mapping(look.words)])
    return panel.with_target(_query(query, legend, 0).instant())


def ranking(
    title: str, text: str, query: str, columns: Sequence[str], look: Look = Look(width=12)
) -> Builder[model.Panel]:
    """A table of labels and their number within the time shown, the greatest first."""
    panel = table.Panel().title(title).description(text).datasource(SOURCE).span(look.width).height(8)
    panel.unit(look.unit).decimals(0).filterable(True)
    panel.sort_by([common.TableSortByFieldState().display_name("Number").desc(True)])
    order = {name: place for place, name in enumerate((*columns, "Value"))}
    panel.with_transformation(
        model.DataTransformerConfig(
            id_val="organize",
            options={"excludeByName": {"Time": True}, "indexByName": order, "renameByName": {"Value": "Number"}},
        )
    )
    return panel.with_target(_query(query, "", 0).instant().format(PromQueryFormat.TABLE))


def states(title: str, text: str, query: str, legend: str, look: Look) -> Builder[model.Panel]:
    """A bar for each, coloured by how it was at the time."""
    panel = statetimeline.Panel().title(title).description(text).datasource(SOURCE).span(look.width).height(8)
    panel.show_value(words.VisibilityMode.NEVER).merge_values(True).row_height(0.8)
    panel.thresholds(_thresholds(look.levels)).mappings([_mapping(look.words or {})])
    panel.legend(common.VizLegendOptions().show_legend(True).placement(words.LegendPlacement.BOTTOM))
    return panel.with_target(_query(query, legend, 0))


def heat(title: str, text: str, metric: str, look: Look = Look(unit="s", width=12)) -> Builder[model.Panel]:
    """How often a histogram of ours saw which values."""
    panel = heatmap.Panel().title(title).description(text).datasource(SOURCE).span(look.width).height(8)
    panel.calculate(False).hide_legend().mode(words.TooltipDisplayMode.SINGLE)
    panel.y_axis(heatmap.YAxisConfig().unit(look.unit))
    panel.color(heatmap.HeatmapColorOptions().scheme("Oranges").steps(64))
    return panel.with_target(_query(rate(f"{metric}_bucket", "le"), "{{le}}", 0).format(PromQueryFormat.HEATMAP))


def row(title: str) -> dashboard.Row:
    """A heading over the panels behind it."""
    return dashboard.Row(title)


def _sum(by: str) -> str:
    return f"sum by ({by}) " if by else "sum"


def _query(expression: str, legend: str, number: int) -> prometheus.Dataquery:
    query = prometheus.Dataquery().expr(expression).datasource(SOURCE).ref_id(chr(ord("A") + number)).range()
    return query.legend_format(legend) if legend else query


def _thresholds(levels: Levels) -> dashboard.ThresholdsConfig:
    steps = [model.Threshold(value=value, color=colour) for value, colour in levels]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps)


def _mapping(meanings: Mapping[str, str]) -> model.ValueMap:
    options = {
        value: model.ValueMappingResult(text=text, index=index) for index, (value, text) in enumerate(meanings.items())
    }
    return model.ValueMap(options=options)
