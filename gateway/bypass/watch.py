"""What a running gateway knows of bypasses: a look at the file for each message, and one a second without any."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import structlog

from gateway.bypass import file
from gateway.bypass.effect import without
from gateway.bypass.model import Bypass
from gateway.policy.model import Policy

LOOK_EVERY = 1.0
"""Seconds between two looks: how late the log and the metrics may be. Messages look for themselves."""

log = structlog.get_logger()


def now() -> datetime:
    """The moment by the clock of the wall, by which people say until when."""
    return datetime.now(UTC)


class Bypasses:
    """The bypasses of one state folder. A file that cannot be read, or is not as it must be, suspends nothing."""

    def __init__(self, folder: Path, clock: Callable[[], datetime] = now) -> None:
        self._folder = folder
        self._clock = clock
        self._seen: file.Sign | str | None = None
        self._written: tuple[Bypass, ...] = ()
        self._applied: Policy | None = None
        self.counting: tuple[Bypass, ...] = ()

    def applied(self, policy: Policy) -> Policy:
        """The policy as it is at this moment. Never raises."""
        changed = self._look()
        whole = self._applied.whole or self._applied if self._applied is not None else None
        if self._applied is None or changed or whole is not policy:
            self._applied = without(policy, self.counting)
            for each in self.counting:
                if each.label not in self._applied.bypassed:
                    log.warning("bypass has no effect on this policy", bypass=each.label, id=each.id)
        return self._applied

    async def watch(self, policy: Callable[[], Policy]) -> None:
        """Look from time to time, for the log and the metrics, until cancelled."""
        while True:
            self.applied(policy())
            await asyncio.sleep(LOOK_EVERY)

    def left(self) -> list[tuple[Bypass, float]]:
        """Those that count and have an effect on the policy in force, with the seconds that are left of each."""
        policy, moment = self._applied, self._clock()
        if policy is None:
            return []
        return [
            (each, (each.ends - moment).total_seconds())
            for each in self.counting
            if each.label in policy.bypassed and each.counts(moment)
        ]

    def _look(self) -> bool:
        """Read the file if it has changed, and count again. True if something else counts than before."""
        try:
            seen: file.Sign | str | None = file.sign_of(self._folder)
        except OSError as error:
            seen = str(error)
        if seen != self._seen:
            self._seen, self._written = seen, self._read(seen)
        if not self._written and not self.counting:  # nearly always
            return False
        moment = self._clock()
        counting = tuple(each for each in self._written if each.counts(moment))
        if counting == self.counting:
            return False
        before, self.counting = self.counting, counting
        self._tell(before, moment)
        return True

    def _read(self, seen: file.Sign | str | None) -> tuple[Bypass, ...]:
        try:
            if isinstance(seen, str):
                raise OSError(seen)
            return file.read(self._folder)
        except (OSError, ValueError) as error:
            path = str(self._folder / file.NAME)
            log.error("bypasses cannot be used: nothing is bypassed", path=path, reason=str(error))
            return ()

    def _tell(self, before: tuple[Bypass, ...], moment: datetime) -> None:
        for each in before:
            if each not in self.counting:
                log.warning("bypass is over", bypass=each.label, id=each.id, ended_early=moment < each.ends)
        for each in self.counting:
            if each not in before:
                log.warning(
                    "bypass counts",
                    bypass=each.label,
                    id=each.id,
                    until=each.ends.isoformat(timespec="seconds"),
                    **asdict(each.by),
                    reason=each.reason,
                )

