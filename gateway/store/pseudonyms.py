"""Personal data in the audit trail under pseudonyms: a keyed digest that still answers "is it the same one?".

Whoever has the key can look for an address; whoever has the trail alone cannot get the address out of it (law
91/2025/QH15 on personal data). Why a rule held is kept without what it quotes of the message, and addresses that
filters found are pseudonyms too. What people wrote themselves, in a comment or a rule's name, is kept as it is.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.store.text import folded

PERSONAL = frozenset(
    {
        *("sender", "recipient", "recipients", "account", "login", "header_from", "reply_to"),
        *("subject", "deliver_to", "copies", "notified"),
    }
)
"""The facts that name or describe persons who write or get mail. Who decided (`actor`) stays: he answers for it."""

KEY_LENGTH = 32
"""Bytes a key must have at least: the length of the digest (RFC 2104 section 3)."""

SHOWN = 32
"""Hexadecimal digits of a pseudonym: 128 bits, so that two addresses never share one."""

ADDRESS = re.compile(r"[^\s@<>\"',;:()]{1,64}@[^\s@<>\"',;:()]{1,255}")
"""What is taken for an address in a field of a finding; RFC 5321 section 4.5.3.1 has the lengths."""

QUOTED = re.compile(r"'(?:[^'\\]|\\.)*(?:'|\\?\Z)|\"(?:[^\"\\]|\\.)*(?:\"|\\?\Z)", re.DOTALL)
"""A value in an explanation, as `policy/matchers.shown` writes it; its end may have been cut off."""

PSEUDONYM = re.compile(rf"~[0-9a-f]{{{SHOWN}}}")


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Makes pseudonyms with a key. Raises ValueError for a key that is too short."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) < KEY_LENGTH:
            raise ValueError(f"the key of the pseudonyms must have {KEY_LENGTH} bytes or more")

    @classmethod
    def from_file(cls, path: Path) -> Pseudonyms:
        """With the bytes of that file. Raises OSError, ValueError."""
        return cls(path.read_bytes())

    def of(self, text: str) -> str:
        """The pseudonym of an address or subject; of "" it is "", for the null sender is nobody."""
        if not text:
            return ""
        return "~" + hmac.digest(self.key, folded(text).encode(), "sha256").hex()[:SHOWN]

    def hide(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The facts with pseudonyms for what is personal."""
        hidden = {name: self._hidden(value) if name in PERSONAL else value for name, value in facts.items()}
        if facts.get("action") == "kept":  # what custody says there is why the rules held
            hidden["comment"] = _unquoted(str(facts.get("comment", "")))
        if isinstance(answers := facts.get("answers"), list):
            hidden["answers"] = [each | {"because": _unquoted(each["because"])} for each in answers]
        if isinstance(findings := facts.get("findings"), list):
            hidden["findings"] = [each | {"fields": self._without_addresses(each["fields"])} for each in findings]
        return hidden

    def asked(self, name: str, value: str) -> str:
        """The value to look for: a pseudonym, made from what was asked or taken as it is if it is one."""
        return self.of(value) if name in PERSONAL and not PSEUDONYM.fullmatch(value) else value

    def _without_addresses(self, value: Any) -> Any:
        if isinstance(value, str):
            return ADDRESS.sub(lambda found: self.of(found[0]), value)
        if isinstance(value, (list, tuple)):
            return [self._without_addresses(each) for each in value]
        if isinstance(value, dict):
            return {name: self._without_addresses(each) for name, each in value.items()}
        return value

    def _hidden(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.of(value)
        if isinstance(value, (list, tuple)):
            return [self._hidden(each) for each in value]
        return value


def _unquoted(because: str) -> str:
    return QUOTED.sub("'…'", because)
