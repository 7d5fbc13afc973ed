"""The numbers of several workers as one: what is counted never falls, what is measured says how the service is."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from gateway.merging import ADDED, GREATEST, LEAST, Merger, Numbers, Service, snapshot
from gateway.metrics import Metrics

HISTOGRAM, LISTENER = "mailwarden_event_loop_lag_seconds", {"listener": "inbound"}


def shown(merger: Merger, *workers: Numbers) -> CollectorRegistry:
    return Service(lambda: merger.merged(workers), lambda: {"serving": len(workers)}, lambda: {"died": 0}).registry()


def worker(sessions: int, late: float = 0.1) -> Metrics:
    metrics = Metrics()
    for _ in range(sessions):
        metrics.session_opened("inbound")
        metrics.replied("mail", 250)
    metrics.loop_lagged(late)
    metrics.exceptions_expiring(3)
    return metrics


def test_what_is_counted_adds_up_and_stays_when_a_worker_goes() -> None:
    merger = Merger()
    first, second = (snapshot(worker(count).registry) for count in (2, 5))
    replies = ("mailwarden_replies_total", {"stage": "mail", "code": "250"})
    both = shown(merger, first, second)
    assert both.get_sample_value(*replies) == 7
    assert both.get_sample_value(f"{HISTOGRAM}_count") == 2
    assert both.get_sample_value("mailwarden_sessions", LISTENER) == 7
    assert both.get_sample_value("mailwarden_policy_expiring_exceptions") == 3
    merger.ended(first)
    left = shown(merger, second)
    assert left.get_sample_value(*replies) == 7
    assert left.get_sample_value(f"{HISTOGRAM}_count") == 2
    assert left.get_sample_value(f"{HISTOGRAM}_bucket", {"le": "+Inf"}) == 2
    assert left.get_sample_value("mailwarden_sessions", LISTENER) == 5
    merger.ended(second)
    assert shown(merger).get_sample_value(*replies) == 7


def test_it_is_shown_as_one_process_shows_it() -> None:
    alone = worker(3)
    ours, theirs = (
        {line for line in generate_latest(registry).decode().splitlines() if line.startswith("# ") or "created" in line}
        for registry in (shown(Merger(), snapshot(alone.registry)), alone.registry)
    )
    new = {line.split()[2] for line in ours - theirs}
    assert {name for name in new if not name.startswith("mailwarden_workers")} == set()
    assert theirs <= ours


def test_each_gauge_has_its_way_to_be_merged() -> None:
    gauges = {family.name for family in worker(1).registry.collect() if family.type == "gauge"}
    assert gauges - {"python_info"} == ADDED | LEAST | GREATEST, "name a new gauge in gateway/merging.py"
    assert not ADDED & LEAST | ADDED & GREATEST | LEAST & GREATEST
