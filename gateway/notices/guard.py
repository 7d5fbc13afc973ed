"""Who may be told what: nobody outside the organisation, no machine, no list, never about our own notices, each once.

Nothing here looks at a clock: a notice has its moment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.mail import belongs
from gateway.notices.marker import is_own
from gateway.notices.model import ANSWERS, RESTRAINED, FloodSummary, MessageNotice, Notice
from gateway.notices.original import Original, from_inside
from gateway.notices.throttle import Limits, Throttle
from gateway.policy.model import Policy

MOST_REMEMBERED = 50_000
"""Notices remembered so that none is told twice, about 8 MB; the outbox remembers what was sent for longer."""

ADDRESS_LIMIT = 254
"""Octets of an address. RFC 5321 section 4.5.3.1.3 with its erratum 1690."""

# RFC 5321 section 4.1.2: a dot-string. Not written to: quoted local parts, addresses in UTF-8, and "?", which would
# look like an encoded word in To.
_ADDRESS = re.compile(r"[\w!#$%&'*+/=^`{|}~-]+(\.[\w!#$%&'*+/=^`{|}~-]+)*@[a-z0-9-]+(\.[a-z0-9-]+)*", re.A | re.I)
_MACHINE = re.compile(
    r"(mailer-daemon|majordomo|listserv|no[-_.]?reply|do[-_.]?not[-_.]?reply|bounces?)([-+=_.].*)?"
    r"|owner-.*|.*-(owner|request|bounces?)",
    re.ASCII | re.IGNORECASE,
)


class Fate(StrEnum):
    """What became of a notice: it waits to be sent, or why nobody is told."""

    QUEUED = "queued"
    UNWRITABLE = "unwritable"  # no address that mail of ours can be sent to
    STRANGER = "stranger"  # neither of the organisation nor named in the policy
    MACHINE = "machine"  # an address that nobody reads
    OWN = "own"  # about a notice of ours
    UNANSWERABLE = "unanswerable"  # an answer to what nobody answers automatically
    DUPLICATE = "duplicate"
    THROTTLED = "throttled"
    GATHERED = "gathered"  # told later, in one with others
    LOST = "lost"  # the outbox could not take it


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who may be told: everybody in `domains`, and those whom the policy names, `named`, in lower case.

    `key` is the one that marks our notices.
    """

    domains: frozenset[str]
    named: frozenset[str] = frozenset()
    key: bytes

    @classmethod
    def of(cls, policy: Policy, key: bytes, approvers: Iterable[str] = ()) -> Audience:
        """The audience of a policy: its domains, its officers, the addresses that its rules notify, and approvers."""
        named = {approver.lower() for approver in approvers}
        named |= {officer.text.lower() for officer in policy.organisation.officers}
        named |= {told.text.lower() for rule in policy.rules for told in rule.with_.notify if "@" in told.text}
        return cls(domains=frozenset(policy.organisation.domains), named=frozenset(named), key=key)


def writable(address: str) -> bool:
    """True for an address that mail of ours can be sent to."""
    return len(address) <= ADDRESS_LIMIT and _ADDRESS.fullmatch(address) is not None


def refusal(notice: Notice, audience: Audience) -> Fate | None:
    """Why this notice must not be sent, whatever was sent before; None where it may."""
    if not writable(notice.to):
        return Fate.UNWRITABLE
    if notice.to.lower() not in audience.named:
        if not belongs(notice.to, audience.domains):
            return Fate.STRANGER
        if _MACHINE.fullmatch(notice.to.rpartition("@")[0]):
            return Fate.MACHINE
    if isinstance(notice, MessageNotice) and is_own(notice.original, audience.key):
        return Fate.OWN
    return _answer_refusal(notice.original) if isinstance(notice, ANSWERS) else None


def _answer_refusal(original: Original) -> Fate | None:
    """Answers go to the sender of mail from inside only: an address is easily forged from outside, and its owner
    would hear of mail that is not his (backscatter)."""
    if not from_inside(original):
        return Fate.STRANGER
    return Fate.UNANSWERABLE if original.unanswerable or not original.sender or original.marker else None


class Guard:
    """Lets each notice through once, and so many in an hour."""

    def __init__(self, limits: Limits) -> None:
        self._throttle = Throttle(limits)
        self._remembered: dict[str, None] = {}

    def check(self, notice: Notice, audience: Audience) -> Fate | None:
        """Why the notice is not to be sent; None where it is, and then it is remembered as told."""
        if fate := refusal(notice, audience):
            return fate
        if notice.id in self._remembered:
            return Fate.DUPLICATE
        self._remembered[notice.id] = None
        if len(self._remembered) > MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        gathered = isinstance(notice, MessageNotice) and notice.gather is not None
        if gathered or isinstance(notice, RESTRAINED) or self._throttle.admit(notice):
            return None
        return Fate.THROTTLED

    def forget(self, notice: Notice) -> None:
        """It was not told after all: it may be tried again."""
        self._remembered.pop(notice.id, None)

    def summaries(self, now: datetime) -> list[FloodSummary]:
        """What was throttled in the hours that are over by now, each once."""
        return self._throttle.summaries(now)
