"""One list as a policy describes it: its zone, what its answers mean, and what any other answer means: nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address
from typing import Any, ClassVar

from gateway.dns.names import as_domain
from gateway.schema.nodes import Node, ScalarNode
from gateway.schema.reader import Invalid, Reader

WHERE = IPv4Address("127.0.0.0")
"""Lists answer with addresses of 127.0.0.0/8 (RFC 5782 section 2.1); anything else is somebody else's web server."""


@dataclass(frozen=True, slots=True)
class Code:
    """An answer, or a range of answers: `127.0.0.2`, `127.0.0.4-127.0.0.7`, `127.0.0.4-7`."""

    first: IPv4Address
    last: IPv4Address

    NODES: ClassVar = (ScalarNode,)
    EXPECTED: ClassVar = 'an answer of the list such as "127.0.0.2" or "127.0.0.4-7"'

    @classmethod
    def parse(cls, text: str) -> Code:
        """Reads the text. Raises ValueError."""
        first, dash, last = (piece.strip() for piece in text.partition("-"))
        if dash and re.fullmatch("[0-9]{1,3}", last, re.ASCII):
            last = f"{first.rpartition('.')[0]}.{last}"
        try:
            code = cls(IPv4Address(first), IPv4Address(last or first))
        except AddressValueError:
            raise ValueError(f"{text!r} is not {cls.EXPECTED}") from None
        if not (_is_code(code.first) and _is_code(code.last) and code.first <= code.last):
            raise ValueError(f"{text!r} is not within 127.0.0.0/8")
        return code

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> Code | Invalid:
        """For the reader."""
        text = reader.read(node, str)
        try:
            return text if isinstance(text, Invalid) else cls.parse(text)
        except ValueError:
            return reader.wrong(node, cls.EXPECTED)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """For editors."""
        return {"type": "string", "pattern": "^127\\.[0-9.]+( *- *[0-9.]+)?$"}

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class Bit:
    """One bit of the last number of an answer, by its value: 1, 2, 4, ... 128."""

    value: int

    NODES: ClassVar = (ScalarNode,)
    EXPECTED: ClassVar = "one of 1, 2, 4, 8, 16, 32, 64, 128"

    @classmethod
    def from_node(cls, node: Node, reader: Reader) -> Bit | Invalid:
        """For the reader."""
        number = reader.read(node, int)
        if isinstance(number, Invalid):
            return number
        return cls(number) if number in (1, 2, 4, 8, 16, 32, 64, 128) else reader.wrong(node, cls.EXPECTED)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """For editors."""
        return {"enum": [1, 2, 4, 8, 16, 32, 64, 128]}

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list. Give `codes`, or `bits` where each bit of the last number is a list of its own. An answer that neither
    has is no answer: the list could not be asked (most answer so to whom they do not serve)."""

    zone: str
    """Its zone, such as zen.spamhaus.org; with a key in it, if the list gave you one."""
    name: str = ""
    """What findings and rules call it; the zone if left out, which may have your key in it."""
    codes: Mapping[Code, float] = field(default_factory=dict)
    """What each answer weighs."""
    bits: Mapping[Bit, float] = field(default_factory=dict)
    """What each bit weighs."""
    test: str = ""
    """What the list has for tests, as it is asked for it; if left out what RFC 5782 wants (2.0.0.127, test)."""

    def __post_init__(self) -> None:
        if not as_domain(self.zone):
            raise ValueError(f'"{self.zone}" is no zone')
        if bool(self.codes) == bool(self.bits):
            raise ValueError('a list needs "codes" or "bits", as its manual has them')

    @property
    def called(self) -> str:
        """Its name."""
        return self.name or self.zone

    def weight(self, answers: tuple[str, ...]) -> tuple[float, tuple[str, ...]]:
        """What the answers weigh, and those that count. Raises ValueError for an answer that the list does not give."""
        weights = {answer: self._weight(answer) for answer in answers}
        return max(weights.values()), tuple(sorted(weights))

    def _weight(self, answer: str) -> float:
        try:
            address = IPv4Address(answer)
        except AddressValueError:
            raise ValueError(answer) from None
        if self.bits:
            number = int(address) - int(WHERE)
            known = sum(bit.value for bit in self.bits)
            if not 0 < number < 256 or number & ~known:
                raise ValueError(answer)
            return max(weight for bit, weight in self.bits.items() if number & bit.value)
        weights = [weight for code, weight in self.codes.items() if code.first <= address <= code.last]
        if not weights:
            raise ValueError(answer)
        return max(weights)


def _is_code(address: IPv4Address) -> bool:
    return address.packed[0] == WHERE.packed[0]
