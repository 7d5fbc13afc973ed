"""The audit trail for commands that only read it: nothing is opened that could write, nothing is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.config import Settings
from gateway.policy.model import Policy
from gateway.reports.people import People

if TYPE_CHECKING:
    from gateway.store.summaries import Summaries


def trail_of(settings: Settings) -> Summaries:
    """The trail of these settings; its methods raise StoreUnavailable where it is not there."""
    from gateway.store.summaries import Summaries  # its libraries take a second that other commands need not wait

    return Summaries(settings.state / "store")


def people_of(settings: Settings, policy: Policy) -> People:
    """The directory's accounts, also as they stand in a trail with pseudonyms."""
    if not settings.pseudonym_key:
        return People(policy.accounts, str)
    from gateway.store.pseudonyms import Pseudonyms

    return People(policy.accounts, Pseudonyms(settings.pseudonym_key.encode()).of)
