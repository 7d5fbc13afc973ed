"""What becomes of things that several layers of a policy say; the file before is `layers.py`.

A lower layer refines: lists and exceptions add up; keys of `organisation` and options of filters are taken from the
lowest layer that writes them; a rule takes the place of the rule of its id. What a `lock: true` rule says stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from gateway.policy.custody import RETENTION, retention_problem
from gateway.policy.layers import Layer
from gateway.policy.model import Mixed, Organisation, WrittenException
from gateway.policy.rule import WrittenRule
from gateway.policy.when import mappings_of
from gateway.schema.nodes import quote
from gateway.schema.scalars import Duration
from gateway.schema.shapes import Position

RESCAN = frozenset({"virus"})
"""Filters that look again at kept mail before it is released, where a policy does not say which."""

Rules = Mapping[str, tuple[WrittenRule, Layer]]
"""Rules by id, each with the layer it stands in."""

Options = Mapping[str, tuple[dict[str, Any], Layer]]
"""Options by filter, with the lowest layer that writes one."""


def merged_organisation(layers: list[Layer]) -> Organisation:
    """Each key from the lowest layer that writes it."""
    result = Organisation()
    for layer in layers:
        own = layer.file.organisation
        names = [name.text for name, _ in layer.source.entries("organisation")]
        changes = {name: getattr(own, name) for name in names if hasattr(own, name)}
        result = replace(result, **changes)
    return result


def merged_rules(layers: list[Layer]) -> dict[str, tuple[WrittenRule, Layer]]:
    """The rules by id, in order. A rule that comes again stands where the first of its id stood."""
    rules: dict[str, tuple[WrittenRule, Layer]] = {}
    for layer in layers:
        own: dict[str, WrittenRule] = {}
        for rule in layer.file.rules:
            name = rule.id.text
            upper, _ = rules.get(name, (None, None))
            if name in own:
                layer.reader.problem_at(rule.where, f"rule {quote(name)} is there twice; first at {own[name].where}")
            elif upper is not None and upper.lock:
                message = f"rule {quote(name)} cannot be replaced: it is locked at {upper.where}"
                layer.reader.problem_at(rule.where, message)
            else:
                rules[name] = (rule, layer)
            own.setdefault(name, rule)
        _set_modes(layer, rules)
    return rules


def _set_modes(layer: Layer, rules: dict[str, tuple[WrittenRule, Layer]]) -> None:
    """What a layer says of the modes of rules that stand in it or above."""
    for key, _ in layer.source.entries("modes"):
        mode = next((mode for name, mode in layer.file.modes.items() if name.text == key.text), None)
        rule, home = rules.get(key.text, (None, layer))
        if rule is None:
            layer.reader.unknown(key, "rule", rules)
        elif rule.lock and home is not layer:
            layer.reader.problem(key, f"mode of rule {quote(key.text)} cannot be changed: it is locked at {rule.where}")
        elif mode is not None:
            rules[key.text] = (replace(rule, mode=mode), home)


def merged_exceptions(layers: list[Layer], rules: Rules) -> list[tuple[WrittenException, Layer]]:
    """All exceptions. A locked rule takes those of its own file only."""
    exceptions = []
    for layer in layers:
        for exception in layer.file.exceptions:
            rule, home = rules.get(exception.rule.text, (None, None))
            if rule is not None and rule.lock and home is not layer:
                message = f"no exception from rule {quote(rule.id.text)} here: it is locked at {rule.where}"
                layer.reader.problem_at(exception.where, message)
            exceptions.append((exception, layer))
    return exceptions


def merged_mixed(layers: list[Layer]) -> Mixed:
    """What the lowest layer that speaks of it says."""
    said = [layer.file.mixed for layer in layers if layer.file.mixed is not None]
    return said[-1] if said else Mixed.DELIVER_AND_QUARANTINE


def merged_retention(layers: list[Layer]) -> dict[str, Duration]:
    """How long each class is kept, by the lowest layer that names it, else as it is built in."""
    merged = dict(RETENTION)
    for layer in layers:
        for key, node in layer.source.entries("retention"):
            kept = next((kept for name, kept in layer.file.retention.items() if name.text == key.text), None)
            if kept is not None and (problem := retention_problem(key.text, kept)):
                layer.reader.problem(node, problem)
            elif kept is not None:
                merged[key.text] = kept
    return merged


def merged_rescan(layers: list[Layer], known: Iterable[str]) -> tuple[str, ...]:
    """The filters that the lowest layer names which names any, else those that look for viruses."""
    said = [layer.file.rescan for layer in layers if layer.file.rescan is not None]
    return tuple(name.text for name in said[-1]) if said else tuple(name for name in known if name in RESCAN)


def merged_options(layers: list[Layer], rules: Rules) -> Options:
    """The options of each filter. Those that stand above or beside a locked rule that uses the filter are held: else
    the rule would be locked and what it looks for would not.
    """
    merged: dict[str, tuple[dict[str, Any], Layer]] = {}
    held: dict[tuple[str, str], Position] = {}
    for layer in layers:
        for name, own in layer.file.filters.options.items():
            for option in own:
                if (name, option) in held:
                    message = f"option {quote(option)} of {name} is held by the locked rule at {held[name, option]}"
                    layer.reader.problem_at(layer.file.filters.places[name], message)
            merged[name] = ({**merged.get(name, ({}, layer))[0], **own}, layer)
        for rule, home in rules.values():
            if rule.lock and home is layer:
                for name in filters_of(rule):
                    held |= {(name, option): rule.where for option in merged.get(name, ({}, layer))[0]}
    return merged


def filters_of(rule: WrittenRule) -> frozenset[str]:
    """The filters that a rule asks, in `when` and in `unless`."""
    mappings = (*mappings_of(rule.when), *(mappings_of(rule.unless) if rule.unless is not None else ()))
    return frozenset(name.filter for mapping in mappings for name in mapping.found or ())
