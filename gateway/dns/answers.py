"""What can be asked of the DNS and what it says; "there is no such thing" and "nobody could say" are different."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """The types of records that are asked for."""

    A = "A"
    AAAA = "AAAA"
    MX = "MX"
    TXT = "TXT"
    PTR = "PTR"
    NS = "NS"


@dataclass(frozen=True, slots=True)
class Answer:
    """What there is, for certain.

    `records` are addresses in text form, host names in lower case without the last dot (of MX in the order of their
    preference, "" for the null MX of RFC 7505), or the strings of each TXT record put together, a character for each
    octet. `exists` is false where the name itself does not (NXDOMAIN). `secure` is true where the nameserver has
    checked signatures (AD, RFC 4035 section 3.2.3); believe it only of one on a trusted path.
    """

    records: tuple[str, ...] = ()
    exists: bool = True
    secure: bool = False

    @property
    def void(self) -> bool:
        """True if there are no such records, whether or not the name exists (RFC 7208 section 4.6.4)."""
        return not self.records


NOTHING = Answer(exists=False)
"""The answer for what no zone can have."""


class LookupFailed(Exception):
    """Nobody could say: no answer in time, SERVFAIL, or nonsense. Its text is for operators."""


class TooManyLookups(LookupFailed):
    """One message asked for more than it may: the fault of who wrote it or its domain's records."""


class Lookup(Protocol):
    """Somebody who answers questions: the resolver, a limit in front of it, or a zone in a test."""

    async def lookup(self, name: str, kind: Kind) -> Answer:
        """The records of a name (without the last dot, any case). Raises LookupFailed."""
        ...
