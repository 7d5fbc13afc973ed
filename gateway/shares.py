"""What one of several workers may take: its equal share of what the settings allow the service."""

from __future__ import annotations

from dataclasses import replace

from gateway.config import Settings
from gateway.limits import FileReading, Limits
from gateway.schema.scalars import Size


def share(settings: Settings, workers: int) -> Settings:
    """The settings of each of so many workers. It shows no numbers: the supervisor shows those of all."""
    return replace(
        settings,
        limits=_share_of_limits(settings.limits, workers),
        reading=_share_of_reading(settings.reading, workers),
        metrics=None,
    )


def _share_of_limits(limits: Limits, workers: int) -> Limits:
    return replace(
        limits,
        sessions=_part(limits.sessions, workers),
        sessions_per_client=_part(limits.sessions_per_client, workers),
        upstream_connections=_part(limits.upstream_connections, workers),
        spool=Size(max(_part(limits.spool, workers), limits.message_size)),
        spool_memory=Size(_part(limits.spool_memory, workers)),
    )


def _share_of_reading(reading: FileReading, workers: int) -> FileReading:
    return replace(
        reading,
        processes=_part(reading.processes, workers),
        cache=Size(_part(reading.cache, workers)),
    )


def _part(whole: int, workers: int) -> int:
    """Rounded up: all together may have a little more, nobody has nothing."""
    return -(-whole // workers)
