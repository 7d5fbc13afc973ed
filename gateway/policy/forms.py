"""Single values of a policy that have a form of their own: ids, citations, addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from gateway.schema.nodes import Node, ScalarNode
from gateway.schema.reader import Invalid, Reader


@dataclass(frozen=True, slots=True)
class FormedText:
    """A single value of a form of its own."""

    text: str
    NODES: ClassVar = (ScalarNode,)
    EXPECTED: ClassVar[str] = ""
    FORM: ClassVar[re.Pattern[str]] = re.compile("")

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> Self | Invalid:
        """The value, if it has the form."""
        assert isinstance(node, ScalarNode)
        return cls(node.text) if cls.FORM.fullmatch(node.text) else reader.wrong(node, cls.EXPECTED)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The form, for editors."""
        return {"type": "string", "pattern": f"^({cls.FORM.pattern})$"}

    def __str__(self) -> str:
        return self.text


class RuleId(FormedText):
    """The name of a rule in replies, metrics, audit records and exceptions."""

    __slots__ = ()
    EXPECTED = 'an id in small letters, digits and hyphens such as "no-executables"'
    FORM = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class ListName(RuleId):
    """The name of a list."""

    __slots__ = ()
    EXPECTED = 'a name in small letters, digits and hyphens such as "approved-services"'


class Citation(FormedText):
    """What a rule rests on: `pack/clause`."""

    __slots__ = ()
    EXPECTED = 'a citation "pack/clause" such as "gialai-2022/11.5"'
    FORM = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*/[^\s/]+")


class Address(FormedText):
    """One mail address."""

    __slots__ = ()
    EXPECTED = "a mail address"
    FORM = re.compile(r"[^\s@<>\",;:\\]+@[^\s@<>\",;:\\.]+(\.[^\s@<>\",;:\\.]+)+")


class Notified(FormedText):
    """Whom a notice goes to."""

    __slots__ = ()
    EXPECTED = '"recipient", "sender", "officer" or a mail address'
    FORM = re.compile(f"recipient|sender|officer|{Address.FORM.pattern}")
