"""The words for what happens to a kept message, and the record of it in the audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.keeping import AuditRecord, KeptMail, Step
from gateway.mail import Mail
from gateway.verdict import Outcome

CLOCK = "clock"
"""The actor of what time does."""


class Act(StrEnum):
    """What a step tells."""

    KEPT = "kept"
    ASKED = "asked"
    APPROVED = "approved"
    REJECTED = "rejected"
    FORWARDED = "forwarded"  # `whom` may act in the actor's place
    REMINDED = "reminded"  # of the panel of the rule `whom`
    ESCALATED = "escalated"  # `whom` may act in the place of who has not answered
    VIEWED = "viewed"
    TURNED_DOWN = "turned-down"  # somebody wished what he may not have, or what is too late
    STOPPED = "stopped"  # what looked again before the release was against it
    RELEASING = "releasing"
    RELEASED = "released"
    DEFERRED = "deferred"  # the next hop does not take it now
    REFUSED = "refused"  # the next hop does not take it
    UNKNOWN = "unknown"  # the next hop may have it
    CONFIRMED = "confirmed"  # a person says that the next hop has it
    REOPENED = "reopened"  # a person says that it has not
    DELETED = "deleted"
    WITHDRAWN = "withdrawn"  # its client was told to send it again
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a wish: what happened, None where nothing did; why, in a word of ours or in the hop's words."""

    act: Act | None
    reason: str = ""


def last(steps: Sequence[Step], *acts: Act) -> Step | None:
    """The latest step of one of these kinds."""
    return next((step for step in reversed(steps) if step.act in acts), None)


def record(kept: KeptMail, step: Step, *, wish: str = "", reason: str = "") -> AuditRecord:
    """What the audit trail remembers of a step; of one that was turned down also the `wish` and the reason."""
    return AuditRecord(
        id=kept.id,
        moment=step.moment,
        event="decision",
        facts={
            "action": step.act,
            "actor": step.actor,
            "whom": step.whom,
            "comment": step.comment,
            "wish": wish,
            "reason": reason,
            "kind": kept.kind.value,
            "direction": kept.direction,
            "sender": kept.envelope.sender,
            "account": kept.client.login,
            "recipients": [recipient.address for recipient in kept.envelope.recipients],
            "rules": list(kept.rules),
            "clauses": list(kept.clauses),
            "digest": kept.digest,
            "size": kept.size,
            "policy": kept.policy,
            "expires": kept.expires.isoformat(),
        },
    )


def unstored(mail: Mail, outcomes: Sequence[Outcome], digest: str, policy: str) -> tuple[AuditRecord, ...]:
    """What is remembered of mail of which nothing may be stored: digest, parties and rules, and no word of its content.

    Also not why a rule held, for that names what it found (regulations 2.8).
    """
    return tuple(
        AuditRecord(
            id=mail.id,
            moment=mail.received,
            event="unstored",
            retention="evidence",
            facts={
                "action": outcome.action.word,
                "direction": mail.direction(outcome.recipient).value,
                "sender": mail.envelope.sender,
                "recipient": outcome.recipient.address,
                "account": mail.client.login,
                "client": mail.client.address,
                "rules": [rule.id for rule in outcome.rules if rule.action is not None and rule.mode == "enforce"],
                "digest": digest,
                "size": mail.size,
                "policy": policy,
            },
        )
        for outcome in outcomes
    )
