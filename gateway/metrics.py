"""The numbers Prometheus scrapes. The only importer of prometheus_client; names and labels are an API held by a test.

No label is ever an address, a domain, a subject or an IP: every one is from a closed set (listeners, words of ours,
rules of the policy, codes).
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import TypeVar, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway import __version__
from gateway.bypass.model import Bypass
from gateway.engines.breaker import Circuit
from gateway.keeping import State, Tally
from gateway.mail import Direction
from gateway.notices.model import NoticeKind
from gateway.policy.custody import RECORDS
from gateway.policy.model import Policy
from gateway.reading import Reason
from gateway.services import Category
from gateway.verdict import Action, Filter, Outcome, Report, RuleOutcome, Verdict

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 100)
BYTES = (1e3, 1e4, 1e5, 1e6, 5e6, 1e7, 2.5e7, 5e7)
LAG = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)

OTHER = "other"
"""The label of whatever is not in one of the closed sets below: filters' words must not make series without end."""

UNINSPECTABLE = {each.value: each.value for each in Reason}

NOTICES = frozenset(each.value for each in NoticeKind)

LEVELS = {"mật": "mat", "tối mật": "toi-mat", "tuyệt mật": "tuyet-mat"}
"""The State's three levels of secrecy, as the filter says them and as labels have them."""

CATEGORIES = {word: word for word in get_args(Category)}
"""Kinds of services that people sign up to."""

BREAKER_STATES = (Circuit.CLOSED, Circuit.HALF_OPEN, Circuit.OPEN)
"""A breaker's states by their number."""

STARTED_AT_ZERO: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "shed": (("sessions", "client_sessions", "load", "spool", "draining"),),
    "policy_reloads": (("ok", "invalid", "failed"),),
    "audit_writes": (("ok", "failed"),),
    "approvals": (("approved", "rejected", "forwarded", "escalated", "expired", "deleted", "turned-down"),),
    "released": (("approval", "person", "clock"),),
    "put_off": (("deadline", "store", "bug", "unknown", "next-hop"),),
    "upstream_errors": (("rcpt", "data"), ("refused", "unreachable", "closed", "timeout", "garbage", "tls")),
    "notices": (tuple(sorted(NOTICES)), ("sent", "refused", "given-up", "lost")),
    "secret_marks": (tuple(LEVELS.values()), tuple(each.word for each in Action)),
}
"""Counters that are shown before the first event: an alert sees the growth from 0 to 1 only where there was a 0."""

M = TypeVar("M", Counter, Gauge, Histogram)


def _each(metric: M) -> Callable[..., M]:
    """The metric with these labels. Kept, for prometheus_client looks it up under a lock each time."""
    return cache(metric.labels)


class _Engines(Collector):
    """How the engines of the filters in force are at the moment of the scrape; those of a policy that is gone, go.

    An engine's label is its filter and its number there, for its name may have an address in it.
    """

    filters: Mapping[str, Filter] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One value of each kind for every engine."""
        up = GaugeMetricFamily("mailwarden_engine_up", "1 unless an engine is left alone.", labels=["engine"])
        state = GaugeMetricFamily(
            "mailwarden_breaker_state", "0 closed, 1 half open, 2 open: left alone.", labels=["engine"]
        )
        seconds = GaugeMetricFamily(
            "mailwarden_engine_seconds", "Time an engine took for its last answer.", labels=["engine"]
        )
        for name, each in self.filters.items():
            for number, engine in enumerate(getattr(each, "engines", ()), 1):
                label = [f"{name}/{number}"]
                up.add_metric(label, float(engine.up))
                state.add_metric(label, BREAKER_STATES.index(engine.breaker.state))
                seconds.add_metric(label, engine.seconds)
        yield from (up, state, seconds)


class _Bypassed(Collector):
    """What is suspended at the moment of the scrape. Names are those of the policy in force."""

    left: Callable[[], Sequence[tuple[Bypass, float]]] = tuple

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The number, which is there at all times, and how long each still counts."""
        left = self.left()
        number = GaugeMetricFamily("mailwarden_bypasses", "Rules and filters that are suspended.", value=len(left))
        seconds = GaugeMetricFamily(
            "mailwarden_bypass_left_seconds", "Until a suspended rule or filter counts again.", labels=["kind", "name"]
        )
        for bypass, time_left in left:
            seconds.add_metric([bypass.kind.value, bypass.name], time_left)
        yield from (number, seconds)


class Metrics:
    """An `Observer` that counts into a registry of its own, so that two gateways of one process do not mix."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._engines = _Engines()
        registry.register(self._engines)
        self._bypassed = _Bypassed()
        registry.register(self._bypassed)
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)

        def counters(name: str, text: str, *labels: str) -> Callable[..., Counter]:
            counter = _each(Counter(f"mailwarden_{name}", text, labels, registry=registry))
            for values in product(*STARTED_AT_ZERO[name]) if name in STARTED_AT_ZERO else ():
                counter(*values)
            return counter

        def gauges(name: str, text: str, *labels: str) -> Callable[..., Gauge]:
            return _each(Gauge(f"mailwarden_{name}", text, labels, registry=registry))

        def histograms(
            name: str, text: str, *labels: str, buckets: tuple[float, ...] = SECONDS
        ) -> Callable[..., Histogram]:
            return _each(Histogram(f"mailwarden_{name}", text, labels, buckets=buckets, registry=registry))

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"mailwarden_{name}", text, labels, registry=registry)

        self._messages = counters("messages", "Messages decided and answered.", "listener", "direction", "action")
        self._message_seconds = histograms(
            "message_seconds", "From the final dot to the answer.", "listener", "direction"
        )
        self._added_seconds = histograms(
            "added_seconds", "From the final dot until the message goes on, is kept or is refused.", "listener"
        )
        self._put_off = counters("put_off", "Messages answered 4xx for a trouble here or behind us.", "reason")
        self._message_bytes = histograms("message_bytes", "Size of messages.", "direction", buckets=BYTES)
        self._rule_matches = counters("rule_matches", "Rules that matched, or were unknown.", "rule", "mode", "action")
        self._clause_matches = counters("clause_matches", "Matches of rules by what they cite.", "clause", "mode")
        self._findings = counters("findings", "What filters found.", "code")
        self._filter_seconds = histograms("filter_seconds", "Time a filter took.", "filter", "outcome")
        self._filter_failures = counters("filter_failures", "Filters that could not look.", "filter", "reason")
        self._replies = counters("replies", "Replies to clients.", "stage", "code")
        self._sessions = gauges("sessions", "Open client sessions.", "listener")
        self._in_flight = gauges("messages_in_flight", "Messages being received or decided.", "listener")
        self._shed = counters("shed", "Clients turned away to protect the others.", "reason")
        self._upstream_seconds = histograms("upstream_seconds", "Time the next hop took.", "stage")
        self._upstream_errors = counters("upstream_errors", "Trouble with the next hop.", "stage", "class")
        self._protocol_errors = counters("protocol_errors", "Clients that broke the protocol.", "kind")
        self._policy_info = Info("mailwarden_policy", "The policy in force.", registry=registry)
        self._policy_reloads = counters("policy_reloads", "Reloads of the policy.", "result")
        self._policy_reloaded = gauge("policy_last_reload_timestamp_seconds", "When the policy was last loaded.")
        self._policy_expiring = gauge("policy_expiring_exceptions", "Exceptions that expire within 14 days.")
        self._accounts = gauges("accounts", "Accounts of the directory.", "state")
        self._held = gauges("held", "Held mail that has not ended.", "state")
        self._held_oldest = gauge("held_oldest_seconds", "Age of the held message that waits longest; 0 if none does.")
        self._quarantined = gauges("quarantined", "Quarantined mail that waits.", "class")
        self._classes: set[str] = set()
        self._released = counters("released", "Kept mail that was handed on.", "by")
        self._rule_releases = counters("rule_releases", "Mail that a rule kept and a person released.", "rule")
        self._approvals = counters("approvals", "Decisions on held mail.", "outcome")
        self._audit_writes = counters("audit_writes", "Writes to the audit trail.", "result")
        self._notices = counters("notices", "Notices made, and those whose way is over.", "kind", "result")
        self._uninspectable = counters("uninspectable", "What could not be looked into.", "reason")
        self._signups = counters("signup", "Sign-up mail by kind of service.", "category", "action")
        self._secret_marks = counters("secret_marks", "Mail with a secrecy marking.", "level", "action")
        self._files_read = counters("files_read", "Attached files that were opened, or known already.", "outcome")
        self._loop_lag = Histogram(
            "mailwarden_event_loop_lag_seconds", "How late the event loop was.", buckets=LAG, registry=registry
        )
        self._probe_up = gauge("probe_up", "1 if a canary fared as expected.", "canary")
        self._probe_seconds = gauge("probe_seconds", "Time a canary took, from connection to answer.", "canary")
        success = "When a canary last fared as expected."
        self._probe_success = gauge("probe_last_success_timestamp_seconds", success, "canary")
        self._probes = counters("probes", "Canaries sent.", "canary", "outcome")
        self.spool_bytes = gauge("spool_bytes", "Bytes of messages being received, in memory and on disk.")
        self._spool_limit = gauge("spool_limit_bytes", "Bytes that messages being received may have.")
        self._disk_free = gauge("state_free_bytes", "Bytes that are free where mail and audit trail are kept.")
        self._disk_size = gauge("state_size_bytes", "Bytes that there are where mail and audit trail are kept.")
        self._ready = gauge("ready", "1 if mail can be taken, as /readyz says.")
        Info("mailwarden_build", "The running version.", registry=registry).info({"version": __version__})

    def watch(self, state: Path, *, spool_limit: int, ready: Callable[[], bool]) -> None:
        """From now on tell of the disk with the folder `state`, and whether mail can be taken, at each scrape."""
        self._spool_limit.set(spool_limit)
        self._disk_free.set_function(partial(_disk, state, "free"))
        self._disk_size.set_function(partial(_disk, state, "total"))
        self._ready.set_function(ready)

    def tell_bypasses(self, left: Callable[[], Sequence[tuple[Bypass, float]]]) -> None:
        """From now on tell of these at each scrape, with the seconds that are left of each."""
        self._bypassed.left = left

    def session_opened(self, listener: str) -> None:
        """A client connected."""
        self._sessions(listener).inc()

    def session_closed(self, listener: str) -> None:
        """A client's session is over."""
        self._sessions(listener).dec()

    def replied(self, stage: str, code: int) -> None:
        """A reply was sent."""
        self._replies(stage, str(code)).inc()

    def protocol_error(self, kind: str) -> None:
        """A client broke the protocol."""
        self._protocol_errors(kind).inc()

    def shed(self, reason: str) -> None:
        """A client was turned away."""
        self._shed(reason).inc()

    def message_started(self, listener: str) -> None:
        """A message's content begins to arrive."""
        self._in_flight(listener).inc()

    def message_ended(self, listener: str) -> None:
        """It is decided and answered, or the client has gone."""
        self._in_flight(listener).dec()

    def examined(self, report: Report) -> None:
        """A filter has looked, or could not."""
        outcome = report.failure or ("found" if report.findings else "clean")
        self._filter_seconds(report.filter, outcome).observe(report.seconds)
        if report.failure:
            self._filter_failures(report.filter, report.failure).inc()
        for finding in report.findings:
            self._findings(f"{report.filter}.{finding.code}").inc()
            if finding.code == "uninspectable":
                self._uninspectable(_folded(finding.facts().get("reason"), UNINSPECTABLE)).inc()

    def judged(
        self, listener: str, direction: Direction, verdict: Verdict, *, size: int, seconds: float, added: float
    ) -> None:
        """A message has been decided and answered."""
        self._added_seconds(listener).observe(added)
        self._messages(listener, direction.value, verdict.action.word).inc()
        self._message_seconds(listener, direction.value).observe(seconds)
        self._message_bytes(direction.value).observe(size)
        self._count_rules(tuple(verdict.asked))
        for name, fact, known, counter in (
            ("signup", "category", CATEGORIES, self._signups),
            ("secret_marks", "level", LEVELS, self._secret_marks),
        ):
            for word in _words(verdict, name, fact, known):
                counter(word, verdict.action.word).inc()

    def refused(self, outcome: Outcome) -> None:
        """A sender or a recipient was refused before the content was sent."""
        self._count_rules([(rule, rule.action) for rule in outcome.rules if rule.action is not None])

    def put_off(self, reason: str) -> None:
        """A message was answered 4xx for a trouble of ours."""
        self._put_off(reason).inc()

    def _count_rules(self, asked: Sequence[tuple[RuleOutcome, Action]]) -> None:
        """Each rule and each clause once, however many recipients it was asked for."""
        for rule, mode, action in {(rule.id, rule.mode, action.word) for rule, action in asked}:
            self._rule_matches(rule, mode, action).inc()
        for clause, mode in {(clause, rule.mode) for rule, _ in asked for clause in rule.cite}:
            self._clause_matches(clause, mode).inc()

    def hop_answered(self, stage: str, seconds: float) -> None:
        """The next hop answered."""
        self._upstream_seconds(stage).observe(seconds)

    def hop_failed(self, stage: str, kind: str) -> None:
        """Trouble with the next hop."""
        self._upstream_errors(stage, kind).inc()

    def noticed(self, kind: str, result: str) -> None:
        """What became of a notice."""
        self._notices(kind if kind in NOTICES else OTHER, result).inc()

    def audit_written(self, result: str) -> None:
        """Records were put into the audit trail, or could not be."""
        self._audit_writes(result).inc()

    def kept(self, tally: Tally, now: datetime) -> None:
        """What kept mail there is now."""
        for state in (State.WAITING, State.RELEASING):
            self._held(state.value).set(tally.held.get(state, 0))
        oldest = (now - tally.oldest).total_seconds() if tally.oldest is not None else 0.0
        self._held_oldest.set(max(0.0, oldest))
        self._classes |= tally.quarantined.keys()
        for name in self._classes:
            self._quarantined(name).set(tally.quarantined.get(name, 0))

    def decided(self, outcome: str) -> None:
        """A decision on held mail."""
        self._approvals(outcome).inc()

    def released(self, by: str, rules: Sequence[str]) -> None:
        """Kept mail was handed on. What a person released was a false alarm of the rules that kept it."""
        self._released(by).inc()
        for rule in rules if by == "person" else ():
            self._rule_releases(rule).inc()

    def exceptions_expiring(self, count: int) -> None:
        """So many exceptions end soon."""
        self._policy_expiring.set(count)

    def policy_loaded(self, policy: Policy) -> None:
        """A policy is in force from now on."""
        self._policy_info.info({"digest": policy.digest})
        self._policy_reloads("ok").inc()
        self._engines.filters = policy.filters
        for rule in policy.rules:
            if rule.then is Action.QUARANTINE:
                self._rule_releases(rule.id.text)
        self._policy_reloaded.set(time.time())
        self._classes |= policy.retention.keys() - set(RECORDS)
        for state in ("active", "locked", "revoked"):
            self._accounts(state).set(sum(each.state == state for each in policy.accounts.values()))

    def policy_refused(self, result: str) -> None:
        """A changed policy was not taken: invalid (it has problems) or failed (its own tests do)."""
        self._policy_reloads(result).inc()

    def file_read(self, outcome: str) -> None:
        """A file was opened: read, cached (known already), or why its reader came to no good end (a Reason)."""
        self._files_read(outcome).inc()

    def probed(self, canary: str, outcome: str, *, good: bool, seconds: float) -> None:
        """A canary of ours fared so."""
        self._probe_up.labels(canary).set(good)
        self._probe_seconds.labels(canary).set(seconds)
        if good:
            self._probe_success.labels(canary).set(time.time())
        self._probes(canary, outcome).inc()

    def probes_over(self) -> None:
        """Others send canaries, or nobody does: old values would be taken for new ones."""
        for each in (self._probe_up, self._probe_seconds, self._probe_success):
            each.clear()

    def loop_lagged(self, seconds: float) -> None:
        """The event loop came so late to a timer."""
        self._loop_lag.observe(seconds)


def _words(verdict: Verdict, name: str, fact: str, known: Mapping[str, str]) -> frozenset[str]:
    """What a filter said in a field of its findings, each word once for a message."""
    found = (finding.facts() for report in verdict.reports if report.filter == name for finding in report.findings)
    return frozenset(_folded(facts[fact], known) for facts in found if fact in facts)


def _folded(value: object, known: Mapping[str, str]) -> str:
    return known.get(str(value), OTHER)


def _disk(folder: Path, figure: str) -> float:
    """A figure of the disk with that folder; not a number where nobody can say."""
    try:
        return float(getattr(shutil.disk_usage(folder), figure))
    except OSError:
        return math.nan
