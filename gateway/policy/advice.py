"""What is no mistake in a policy and will surprise: entries that no longer count, questions that nothing can answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from gateway.errors import Problem
from gateway.policy.model import Policy
from gateway.policy.names import DatedEntry
from gateway.policy.rule import Rule
from gateway.policy.when import mappings_of
from gateway.schema.nodes import quote
from gateway.schema.shapes import Position
from gateway.verdict import Action

REMINDER = timedelta(days=14)
"""How long before its end an exception is spoken of."""

LONGEST = timedelta(days=366)
"""How long an exception should last; after a year somebody should look again."""


def warnings_of(policy: Policy, lists: Mapping[str, tuple[DatedEntry, ...]], today: date) -> tuple[Problem, ...]:
    """Every warning on that day, sorted by its place."""
    found = (*_entries(lists, today), *_exceptions(policy, today), *_unanswered(policy), *_undecided(policy, today))
    return tuple(sorted(Problem(where.path, where.line, where.column, message) for where, message in found))


def _entries(lists: Mapping[str, tuple[DatedEntry, ...]], today: date) -> Iterator[tuple[Position, str]]:
    for name, entries in lists.items():
        for entry in entries:
            if entry.expires < today:
                yield entry.where, f"{quote(entry.value)} in list {name} expired on {entry.expires} and does not count"


def _exceptions(policy: Policy, today: date) -> Iterator[tuple[Position, str]]:
    for exception in policy.exceptions:
        subject = f"the exception from {exception.rule}"
        if exception.expires < today:
            yield exception.where, f"{subject} expired on {exception.expires} and does not count"
        elif exception.expires <= today + REMINDER:
            yield exception.where, f"{subject} expires on {exception.expires}"
        elif exception.expires > today + LONGEST:
            yield exception.where, f"{subject} lasts until {exception.expires}, more than a year"


def _unanswered(policy: Policy) -> Iterator[tuple[Position, str]]:
    for rule in policy.rules:
        if policy.organisation.directory is None and _asks_accounts(rule):
            yield rule.where, f"rule {rule.id} asks for accounts, and the organisation has no directory"
        officer = any(notified.text == "officer" for notified in rule.with_.notify)
        if officer and not policy.organisation.officers:
            yield rule.where, f"rule {rule.id} notifies the officer, and the organisation has no officers"


def _undecided(policy: Policy, today: date) -> Iterator[tuple[Position, str]]:
    for rule in policy.rules:
        if Action.HOLD not in (rule.then, rule.on_unknown):
            continue
        approvers = rule.with_.approvers
        if approvers is None and rule.then is Action.HOLD and not policy.organisation.officers:
            yield rule.where, f"rule {rule.id} holds mail that nobody can approve: it has no approvers, nor officers"
        elif approvers is not None and (count := len(approvers.on(today))) < rule.with_.quorum:
            yield rule.where, f"rule {rule.id} needs {rule.with_.quorum} approvers, and {count} of them count today"
    for delegate in policy.organisation.delegates:
        if delegate.until < today:
            yield delegate.where, f"{delegate.delegate} acts for {delegate.approver} no longer since {delegate.until}"


def _asks_accounts(rule: Rule) -> bool:
    written = (*mappings_of(rule.when), *(mappings_of(rule.unless) if rule.unless is not None else ()))
    return any(mapping.account is not None or mapping.recipient_account is not None for mapping in written)
