"""The filters there are: every module of the package `filters`, its class, its options and its findings.

Nothing is registered and nothing imports a filter by name: a module with one frozen dataclass that has `FINDINGS` is a
filter, under the module's own name.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any, cast

from gateway.verdict import Filter, Finding

FILTER_PACKAGE = "filters"


@dataclass(frozen=True, slots=True)
class FilterKind:
    """One filter as policies know it: its name, its class (whose fields are the options), its findings by code."""

    name: str
    cls: type[Any]
    findings: Mapping[str, type[Finding]]
    manual: str

    def make(self, options: Mapping[str, Any]) -> Filter:
        """The filter with these options. Raises ValueError or TypeError for what it does not take."""
        return cast(Filter, self.cls(**options))


def find_filters(places: Iterable[str | ModuleType] = (FILTER_PACKAGE,)) -> Mapping[str, FilterKind]:
    """Every filter of the packages (or single modules) given, by name, in alphabetical order.

    Raises TypeError for a module that breaks the contract of a filter: that is a mistake in the program.
    """
    kinds: dict[str, FilterKind] = {}
    for module in _modules(places):
        if kind := _filter_of(module):
            if kind.name in kinds:
                raise TypeError(f"two filters have the name {kind.name}")
            kinds[kind.name] = kind
    return MappingProxyType(dict(sorted(kinds.items())))


def _modules(places: Iterable[str | ModuleType]) -> Iterable[ModuleType]:
    for place in places:
        module = importlib.import_module(place) if isinstance(place, str) else place
        if not hasattr(module, "__path__"):
            yield module
            continue
        for found in pkgutil.iter_modules(module.__path__):
            if not found.name.startswith("_"):
                yield importlib.import_module(f"{module.__name__}.{found.name}")


def _filter_of(module: ModuleType) -> FilterKind | None:
    """The module's filter, None for a module that is a helper of others."""
    classes: list[Any] = [
        cls
        for cls in vars(module).values()
        if isinstance(cls, type) and cls.__module__ == module.__name__ and "FINDINGS" in vars(cls)
    ]
    if not classes:
        return None
    if len(classes) > 1:
        raise TypeError(f"{module.__name__} has more than one class with FINDINGS")
    cls = classes[0]
    if not getattr(getattr(cls, "__dataclass_params__", None), "frozen", False):
        raise TypeError(f"{module.__name__}.{cls.__name__} must be a frozen dataclass")
    if not (inspect.isgeneratorfunction(cls.inspect) or inspect.isasyncgenfunction(cls.inspect)):
        raise TypeError(f"{module.__name__}.{cls.__name__}.inspect must be a generator, plain or async")
    findings = {finding.code: finding for finding in cls.FINDINGS}
    if "" in findings or len(findings) < len(cls.FINDINGS):
        raise TypeError(f"{module.__name__}: every finding needs a code of its own")
    return FilterKind(module.__name__.rpartition(".")[2], cls, MappingProxyType(findings), inspect.getdoc(module) or "")
