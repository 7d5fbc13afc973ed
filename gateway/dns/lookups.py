"""What one message may ask: a limit in front of the resolver, so that a message cannot make us ask for ever."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.dns.answers import Answer, Kind, Lookup, TooManyLookups


@dataclass(slots=True, eq=False)
class Lookups:
    """A resolver for one message, which may ask it `most` questions."""

    resolver: Lookup
    most: int
    asked: int = 0

    async def lookup(self, name: str, kind: Kind) -> Answer:
        """The answer. Raises LookupFailed, TooManyLookups beyond `most` questions."""
        self.asked += 1
        if self.asked > self.most:
            raise TooManyLookups(f"more than {self.most} questions for one message")
        return await self.resolver.lookup(name, kind)
