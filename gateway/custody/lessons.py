"""What filters learn from people: kept mail that a person releases was not what it was taken for, and what a person
deletes was. The file before is `settling.py`; the file after is a filter that learns, `filters/spam.py`.

What time does teaches nothing, nor does mail that a rule wants stored nowhere: a filter keeps what it learns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import structlog

from gateway.errors import Unavailable
from gateway.keeping import KeptMail
from gateway.lasting import Deed, Learning
from gateway.mail import Mail
from gateway.pipeline import Observe, OpenMail, judge
from gateway.policy.model import Policy
from gateway.policy.when import finding_names
from gateway.verdict import Truth

PATIENCE = 30.0
"""Seconds for one mail: its files are opened again, and others may be writing what they learned."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """`policy` gives the one in force, whose filters learn and whose rules say what is secret."""

    policy: Callable[[], Policy]
    open_mail: OpenMail
    observe: Observe

    def wanted(self, kept: KeptMail, deed: Deed) -> bool:
        """True if a filter learns from this deed to this mail: then `teach` needs its bytes."""
        return any(True for _ in _learners(self.policy(), kept, deed))

    async def teach(self, kept: KeptMail, mail: Mail, deed: Deed) -> None:
        """Have the filters learn that a person did this with the mail. Never raises: it is done."""
        policy = self.policy()
        learners = dict(_learners(policy, kept, deed))
        try:
            async with asyncio.timeout(PATIENCE):
                deadline = asyncio.get_running_loop().time() + PATIENCE
                mail = replace(mail, opened=await self.open_mail(mail, deadline=deadline))
                for name, each in learners.items():
                    if secret := await self._secret(policy, each, mail, deadline):
                        log.info("filter does not learn", filter=name, id=kept.id, deed=deed, because=secret)
                    else:
                        await each.corrected(mail, deed)
                        log.info("filter has learned", filter=name, id=kept.id, deed=deed)
        except (Unavailable, TimeoutError, OSError, ValueError) as error:
            reason = str(error) or "not done in time"
            log.error("filter could not learn", id=kept.id, deed=deed, reason=reason)
        except Exception:
            log.exception("bug in learning", id=kept.id)

    async def _secret(self, policy: Policy, learner: Learning, mail: Mail, deadline: float) -> str:
        """The rule by which nothing of the mail may be kept, in whatever mode it is, or of which nobody can say whether
        it holds; "" if there is none."""
        never = learner.never_learn
        rules = tuple(rule for rule in policy.rules if rule.with_.store == "never" or rule.filters & never)
        if not rules:
            return ""
        asked = replace(policy, rules=rules)
        verdict = await judge(asked, mail, deadline=deadline, observe=self.observe, open_mail=self.open_mail)
        answers = (rule for outcome in verdict.outcomes for rule in outcome.rules)
        return next((rule.id for rule in answers if rule.result is not Truth.NO_MATCH), "")


def _learners(policy: Policy, kept: KeptMail, deed: Deed) -> Iterator[tuple[str, Learning]]:
    """The filters for whose findings rules kept the mail, if they learn from that. A rule that the policy does not have
    any more teaches nothing."""
    found = {name for rule in policy.rules if rule.id.text in kept.rules for name in finding_names(rule.when)}
    for name, each in policy.filters.items():
        codes = frozenset(one.code for one in found if one.filter == name)
        if isinstance(each, Learning) and codes and each.learns(deed, codes):
            yield name, each
