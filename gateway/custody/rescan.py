"""Looks again at a kept message before it is released: viruses are known better than when it came."""

from __future__ import annotations

from dataclasses import replace

from gateway.mail import Mail
from gateway.pipeline import Observe, OpenMail, judge
from gateway.policy.model import Policy
from gateway.verdict import Outcome


async def rescan(
    policy: Policy, mail: Mail, *, deadline: float, observe: Observe, open_mail: OpenMail
) -> Outcome | None:
    """What the rules that ask the filters named under `rescan` say of the mail now; None if it may go.

    Other rules are not asked: somebody has decided on what they stopped. `deadline` is a time of the loop's clock.
    """
    rules = tuple(rule for rule in policy.rules if rule.filters & set(policy.rescan))
    if not rules:
        return None
    asked = replace(policy, rules=rules)
    verdict = await judge(asked, mail, deadline=deadline, observe=observe, open_mail=open_mail)
    worst = max(verdict.outcomes, key=lambda outcome: outcome.action)
    return None if worst.action.delivers else worst
