"""The numbers of several workers as those of one service.

What is counted adds up, also what workers counted that have ended since: a counter never falls. What is measured adds
up, or the least or the greatest says how the service is; each gauge has its way here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Numbers = list[list[Any]]
"""What a worker says: for each metric its name, type, help, and samples of name, labels as pairs, and value."""

Key = tuple[str, tuple[tuple[str, str], ...]]

ADDED = frozenset(
    {
        "mailwarden_messages_in_flight",
        "mailwarden_sessions",
        "mailwarden_spool_bytes",
        "mailwarden_spool_limit_bytes",
        "process_max_fds",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_virtual_memory_bytes",
    }
)
"""Gauges of which each worker has a part."""

LEAST = frozenset({"mailwarden_engine_up", "mailwarden_state_free_bytes", "process_start_time_seconds"})
"""Gauges of which the least says how the service is: an engine that one worker leaves alone is in trouble."""

GREATEST = frozenset(
    {
        "mailwarden_accounts",
        "mailwarden_breaker_state",
        "mailwarden_bypass_left_seconds",
        "mailwarden_bypasses",
        "mailwarden_engine_seconds",
        "mailwarden_held",
        "mailwarden_held_oldest_seconds",
        "mailwarden_policy_expiring_exceptions",
        "mailwarden_policy_last_reload_timestamp_seconds",
        "mailwarden_probe_last_success_timestamp_seconds",
        "mailwarden_probe_seconds",
        "mailwarden_probe_up",
        "mailwarden_quarantined",
        "mailwarden_ready",
        "mailwarden_state_size_bytes",
    }
)
"""Gauges that are the same in all, or known to the one that counts what the stores say, or of which the greatest says
how the service is. So is every gauge that is not named here."""


def snapshot(registry: CollectorRegistry) -> Numbers:
    """What a worker has counted so far."""
    return [[each.name, each.type, each.documentation, _samples(each)] for each in registry.collect()]


def _samples(metric: Metric) -> list[list[Any]]:
    return [[each.name, [*each.labels.items()], each.value] for each in metric.samples]


@dataclass(slots=True)
class Merger:
    """Remembers what ended workers have counted."""

    _ended: dict[Key, float] = field(default_factory=dict)
    _families: dict[str, tuple[str, str]] = field(default_factory=dict)

    def ended(self, numbers: Numbers) -> None:
        """The last numbers of a worker that has ended."""
        for name, kind, text, samples in numbers:
            self._families[name] = kind, text
            for sample, labels, value in samples:
                if _adds_up(kind, sample):
                    key = sample, _key(labels)
                    self._ended[key] = self._ended.get(key, 0.0) + value

    def merged(self, workers: Iterable[Numbers]) -> Iterator[Metric]:
        """The service's metrics, from those of the workers that there are."""
        families = dict(self._families)
        values: dict[str, dict[Key, float]] = {}
        ended: dict[str, dict[Key, float]] = {}
        for key, value in self._ended.items():
            ended.setdefault(key[0], {})[key] = value
        for numbers in workers:
            for name, kind, text, samples in numbers:
                families[name] = kind, text
                found = values.setdefault(name, {})
                for sample, labels, value in samples:
                    key = sample, _key(labels)
                    found[key] = _way(name, kind, sample)(found[key], value) if key in found else value
        for name, (kind, text) in families.items():
            found = values.get(name, {})
            for sample in _counting(name, kind):
                for key, value in ended.get(sample, {}).items():
                    found[key] = found.get(key, 0.0) + value
            metric = Metric(name, text, kind)
            for (sample, labels), value in found.items():
                metric.add_sample(sample, dict(labels), value)
            yield metric


class Service(Collector):
    """What is shown of the service: `numbers` gives what its workers say now, `staff` how many workers there are by
    state, `replaced` how many have had another in their place, by reason."""

    def __init__(
        self,
        numbers: Callable[[], Iterable[Metric]],
        staff: Callable[[], Mapping[str, int]],
        replaced: Callable[[], Mapping[str, int]],
    ) -> None:
        self._numbers = numbers
        self._staff = staff
        self._replaced = replaced

    def registry(self) -> CollectorRegistry:
        """A registry of this alone."""
        registry = CollectorRegistry()
        registry.register(self)
        return registry

    def describe(self) -> Iterator[Metric]:
        """Nothing in advance: nobody is asked before the workers are there."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """All metrics, now."""
        yield from self._numbers()
        workers = GaugeMetricFamily("mailwarden_workers", "Workers by what they do.", labels=["state"])
        for state, count in self._staff().items():
            workers.add_metric([state], count)
        replaced = CounterMetricFamily(
            "mailwarden_workers_replaced", "Workers that have another in their place.", labels=["reason"]
        )
        for reason, count in self._replaced().items():
            replaced.add_metric([reason], count)
        yield from (workers, replaced)


def _counting(name: str, kind: str) -> tuple[str, ...]:
    """The samples of a metric that add up over time."""
    match kind:
        case "counter":
            return (f"{name}_total",)
        case "histogram":
            return f"{name}_bucket", f"{name}_count", f"{name}_sum"
        case _:
            return ()


def _adds_up(kind: str, sample: str) -> bool:
    return kind in ("counter", "histogram") and not sample.endswith("_created")


def _way(name: str, kind: str, sample: str) -> Callable[[float, float], float]:
    if _adds_up(kind, sample) or name in ADDED:
        return operator.add
    return min if name in LEAST or sample.endswith("_created") else max


def _key(labels: Iterable[Iterable[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in labels)
