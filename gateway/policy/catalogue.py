"""The filters there are: every module of the package `filters`, its class, its options and its findings.

Nothing is registered and nothing imports a filter by name: a module with one frozen dataclass that has `FINDINGS` is a
filter, under the module's own name.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from textwrap import wrap
from types import MappingProxyType, ModuleType, NoneType
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from gateway.schema.docs import class_doc, field_docs
from gateway.schema.shapes import Record, expected, shape_of
from gateway.verdict import Filter, Finding

FILTER_PACKAGE = "filters"


@dataclass(frozen=True, slots=True)
class FilterKind:
    """One filter as policies know it: its name, its class (whose fields are the options), its findings by code."""

    name: str
    cls: Any
    findings: Mapping[str, type[Finding]]
    purpose: str

    @property
    def manual(self) -> str:
        """What it does, its options and what it can find, from its own docstrings, for a terminal."""
        return "\n".join([self.purpose, "", "Options:", *self._options(), "", "Findings:", *self._findings(), ""])

    def make(self, options: Mapping[str, Any]) -> Filter:
        """The filter with these options. Raises ValueError or TypeError for what it does not take."""
        return cast(Filter, self.cls(**options))

    def _options(self) -> Iterator[str]:
        record, docs = shape_of(self.cls), field_docs(self.cls)
        assert isinstance(record, Record)
        for key in record.keys.values():
            default = "required" if key.required else f"default {key.default}"
            yield f"  {key.key}: {expected(key.type)}, {default}"
            yield from _indented(docs.get(key.name, ""))
        if not record.keys:
            yield "  none"

    def _findings(self) -> Iterator[str]:
        for code, finding in self.findings.items():
            names = ", ".join(testable_fields(finding)) or "none"
            yield f"  {self.name}.{code}"
            yield from _indented(class_doc(finding))
            yield from _indented(f"Fields: {names}")


def testable_fields(finding: type[Finding]) -> Mapping[str, Any]:
    """The fields of a finding that a policy may test, with the type of one value of each."""
    hints = get_type_hints(finding)
    names = [field.name for field in fields(finding) if field.name not in ("detail", "evidence")]
    return {name: value_type(hints[name]) for name in names}


def value_type(hint: Any) -> Any:
    """The type of one value: what an optional field is besides None, what a tuple or set is made of."""
    arguments = [argument for argument in get_args(hint) if argument not in (NoneType, Ellipsis)]
    return value_type(arguments[0]) if arguments and get_origin(hint) is not Literal else hint


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


def _indented(text: str) -> Iterator[str]:
    return (f"      {line}" for line in wrap(" ".join(text.split()), 100))
