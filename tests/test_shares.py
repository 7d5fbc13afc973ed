"""What each of several workers may take: together no less than the service may, and hardly more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.config import Settings, read_settings
from gateway.shares import share

SETTINGS = """
listeners: [{name: inbound, smtp: "127.0.0.1:10025", upstream: "smtp://127.0.0.1:10026"}]
metrics: "127.0.0.1:9108"
policy: policy.yaml
state: state
"""


def settings() -> Settings:
    def no_file(path: object) -> str:
        raise AssertionError(path)

    return read_settings(SETTINGS, "gateway.yaml", {}, no_file)


@given(st.integers(1, 64))
def test_together_they_take_what_the_service_takes(workers: int) -> None:
    whole = settings()
    part = share(whole, workers)
    for name in ("sessions", "sessions_per_client", "upstream_connections", "spool_memory"):
        total, limit = workers * getattr(part.limits, name), getattr(whole.limits, name)
        assert limit <= total < limit + workers
    assert part.limits.spool >= part.limits.message_size
    assert part.reading.processes >= 1
    assert part.metrics is None, "the supervisor shows the numbers"
    assert (part.limits.recipients, part.deadline) == (whole.limits.recipients, whole.deadline)
