"""Three-valued conditions: what is known of a message, and how answers combine (Kleene's strong logic).

"Could not look" is a value, not a guess: `unknown and no` is no, `unknown or yes` is yes, and what then is still
unknown is for the rule's `on_unknown`. The same evaluation serves three callers that know less or more: the envelope
(no content yet), the choice of filters (no findings yet), and the decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from functools import lru_cache
from typing import ClassVar, NamedTuple, Protocol
from zoneinfo import ZoneInfo

from gateway.mail import Direction, Mail, Recipient, Transaction
from gateway.verdict import Finding, Report, Truth

MATCH, NO_MATCH, UNKNOWN = Truth.MATCH, Truth.NO_MATCH, Truth.UNKNOWN

HOME_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
"""The zone of days and hours in policies that name none."""


class Scope(IntEnum):
    """What a condition's answer may differ by. A narrower answer is computed once and shared."""

    MESSAGE = 0
    DIRECTION = 1
    RECIPIENT = 2


@dataclass(frozen=True, slots=True)
class Known:
    """What may be looked at: a transaction (or the whole mail), the reports so far, and for whom, where that is set."""

    mail: Transaction
    reports: Mapping[str, Report] = field(default_factory=dict)
    direction: Direction | None = None
    recipient: Recipient | None = None

    @property
    def content(self) -> Mail | None:
        """The whole mail, once its content is there."""
        return self.mail if isinstance(self.mail, Mail) else None

    @property
    def day(self) -> date:
        """The day on which the message came, by which dated entries count or do not."""
        return day_of(self.mail.received)


@lru_cache(maxsize=64)
def day_of(moment: datetime) -> date:
    """The day it is at home; every dated entry that is looked up for a message asks for it."""
    return moment.astimezone(HOME_ZONE).date()


class Answer(NamedTuple):
    """What a condition says, and why, in words; the findings that made it match; the filters it still waits for."""

    truth: Truth
    because: str
    findings: tuple[Finding, ...] = ()
    waits: tuple[str, ...] = ()


class Condition(Protocol):
    """One question about a message. Leaves are in `conditions.py`."""

    @property
    def scope(self) -> Scope:
        """What the answer may differ by."""
        ...

    @property
    def leaves(self) -> tuple[Condition, ...]:
        """The single questions in it: where all of these answer alike, so does the whole."""
        ...

    @property
    def needs_content(self) -> bool:
        """True if it can never be a match before the content is there."""
        ...

    def test(self, known: Known) -> Answer:
        """The answer as far as it can be known; it never becomes less definite when more is known."""
        ...

    def narrow(self, known: Known, scope: Scope) -> Condition:
        """The condition that is left to ask of each narrower scope: what is settled is not asked again."""
        ...


@dataclass(frozen=True, slots=True)
class Settled:
    """A condition whose answer is known for all that follow."""

    answer: Answer
    scope: ClassVar[Scope] = Scope.MESSAGE
    leaves: ClassVar[tuple[Condition, ...]] = ()
    needs_content: ClassVar[bool] = False

    def test(self, known: Known) -> Answer:
        return self.answer

    def narrow(self, known: Known, scope: Scope) -> Condition:
        return self


ALWAYS = Settled(Answer(MATCH, "always"))


class Leaf:
    """What all leaves share: an answer settles when it is definite, or when nothing narrower could change it."""

    __slots__ = ()
    scope: ClassVar[Scope] = Scope.MESSAGE
    needs_content: ClassVar[bool] = False

    @property
    def leaves(self) -> tuple[Condition, ...]:
        return (self,)

    def test(self, known: Known) -> Answer:
        raise NotImplementedError

    def narrow(self, known: Known, scope: Scope) -> Condition:
        answer = self.test(known)
        return Settled(answer) if answer.truth is not UNKNOWN or self.scope <= scope else self


@dataclass(frozen=True, slots=True)
class All:
    """True if every condition is, false as soon as one is."""

    conditions: tuple[Condition, ...]

    @property
    def scope(self) -> Scope:
        return max((condition.scope for condition in self.conditions), default=Scope.MESSAGE)

    @property
    def leaves(self) -> tuple[Condition, ...]:
        return tuple(leaf for condition in self.conditions for leaf in condition.leaves)

    @property
    def needs_content(self) -> bool:
        return any(condition.needs_content for condition in self.conditions)

    def test(self, known: Known) -> Answer:
        answers = []
        for condition in self.conditions:
            answer = condition.test(known)
            if answer.truth is NO_MATCH:
                return answer
            answers.append(answer)
        unknown = [answer for answer in answers if answer.truth is UNKNOWN]
        return _joined(UNKNOWN, unknown) if unknown else _joined(MATCH, answers)

    def narrow(self, known: Known, scope: Scope) -> Condition:
        answer = self.test(known)
        if answer.truth is not UNKNOWN or self.scope <= scope:
            return Settled(answer)
        return All(tuple(condition.narrow(known, scope) for condition in self.conditions))


@dataclass(frozen=True, slots=True)
class Some:
    """True if one condition is. All are asked: each that matches is evidence."""

    conditions: tuple[Condition, ...]

    @property
    def scope(self) -> Scope:
        return max((condition.scope for condition in self.conditions), default=Scope.MESSAGE)

    @property
    def leaves(self) -> tuple[Condition, ...]:
        return tuple(leaf for condition in self.conditions for leaf in condition.leaves)

    @property
    def needs_content(self) -> bool:
        return all(condition.needs_content for condition in self.conditions)

    def test(self, known: Known) -> Answer:
        answers = [condition.test(known) for condition in self.conditions]
        for truth in (MATCH, UNKNOWN):
            if chosen := [answer for answer in answers if answer.truth is truth]:
                return _joined(truth, chosen)
        return _joined(NO_MATCH, answers)

    def narrow(self, known: Known, scope: Scope) -> Condition:
        if self.scope <= scope:
            return Settled(self.test(known))
        return Some(tuple(condition.narrow(known, scope) for condition in self.conditions))


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; unknown stays unknown. With a `label` it is an exemption: named where it applies, else silent."""

    condition: Condition
    label: str = ""
    needs_content: ClassVar[bool] = False  # part of what it denies may be denied by the envelope

    @property
    def scope(self) -> Scope:
        return self.condition.scope

    @property
    def leaves(self) -> tuple[Condition, ...]:
        return self.condition.leaves

    def test(self, known: Known) -> Answer:
        inner = self.condition.test(known)
        if inner.truth is MATCH:
            return Answer(NO_MATCH, f"{self.label}: {inner.because}" if self.label else inner.because)
        if inner.truth is NO_MATCH:
            return Answer(MATCH, "" if self.label else inner.because)
        return inner

    def narrow(self, known: Known, scope: Scope) -> Condition:
        return Not(self.condition.narrow(known, scope), self.label)


def _joined(truth: Truth, answers: Iterable[Answer]) -> Answer:
    """One answer of several that agree: all their reasons, findings and filters waited for, each once."""
    texts: dict[str, None] = {}
    findings: list[Finding] = []
    waits: dict[str, None] = {}
    for answer in answers:
        if answer.because:
            texts[answer.because] = None
        findings.extend(answer.findings)
        waits.update(dict.fromkeys(answer.waits))
    return Answer(truth, "; ".join(texts), tuple(findings), tuple(waits))
