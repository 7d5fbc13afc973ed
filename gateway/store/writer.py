"""The one thread that writes to a database: it takes what is waiting as one transaction, so that one fsync serves all.

A caller awaits its piece of work; it is answered when the transaction is durable and what had to follow it is done.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection, Transaction
from sqlalchemy.exc import DBAPIError

from gateway.errors import StoreUnavailable
from gateway.store.database import Database, unavailable
from gateway.store.locks import FileLock
from gateway.store.threads import ANSWER_WITHIN

Result = TypeVar("Result")
Later = TypeVar("Later")
Given = TypeVar("Given", contravariant=True)

BATCH = 256
"""Pieces of work in one transaction: beyond a few hundred the fsync no longer shows, and the lock is held too long."""

WAITING = 2_000
"""Pieces of work that may wait: about two seconds' worth; more callers than that hear "not now" at once."""


class Keeper(Protocol[Given]):
    """What the writer must know of that which it writes. All is called in the writer's thread, under its lock."""

    def mend(self) -> None:
        """Make sure that the file is there, is sound and has the newest schema. Raises StoreUnavailable, OSError."""

    def settle(self, later: Sequence[Given]) -> None:
        """Do what had to wait for the commit. Raises OSError, and then nobody of the batch is told that it worked."""

    def drop(self, later: Sequence[Given]) -> None:
        """Undo the preparation of what is not going to be settled. Never raises."""


@dataclass(frozen=True, slots=True)
class Turn(Generic[Later]):
    """What a piece of work is given: the transaction, and a list for what is to be done when it is committed."""

    connection: Connection
    later: list[Later] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Job(Generic[Later]):
    work: Callable[[Turn[Later]], Any]
    answer: Future[Any]


class Writer(Generic[Later]):
    """Writes to one database. Several processes may each have one on the same file: `lock` lets one batch in."""

    def __init__(self, database: Database, lock: FileLock, keeper: Keeper[Later], name: str) -> None:
        self._database = database
        self._lock = lock
        self._keeper = keeper
        self._queue: queue.Queue[_Job[Later] | None] = queue.Queue(WAITING)
        self._connection: Connection | None = None
        self._identity: object = None
        self._thread = threading.Thread(target=self._serve, name=f"store-{name}", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[Turn[Later]], Result], within: float | None = ANSWER_WITHIN) -> Result:
        """What `work` returns or raises, once it is durable. It may be run in a transaction with others.

        Raises StoreUnavailable: nothing was written, or (after `within` seconds) nobody knows. Work whose caller has
        gone before its turn is not done.
        """
        job = _Job(work, Future[Any]())
        try:
            self._queue.put_nowait(job)
        except queue.Full as error:
            raise StoreUnavailable("too many writes are waiting") from error
        try:
            async with asyncio.timeout(within):
                result: Result = await asyncio.wrap_future(job.answer)
                return result
        except TimeoutError as error:
            raise StoreUnavailable("the database does not answer in time") from error

    async def mend(self, within: float | None = ANSWER_WITHIN) -> None:
        """Look at the file anew, and mend it if it must be. Raises StoreUnavailable."""
        self._identity = None
        await self.run(lambda turn: None, within)

    async def close(self) -> None:
        """Write what is waiting, then end."""
        await asyncio.to_thread(self._queue.put, None)
        await asyncio.to_thread(self._thread.join, ANSWER_WITHIN)

    def _serve(self) -> None:
        going = True
        while going:
            taken = [self._queue.get()]
            while len(taken) < BATCH and not self._queue.empty():
                taken.append(self._queue.get())
            going = None not in taken
            jobs = [job for job in taken if job is not None and job.answer.set_running_or_notify_cancel()]
            if jobs:
                self._answer(jobs)
        self._disconnect()

    def _answer(self, jobs: list[_Job[Later]]) -> None:
        try:
            outcomes = self._write(jobs)
        except Exception as error:
            self._disconnect()
            outcomes = [error if isinstance(error, StoreUnavailable) else _in_our_terms(error)] * len(jobs)
        for job, outcome in zip(jobs, outcomes, strict=True):
            if isinstance(outcome, Exception):
                job.answer.set_exception(outcome)
            else:
                job.answer.set_result(outcome)

    def _write(self, jobs: list[_Job[Later]]) -> list[Any]:
        """The outcome of each job, an exception where it raised one. Raises where the batch as a whole is lost."""
        later: list[Later] = []
        try:
            with self._lock.alone():
                connection = self._connected()
                if len(jobs) == 1:  # no savepoint for whoever is alone: his trouble is the whole batch's
                    outcomes = [self._do(jobs[0], connection.begin(), connection, later)]
                else:
                    with connection.begin():
                        outcomes = [self._do(job, connection.begin_nested(), connection, later) for job in jobs]
                self._keeper.settle(later)
        except Exception:
            self._keeper.drop(later)
            raise
        return outcomes

    def _do(self, job: _Job[Later], scope: Transaction, connection: Connection, later: list[Later]) -> Any:
        turn: Turn[Later] = Turn(connection)
        try:
            with scope:
                outcome = job.work(turn)
        except (DBAPIError, sqlite3.Error):
            self._keeper.drop(turn.later)
            raise
        except Exception as error:  # the job's own trouble: the others of the batch go on
            self._keeper.drop(turn.later)
            return _in_our_terms(error) if isinstance(error, OSError) else error
        later += turn.later
        return outcome

    def _connected(self) -> Connection:
        if self._connection is None or self._identity is None or self._identity != self._database.identity():
            self._disconnect()
            self._keeper.mend()
            self._connection = self._database.connect()
            self._identity = self._database.identity()
        return self._connection

    def _disconnect(self) -> None:
        """After any trouble the connection is not used again: no second fsync on a descriptor that failed one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


def _in_our_terms(error: Exception) -> Exception:
    if isinstance(error, (DBAPIError, sqlite3.Error)):
        return unavailable(error)
    if isinstance(error, OSError):
        return StoreUnavailable(f"the disk: {error.strerror or error}")
    return error
