"""Whose address it is: the directory's accounts, also where the trail has pseudonyms in the place of addresses."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.mail import Account, Direction


@dataclass(frozen=True, slots=True)
class People:
    """The accounts of one unit, or of all. `recorded` is how an address stands in the trail."""

    accounts: Mapping[str, Account]
    recorded: Callable[[str], str]
    _by_record: Mapping[str, Account] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        found = {folded(self.recorded(address)): account for address, account in self.accounts.items()}
        object.__setattr__(self, "_by_record", found)

    def of(self, recorded: str) -> Account | None:
        """The account whose address is recorded as this text."""
        return self._by_record.get(folded(recorded))

    def concerned(self, facts: Mapping[str, Any]) -> Account | None:
        """The account of ours that a message has to do with: who gets it if it is inbound, else who sends it."""
        if facts.get("direction") == Direction.INBOUND.value:
            return self.of(str(facts.get("recipient", "")))
        return self.of(str(facts.get("account", ""))) or self.of(str(facts.get("sender", "")))

    def in_unit(self, unit: str) -> People:
        """Those of that unit, all if it is ""."""
        mine = {address: each for address, each in self.accounts.items() if not unit or each.unit == unit}
        return People(mine, self.recorded)

    @property
    def units(self) -> dict[str, list[Account]]:
        """The accounts by unit, in alphabetical order."""
        units: dict[str, list[Account]] = {}
        for account in sorted(self.accounts.values(), key=lambda each: (each.unit, each.address)):
            units.setdefault(account.unit, []).append(account)
        return units


def folded(address: str) -> str:
    """An address as the trail compares it."""
    return unicodedata.normalize("NFC", address).casefold()
