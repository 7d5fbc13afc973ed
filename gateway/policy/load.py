"""A policy from its files: every layer read, names resolved, layers merged, every problem of all of them told at once.

The file before is the operator's; the file after is `model.py`, which says what a policy is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from gateway.errors import ConfigurationError, Problem
from gateway.mail import Account
from gateway.policy.advice import warnings_of
from gateway.policy.cases import Case
from gateway.policy.catalogue import FILTER_PACKAGE, find_filters
from gateway.policy.combinations import complaints
from gateway.policy.conditions import Until
from gateway.policy.custody_checks import custody_complaints
from gateway.policy.directory import read_directory
from gateway.policy.filter_files import content_digest, filter_files
from gateway.policy.layers import Layer, Source, Sources, names_of
from gateway.policy.logic import HOME_ZONE, All, Condition, Not
from gateway.policy.merge import (
    Options,
    Rules,
    filters_of,
    merged_exceptions,
    merged_mixed,
    merged_options,
    merged_organisation,
    merged_rescan,
    merged_retention,
    merged_rules,
)
from gateway.policy.model import Organisation, Policy, WrittenException
from gateway.policy.names import Names, PolicyReader
from gateway.policy.questions import condition_of
from gateway.policy.rule import Mode, Rule, WrittenRule
from gateway.schema.nodes import ListNode, MapNode, Node, ScalarNode, compose, decode, quote
from gateway.schema.reader import Invalid
from gateway.schema.scalars import Duration
from gateway.schema.shapes import Position
from gateway.verdict import Filter

DIGEST_LENGTH = 12
"""Hexadecimal digits of a digest that are kept: 48 bits tell a body's policies apart and can be read out."""

Exceptions = list[tuple[WrittenException, Layer]]


def load(
    path: str | Path, *, places: Iterable[str | ModuleType] = (FILTER_PACKAGE,), today: date | None = None
) -> Policy:
    """The policy in the file and those it extends. Raises ConfigurationError with every problem of every layer.

    `places` are the packages or modules in which filters are found; `today` is the day for warnings of expiry.
    """
    sources = Sources()
    sources.add(Path(path))
    names = names_of(sources.files, Names(filters=find_filters(places)))
    layers = [Layer.of(source, names) for source in sources.files]
    if not layers:
        raise ConfigurationError(tuple(sources.problems))
    written = merged_rules(layers)
    exceptions = merged_exceptions(layers, written)
    retention = merged_retention(layers)
    rules = tuple(_rules(written, exceptions, retention))
    filters = _filters(names, written, merged_options(layers, written))
    organisation = merged_organisation(layers)
    directory, accounts, wrong_accounts = _directory(organisation, layers)
    cases, case_files, wrong_cases = _cases(Path(path), layers[-1], names)
    noted = (problem for layer in layers for problem in layer.reader.problems)
    if problems := {*sources.problems, *noted, *wrong_accounts, *wrong_cases}:
        raise ConfigurationError(tuple(problems))
    made_of = filter_files(filters.values())
    policy = Policy(
        digest=_digest(sources.files, directory, made_of),
        rules=rules,
        filters=filters,
        organisation=organisation,
        accounts=accounts,
        exceptions=tuple(exception for exception, _ in exceptions),
        mixed=merged_mixed(layers),
        retention=retention,
        rescan=merged_rescan(layers, names.filters),
        cases=cases,
        files=(*(source.path for source in sources.files), *_directory_file(organisation), *case_files, *made_of),
    )
    today = today or datetime.now(UTC).astimezone(HOME_ZONE).date()
    return replace(policy, warnings=warnings_of(policy, names.lists, today))


def _rules(written: Rules, exceptions: Exceptions, retention: Mapping[str, Duration]) -> Iterator[Rule]:
    """The rules that are asked, each with its whole condition. What is wrong is noted in the rule's own layer."""
    exempt: dict[str, list[Condition]] = {}
    for exception, layer in exceptions:
        exempted = condition_of(exception.when, layer.reader)
        if exception.rule.text not in written:
            layer.reader.unknown_name(exception.where, "rule", layer.reader.names.rules, exception.rule.text)
        elif not isinstance(exempted, Invalid):
            label = f"exception approved by {exception.approved_by} until {exception.expires}"
            limit = Not(All((Until(exception.expires), exempted)), label)
            exempt.setdefault(exception.rule.text, []).append(limit)
    for name, (rule, layer) in written.items():
        for where, message in (*complaints(rule), *custody_complaints(rule, retention)):
            layer.reader.problem_at(where, message)
        condition = _condition(rule, layer, exempt.get(name, []))
        if condition is not None and rule.mode is not Mode.OFF:
            yield Rule.of(rule, condition)


def _condition(rule: WrittenRule, layer: Layer, exempt: list[Condition]) -> Condition | None:
    """`when`, less `unless`, less the exceptions; None where something is wrong."""
    when = condition_of(rule.when, layer.reader)
    unless = condition_of(rule.unless, layer.reader) if rule.unless is not None else None
    if isinstance(when, Invalid) or isinstance(unless, Invalid):
        return None
    limits = [*([Not(unless, "unless")] if unless is not None else []), *exempt]
    return All((when, *limits)) if limits else when


def _filters(names: Names, rules: Rules, options: Options) -> Mapping[str, Filter]:
    """The filters that rules may need, and those with options, in alphabetical order."""
    used = {name for rule, _ in rules.values() if rule.mode is not Mode.OFF for name in filters_of(rule)}
    layer_of = {name: layer for rule, layer in rules.values() for name in filters_of(rule)}
    filters = {}
    for name in sorted(used | set(options)):
        values, layer = options.get(name, ({}, layer_of.get(name)))
        assert layer is not None
        try:
            filters[name] = names.filters[name].make(values)
        except (ValueError, TypeError) as error:
            where = layer.file.filters.places.get(name, Position(str(layer.source.path), 1, 1))
            layer.reader.problem_at(where, f"filter {name}: {error}")
    return filters


def _directory_file(organisation: Organisation) -> tuple[Path, ...]:
    return (organisation.directory,) if organisation.directory is not None else ()


def _directory(
    organisation: Organisation, layers: list[Layer]
) -> tuple[str, Mapping[str, Account], tuple[Problem, ...]]:
    """The directory's text, its accounts, and what is wrong with it."""
    for path in _directory_file(organisation):
        try:
            text = decode(path.read_bytes(), str(path))
        except OSError as error:
            message = f"cannot read the directory {quote(str(path))}: {error.strerror or error}"
            naming = [layer for layer in layers if layer.file.organisation.directory is not None][-1]
            node = next(value for key, value in naming.source.entries("organisation") if key.text == "directory")
            naming.reader.problem(node, message)
        except ConfigurationError as error:
            return "", {}, error.problems
        else:
            return text, *read_directory(text, str(path))
    return "", {}, ()


def _cases(path: Path, layer: Layer, names: Names) -> tuple[tuple[Case, ...], tuple[Path, ...], tuple[Problem, ...]]:
    """The policy's own cases, from its file and the one beside it; those of upper layers are the upper layers' own."""
    beside = path.with_name(f"{path.stem}.cases.yaml")
    _check_cases(layer.file.tests, layer.reader)
    if not beside.exists():
        return layer.file.tests, (), ()
    try:
        document = compose(decode(beside.read_bytes(), str(beside)), str(beside))
    except ConfigurationError as error:
        return (), (), error.problems
    reader = PolicyReader(document, names)
    cases = reader.read(document.root, tuple[Case, ...])
    if isinstance(cases, Invalid):
        return (), (), reader.problems
    _check_cases(cases, reader)
    return (*layer.file.tests, *cases), (beside,), reader.problems


def _check_cases(cases: Iterable[Case], reader: PolicyReader) -> None:
    for case in cases:
        for rule in case.expect.rules or ():
            if rule.text not in reader.names.rules:
                reader.unknown_name(case.where, "rule", reader.names.rules, rule.text)
        for name in case.given.unavailable:
            if name not in reader.names.filters:
                reader.unknown_name(case.where, "filter", reader.names.filters, name)


def _digest(sources: list[Source], directory: str, made_of: tuple[Path, ...]) -> str:
    """What decides, in one short text: not comments, not the layout of the files, not the cases."""
    content = [[_canonical(source.document.root, top=True) for source in sources], directory]
    if made_of:
        content.append(content_digest(made_of))
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:DIGEST_LENGTH]


def _canonical(node: Node, *, top: bool = False) -> Any:
    match node:
        case ScalarNode():
            return node.text
        case ListNode():
            return [_canonical(item) for item in node.items]
        case MapNode():
            entries = [(key.text, value) for key, value in node.entries if not (top and key.text == "tests")]
            return {"mapping": [[key, _canonical(value)] for key, value in entries]}
    raise TypeError(node)
