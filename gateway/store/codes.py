"""Single-use codes of the embedded family: a table beside the index of kept mail.

If the index is lost the codes are lost with it, and none can be used twice: people get new ones with the next reminder.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Row, delete, insert, select, update

from gateway.keeping import Code
from gateway.store.database import Damaged, Database
from gateway.store.files import Draft
from gateway.store.tables import CODES
from gateway.store.text import clipped, microseconds, moment_of
from gateway.store.threads import Threads
from gateway.store.writer import Writer


class EmbeddedCodes:
    """The Codes of SQLite."""

    def __init__(self, database: Database, writer: Writer[Draft], threads: Threads) -> None:
        self._database = database
        self._writer = writer
        self._threads = threads

    async def put(self, codes: Sequence[Code]) -> None:
        """Remember codes. Raises StoreUnavailable."""
        rows = [
            {
                "digest": clipped(code.digest),
                "message": code.message,
                "acts": " ".join(code.acts),
                "person": code.person,
                "expires": microseconds(code.expires),
                "used": microseconds(code.used) if code.used is not None else None,
            }
            for code in codes
        ]
        if rows:
            await self._writer.run(lambda turn: turn.connection.execute(insert(CODES), rows))

    async def peek(self, digest: str) -> Code | None:
        """The code of that digest, used or not. Raises StoreUnavailable."""
        wanted = select(CODES).where(CODES.c.digest == clipped(digest))
        try:
            row = await self._threads.run(self._database.read, lambda connection: connection.execute(wanted).first())
        except Damaged:
            await self._writer.mend()
            row = await self._threads.run(self._database.read, lambda connection: connection.execute(wanted).first())
        return _code(row) if row is not None else None

    async def redeem(self, digest: str, moment: datetime) -> bool:
        """Use it up: True for one caller only, False if it is used or is not there. Raises StoreUnavailable."""
        unused = CODES.c.digest == clipped(digest), CODES.c.used.is_(None)
        using = update(CODES).where(*unused).values(used=microseconds(moment))
        return await self._writer.run(lambda turn: turn.connection.execute(using).rowcount) == 1

    async def forget(self, before: datetime) -> int:
        """Drop the codes that expired before that moment; how many. Raises StoreUnavailable."""
        expired = delete(CODES).where(CODES.c.expires < microseconds(before))
        return await self._writer.run(lambda turn: turn.connection.execute(expired).rowcount)


def _code(row: Row[str, str, str, str, int, int | None]) -> Code:
    return Code(
        digest=row.digest,
        message=row.message,
        acts=tuple(row.acts.split(" ")),
        person=row.person,
        expires=moment_of(row.expires),
        used=moment_of(row.used) if row.used is not None else None,
    )
