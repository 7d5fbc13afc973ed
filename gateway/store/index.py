"""The index of kept mail: a SQLite database that may be lost, because it is made anew from the files.

A new one always gets a new name (`index-NUMBER.db`, the highest counts): the log of a database is found by its name,
and processes that still have the old one open must never meet the new one's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection, Table, delete, insert, inspect, select
from sqlalchemy.exc import DBAPIError

from gateway.keeping import KeptMail, Step
from gateway.store.database import Damaged, Database, create_file, sync_folder, unavailable
from gateway.store.entry import BrokenEntry, file_content, kept_json, step_json
from gateway.store.files import Draft, MailFiles
from gateway.store.schema import upgrade
from gateway.store.tables import KEPT, KEPT_RECIPIENTS, KEPT_RULES, KEPT_STEPS
from gateway.store.text import clipped, folded, microseconds

CURRENT = re.compile(r"index-([0-9]+)\.db")
OURS = re.compile(r"index-[0-9]+\.(db|new)(-[a-z]+)?")
"""Files that are an index, and all files that belong to one."""

ADOPTED = 500
"""Files taken into the index at once: their rows are in memory together."""


class MailIndex:
    """Finds the index, makes it, and holds it to the files. The keeper of the writer of kept mail."""

    def __init__(self, folder: Path, files: MailFiles, patience: float) -> None:
        self._folder = folder
        self._files = files
        self._patience = patience
        self.database = Database(self.locate, patience)

    def locate(self) -> Path | None:
        """The index as it is called now."""
        found = ((int(match[1]), path) for path in self._folder.iterdir() if (match := CURRENT.fullmatch(path.name)))
        return max(found, default=(0, None))[1]

    def mend(self) -> None:
        """Bring the schema up to date; make a new index from the files where the old one is gone or not sound."""
        if self.locate() is None or not self._sound():
            self._make()

    def settle(self, later: Sequence[Draft]) -> None:
        """Name the files whose rows are committed."""
        self._files.publish(later)

    def drop(self, later: Sequence[Draft]) -> None:
        """Remove the files whose rows are not."""
        self._files.withdraw(later)

    def sweep(self) -> None:
        """Remove indexes that have been replaced. Only for who is alone."""
        current = self.locate()
        for path in self._folder.iterdir():
            if OURS.fullmatch(path.name) and (current is None or not path.name.startswith(current.name)):
                path.unlink()

    def adopt(self, connection: Connection) -> tuple[str, ...]:
        """Make rows for files that have none; what could not be read, in words with the id."""
        missing = sorted(set(self._files.ids()) - set(connection.scalars(select(KEPT.c.id))))
        broken: list[str] = []
        for at in range(0, len(missing), ADOPTED):
            remember(connection, self._entries(missing[at : at + ADOPTED], broken))
        return tuple(broken)

    def forget_unowned(self, connection: Connection) -> None:
        """Remove rows without files. Only for who is alone: others' mail has its row before its files have names."""
        for id in set(connection.scalars(select(KEPT.c.id))) - set(self._files.ids()):
            forget(connection, id)

    def _sound(self) -> bool:
        try:
            with self.database.connect() as connection, connection.begin():
                if connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
                    return False
                if not inspect(connection).has_table(KEPT.name):  # emptied, which SQLite takes for a new one
                    return False
                upgrade(connection, "mail")
                return True
        except Damaged:
            return False
        except DBAPIError as error:
            if isinstance(unavailable(error), Damaged):
                return False
            raise

    def _make(self) -> None:
        last = self.locate()
        number = max(time.time_ns(), int(last.stem.partition("-")[2]) + 1 if last else 0)  # clocks are set back
        path = self._folder / f"index-{number}.db"
        new = path.with_suffix(".new")
        create_file(new)
        making = Database(lambda: new, self._patience)
        with making.connect() as connection, connection.begin():
            upgrade(connection, "mail")
            self.adopt(connection)
        # The last connection is closed: everything is in the one file, and the log is gone.
        new.rename(path)
        sync_folder(self._folder)

    def _entries(self, ids: Sequence[str], broken: list[str]) -> Iterator[tuple[KeptMail, Sequence[Step]]]:
        for id in ids:
            try:
                yield file_content(self._files.entry(id))
            except (BrokenEntry, OSError) as error:
                broken.append(f"{id}: {error}")


def remember(connection: Connection, entries: Iterable[tuple[KeptMail, Sequence[Step]]]) -> None:
    """The rows of messages that have none."""
    rows: dict[Table, list[dict[str, object]]] = {KEPT: [], KEPT_RECIPIENTS: [], KEPT_RULES: [], KEPT_STEPS: []}
    for kept, steps in entries:
        addresses = [recipient.address for recipient in kept.envelope.recipients]
        words = (kept.id, kept.message_id, kept.subject, kept.envelope.sender, kept.header_from, *addresses)
        rows[KEPT].append(
            {
                "id": kept.id,
                "kind": kept.kind,
                "state": kept.state,
                "received": microseconds(kept.received),
                "sender": folded(kept.envelope.sender),
                "words": "\n".join(map(folded, words)),
                "entry": kept_json(kept),
            }
        )
        rows[KEPT_RECIPIENTS] += [{"address": each, "id": kept.id} for each in sorted(set(map(folded, addresses)))]
        rows[KEPT_RULES] += [{"rule": each, "id": kept.id} for each in sorted(set(map(clipped, kept.rules)))]
        rows[KEPT_STEPS] += [step_row(kept.id, number, step) for number, step in enumerate(steps, 1)]
    for table, values in rows.items():
        if values:
            connection.execute(insert(table), values)


def step_row(id: str, number: int, step: Step) -> dict[str, object]:
    """The row of one step."""
    return {"id": id, "number": number, "step": step_json(step)}


def forget(connection: Connection, id: str) -> None:
    """Remove the rows of one message, if there are any."""
    if connection.execute(delete(KEPT).where(KEPT.c.id == id)).rowcount:
        for table in (KEPT_RECIPIENTS, KEPT_RULES, KEPT_STEPS):
            connection.execute(delete(table).where(table.c.id == id))
