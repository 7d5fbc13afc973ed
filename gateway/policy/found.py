"""The question whether filters found something: three-valued, because a filter may not have been able to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from gateway.policy.logic import MATCH, NO_MATCH, UNKNOWN, Answer, Known, Leaf, Scope
from gateway.policy.matchers import Matcher, shown
from gateway.verdict import Finding, RecipientFinding

SHOWN_FINDINGS = 3
"""Findings that an explanation names; all of them are in the verdict's reports."""


@dataclass(frozen=True, slots=True)
class Found(Leaf):
    """Findings of the named kinds, each of which meets all of `where`. Unknown where the filter could not look."""

    codes: tuple[tuple[str, str], ...]
    where: Mapping[str, Matcher] = field(default_factory=dict, hash=False)
    min_count: int = 1
    nothing: Answer = field(init=False, compare=False, repr=False)
    needs_content: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "nothing", Answer(NO_MATCH, self._missed(met=0, others=False)))

    def test(self, known: Known) -> Answer:
        met = [
            (f"{name}.{code}", finding)
            for name, code in self.codes
            if name in known.reports
            for finding in known.reports[name].findings
            if finding.code == code and self._concerns(finding, known) and self._meets(finding, known)
        ]
        if len(met) >= self.min_count:
            words = "; ".join(dict.fromkeys(_finding_in_words(code, finding) for code, finding in met[:SHOWN_FINDINGS]))
            more = f" and {len(met) - SHOWN_FINDINGS} more" if len(met) > SHOWN_FINDINGS else ""
            return Answer(MATCH, f"found {words}{more}", tuple(finding for _, finding in met))
        if blind := self._blind(known):
            return Answer(UNKNOWN, "; ".join(blind.values()), waits=tuple(blind))
        others = any(
            f.code == code and self._concerns(f, known)
            for name, code in self.codes
            for f in known.reports[name].findings
        )
        return Answer(NO_MATCH, self._missed(len(met), others=others)) if others else self.nothing

    def _concerns(self, finding: Finding, known: Known) -> bool:
        """True if the finding counts for whom the question is asked."""
        return True

    def _meets(self, finding: Finding, known: Known) -> bool:
        return all(matcher.matches(_values(getattr(finding, name)), known.day) for name, matcher in self.where.items())

    def _blind(self, known: Known) -> dict[str, str]:
        """The filters that have not looked to the end, with the reason."""
        blind = {}
        for name, _ in self.codes:
            report = known.reports.get(name)
            if report is None:
                blind[name] = f"{name} has not looked"
            elif report.failure:
                blind[name] = f"{name} could not look: {report.reason or report.failure}"
        return blind

    def _missed(self, met: int, *, others: bool) -> str:
        names = " or ".join(f"{name}.{code}" for name, code in self.codes)
        wanted = ", ".join(f"{name} {matcher}" for name, matcher in self.where.items())
        if self.min_count > 1:
            return f"found {met} of {names}, wanted {self.min_count}" + (f" with {wanted}" if wanted else "")
        return f"found {names}, but not with {wanted}" if others else f"did not find {names}"


@dataclass(frozen=True, slots=True)
class FoundForRecipient(Found):
    """The same where a kind is of findings that concern one recipient: each recipient has an answer of its own."""

    scope: ClassVar[Scope] = Scope.RECIPIENT

    def test(self, known: Known) -> Answer:
        answer = Found.test(self, known)
        if answer.truth is MATCH and known.recipient is None:
            return Answer(UNKNOWN, "what was found may concern others")
        return answer

    def _concerns(self, finding: Finding, known: Known) -> bool:
        if known.recipient is None or not isinstance(finding, RecipientFinding):
            return True
        return finding.recipient == known.recipient.address


def _values(value: Any) -> tuple[Any, ...]:
    """The values of a finding's field: a field of many is met by one of them, nothing is met by None."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, tuple | frozenset | list) else (value,)


def _finding_in_words(code: str, finding: Finding) -> str:
    facts = ", ".join(
        f"{name} {shown(value) if isinstance(value, str) else value}"
        for name, value in finding.facts().items()
        if value not in (None, "", ())
    )
    return f"{code} ({facts})" if facts else code
