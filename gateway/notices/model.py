"""What people are told: one frozen class for each kind of notice. Its fields are all that its text can say."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from gateway.notices.original import Original
from gateway.policy.rule import Bilingual
from gateway.verdict import Action


class NoticeKind(StrEnum):
    """The kinds, as templates, logs and audit records name them."""

    KEPT_RECIPIENT = "kept-recipient"
    HELD_SENDER = "held-sender"
    APPROVAL_REQUEST = "approval-request"
    APPROVAL_REMINDER = "approval-reminder"
    APPROVAL_ESCALATION = "approval-escalation"
    DECIDED_SENDER = "decided-sender"
    APPLIED_RECIPIENT = "applied-recipient"
    APPLIED_SENDER = "applied-sender"
    OFFICER_ALERT = "officer-alert"
    RELEASED_RECIPIENT = "released-recipient"
    DIGEST_RECIPIENT = "digest-recipient"
    FLOOD_SUMMARY = "flood-summary"
    GATHERED_SUMMARY = "gathered-summary"


class Decision(StrEnum):
    """What became of held mail."""

    APPROVED = "approved"
    RETURNED = "returned"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One notice to one address at one moment (an aware datetime).

    `occasion` tells apart notices of one kind about one message to one address, such as the reminders by their number:
    what is equal in all four is told once.
    """

    kind: ClassVar[NoticeKind]
    to: str
    moment: datetime
    occasion: str = ""

    @property
    def about(self) -> str:
        """The id of the one message it is about, "" where it is about none."""
        return ""

    @property
    def id(self) -> str:
        """Forty hexadecimal digits, the same for the same notice whenever and wherever it is made."""
        what = (self.kind.value, self.about, self.to.lower(), self.occasion)
        return hashlib.sha256(repr(what).encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class Gather:
    """That a notice is put together with others of `rule`, which cites `clauses`, that come within a time. `source` is
    under what it counts: the service that a filter has named, or the sender's domain."""

    rule: str
    clauses: tuple[str, ...]
    every: timedelta
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageNotice(Notice):
    """A notice about one message. `text` is what the rule itself says to people; with `gather` it is not told alone."""

    original: Original
    text: Bilingual | None = None
    gather: Gather | None = None

    @property
    def about(self) -> str:
        """The message's id."""
        return self.original.id


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRecipient(MessageNotice):
    """A message to you has been kept, and how to ask for it. `link` leads to a page where it can be asked for."""

    kind = NoticeKind.KEPT_RECIPIENT
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedRecipient(MessageNotice):
    """A message to you that had been kept is on its way now."""

    kind = NoticeKind.RELEASED_RECIPIENT
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSender(MessageNotice):
    """Your message waits for approval, by these, until then."""

    kind = NoticeKind.HELD_SENDER
    approvers: tuple[str, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedSender(MessageNotice):
    """What became of your message. `actor` decided it, "" where time did."""

    kind = NoticeKind.DECIDED_SENDER
    decision: Decision
    actor: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest(MessageNotice):
    """Somebody's message waits for you. `link` leads to the page where it is decided, `code` decides it by command.

    `others` may approve it too, `quorum` of all must, until `until`.
    """

    kind = NoticeKind.APPROVAL_REQUEST
    link: str
    code: str
    others: tuple[str, ...] = ()
    quorum: int = 1
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalReminder(ApprovalRequest):
    """It still waits for you."""

    kind = NoticeKind.APPROVAL_REMINDER


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalEscalation(ApprovalRequest):
    """Those who were asked first, `asked`, have not answered: now you are asked."""

    kind = NoticeKind.APPROVAL_ESCALATION
    asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerAlert(MessageNotice):
    """A rule fired, and `action` is what was done."""

    kind = NoticeKind.OFFICER_ALERT
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedRecipient(MessageNotice):
    """A message to you met a rule and was not kept: `action` is what was done instead."""

    kind = NoticeKind.APPLIED_RECIPIENT
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedSender(MessageNotice):
    """Your message met a rule, and does not wait for approval: `action` is what was done."""

    kind = NoticeKind.APPLIED_SENDER
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestRecipient(Notice):
    """What was kept of your mail from `since` until `until`: `total` messages, the newest of them in `kept`."""

    kind = NoticeKind.DIGEST_RECIPIENT
    kept: tuple[Original, ...]
    total: int
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodSummary(Notice):
    """`suppressed` notices of one kind that you were not sent, from `since` until `until`."""

    kind = NoticeKind.FLOOD_SUMMARY
    of: NoticeKind
    suppressed: int
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheredSummary(Notice):
    """What would have been `total` notices of one kind about one rule, from `since` until `until`: the services or
    senders with their numbers, not all of them if there are very many, and some of the `recipients`."""

    kind = NoticeKind.GATHERED_SUMMARY
    of: NoticeKind
    rule: str
    clauses: tuple[str, ...]
    text: Bilingual | None
    total: int
    sources: tuple[tuple[str, int], ...]
    recipients: tuple[str, ...]
    since: datetime
    until: datetime

    @property
    def others(self) -> int:
        """Messages of services and senders that are not named."""
        return self.total - sum(count for _, count in self.sources)


ANSWERS = (HeldSender, DecidedSender, AppliedSender)
"""Notices to the sender of a message: automatic answers, to which RFC 3834 applies."""

RESTRAINED = (DigestRecipient, FloodSummary, GatheredSummary)
"""Notices that come once in a period as they are, and so are never throttled."""
