"""JSON Schema (draft 2020-12) of a declared type, so that an editor knows every key while an operator types."""

from __future__ import annotations

from typing import Any

from gateway.schema.docs import class_doc, field_docs
from gateway.schema.nodes import ScalarNode
from gateway.schema.shapes import Choice, Custom, Key, Raw, Record, Scalar, Sequence, Table, Union, kinds, shape_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(wanted: Any) -> dict[str, Any]:
    """The schema of a type that `reader.py` can read. A class that reads itself gives its own by `json_schema()`.

    It takes what the reader takes, apart from the checks between keys, which no schema can tell.
    """
    builder = _Builder()
    schema = builder.schema(wanted)
    return {"$schema": DIALECT, **schema, "$defs": builder.definitions}


class _Builder:
    """Builds schemas; each dataclass becomes one definition, so that types may contain themselves."""

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}
        self._names: dict[type, str] = {}

    def schema(self, wanted: Any) -> dict[str, Any]:
        """The schema of one type; dataclasses are references to their definitions."""
        match shape_of(wanted):
            case Scalar(type=scalar):
                return dict(scalar.schema)
            case Choice(values=values):
                return {"enum": list(values)}
            case Sequence(item=item):
                listed = {"type": "array", "items": self.schema(item)}
                return {"anyOf": [self.schema(item), listed]} if ScalarNode in kinds(item) else listed
            case Table(value=value):
                return {"type": "object", "additionalProperties": self.schema(value)}
            case Union(members=members, optional=optional):
                nothing = [{"enum": [None, "none"]}] if optional else []
                return {"anyOf": [*map(self.schema, members), *nothing]}
            case Record() as record:
                return {"$ref": f"#/$defs/{self._define(record)}"}
            case Custom(cls=cls):
                return dict(cls.json_schema()) if hasattr(cls, "json_schema") else {}
            case Raw():
                return {}

    def _define(self, record: Record) -> str:
        if record.cls in self._names:
            return self._names[record.cls]
        taken = record.cls.__name__ in self.definitions
        name = f"{record.cls.__module__}.{record.cls.__name__}" if taken else record.cls.__name__
        self._names[record.cls] = name
        definition = self.definitions[name] = {"type": "object", "additionalProperties": False}
        if doc := class_doc(record.cls):
            definition["description"] = doc
        docs = field_docs(record.cls)
        definition["properties"] = {
            key.key: self._described(key, docs.get(key.name, "")) for key in record.keys.values()
        }
        definition["required"] = [key.key for key in record.keys.values() if key.required]
        return name

    def _described(self, key: Key, doc: str) -> dict[str, Any]:
        default = "" if key.required else f"Default: {key.default}" if key.default else ""
        description = " ".join(text for text in (doc, default) if text)
        return {**self.schema(key.type), **({"description": description} if description else {})}
