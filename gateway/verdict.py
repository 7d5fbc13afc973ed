"""The vocabulary of a decision: what filters report, what the policy says of it, what the edges carry out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, fields
from enum import IntEnum, StrEnum
from typing import Any, ClassVar, Protocol, runtime_checkable

from gateway.mail import Mail, Recipient
from gateway.reply import Reply


class Action(IntEnum):
    """What may happen to a message for one recipient, by strength: the strongest that any rule asks for is taken."""

    ACCEPT = 0
    TAG = 1
    HOLD = 2
    QUARANTINE = 3
    DISCARD = 4
    DEFER = 5  # above DISCARD: what could not be looked at waits, it is not thrown away
    REJECT = 6  # above DEFER: what is known to be bad stays bad when a scanner returns

    @property
    def word(self) -> str:
        """The action as policies, logs and metrics write it."""
        return self.name.lower()

    @property
    def delivers(self) -> bool:
        """True if the recipient gets the message now."""
        return self <= Action.TAG

    @property
    def owns(self) -> bool:
        """True if the gateway must keep the message itself before it may answer 250."""
        return self in (Action.HOLD, Action.QUARANTINE)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a finding was seen: the part's label, the offset in it, and a short excerpt."""

    part: str
    offset: int = 0
    excerpt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a filter saw. Each filter subclasses it: the docstring is the manual, the fields are what policies test.

    `detail` is for operators only and never reaches a client.
    """

    code: ClassVar[str] = ""
    detail: str = ""
    evidence: tuple[Evidence, ...] = ()

    def facts(self) -> dict[str, Any]:
        """The fields a policy may test, by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("detail", "evidence")}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientFinding(Finding):
    """What a filter saw that concerns one of the recipients, by the address in the envelope; for the others it does not
    count."""

    recipient: str


@runtime_checkable
class PureFilter(Protocol):
    """A frozen dataclass whose fields are its options and whose `inspect` is a plain generator: bounded, no I/O.

    A filter that looks into texts and files declares `READS: ClassVar[bool] = True` and finds them as `mail.reading`.
    """

    FINDINGS: ClassVar[tuple[type[Finding], ...]]

    def inspect(self, mail: Mail) -> Iterator[Finding]:
        """What this filter sees in the mail. Raises Unavailable where it could not look."""
        ...


@runtime_checkable
class NetFilter(Protocol):
    """The same for a filter that talks to a network: its `inspect` is an async generator, run under the deadline."""

    FINDINGS: ClassVar[tuple[type[Finding], ...]]

    def inspect(self, mail: Mail) -> AsyncIterator[Finding]:
        """What this filter sees in the mail. Raises Unavailable where it could not look."""
        ...


Filter = PureFilter | NetFilter


@dataclass(frozen=True, slots=True)
class Report:
    """How one filter fared with one message: what it found, and why it could not look (to the end), if so.

    `failure` is a word of a closed set for the metrics (unavailable, deadline, bug), `reason` the text for operators.
    """

    filter: str
    findings: tuple[Finding, ...] = ()
    failure: str = ""
    reason: str = ""
    seconds: float = 0.0


class Truth(StrEnum):
    """Three-valued logic: "looked and found nothing" and "could not look" are different values."""

    MATCH = "match"
    NO_MATCH = "no-match"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AddHeader:
    """Put a header field on top of the message. The value is text; it is encoded (RFC 2047) when written."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class RemoveHeader:
    """Take every header field of that name (any case) out of the message."""

    name: str


@dataclass(frozen=True, slots=True)
class ReplaceHeader:
    """Put a new value in the place of the first field of that name and take the others out; add it if there is none."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class TagSubject:
    """Put a text in front of the subject, once."""

    text: str


@dataclass(frozen=True, slots=True)
class Banner:
    """Put a text, in lines, above the body a person reads."""

    text: str


@dataclass(frozen=True, slots=True)
class StripPart:
    """Take a part out and leave a notice in its place."""

    label: str
    notice: str


Edit = AddHeader | RemoveHeader | ReplaceHeader | TagSubject | Banner | StripPart


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What one rule made of one message for one recipient, and why, in words for an operator.

    `action` is what the rule asks for where it matches, or where it is unknown (its `on_unknown`); None where it asks
    for nothing. A rule in shadow, or bypassed, is recorded in the same way and changes nothing.
    """

    id: str
    cite: tuple[str, ...]
    mode: str
    result: Truth
    action: Action | None
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happens to the message for one recipient: the strongest action, the reply where it is refused, the rest.

    `deliver_to` is the recipient itself, or whom a rule redirects it to; `copies` are rules' blind copies; `notify`
    names who is to be told ("recipient", "sender", "officer" or an address).
    """

    recipient: Recipient
    action: Action
    reply: Reply
    rules: tuple[RuleOutcome, ...] = ()
    edits: tuple[Edit, ...] = ()
    deliver_to: tuple[Recipient, ...] = ()
    copies: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision on a whole message, explained: one outcome for each recipient, and what was looked at.

    `policy` is the digest of the policy that decided, `bypassed` what of it somebody had suspended: "rule NAME" or
    "filter NAME".
    """

    policy: str
    outcomes: tuple[Outcome, ...]
    reports: tuple[Report, ...] = ()
    bypassed: tuple[str, ...] = ()

    @property
    def action(self) -> Action:
        """The strongest action over the recipients."""
        return max((outcome.action for outcome in self.outcomes), default=Action.ACCEPT)

    @property
    def asked(self) -> Iterator[tuple[RuleOutcome, Action]]:
        """The rules that ask for something, and for what; once where recipients share the same outcome of all rules."""
        shared = {id(outcome.rules): outcome.rules for outcome in self.outcomes}
        for rules in shared.values():
            for rule in rules:
                if rule.action is not None:
                    yield rule, rule.action

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was found, in the order of the filters."""
        return tuple(finding for report in self.reports for finding in report.findings)


