"""Whose decision a new policy changes: old mail judged by both policies, side by side.

Nothing here can have an effect: there is no next hop, no store and no notice in reach. `replay_trail.py` does the same
where there is no mail any more, only the audit trail.
"""

from __future__ import annotations

import asyncio
import mailbox
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gateway.pipeline import Observe, OpenMail, judge
from gateway.policy.model import Policy
from gateway.specimen import specimen
from gateway.verdict import Action, Outcome

MESSAGE_DEADLINE = 60.0
"""Seconds for one message under one policy: a real message's own deadline."""

MBOX_START = b"From "

SAME_RULES = "the same rules, otherwise written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One recipient of one message whom the new policy treats otherwise, and the rules that differ.

    `file` is where the message is, or its id. `gone` asked for something under the old policy and no longer do;
    `come` do so only under the new one.
    """

    file: str
    message_id: str
    sender: str
    recipient: str
    before: Action
    after: Action
    gone: tuple[str, ...]
    come: tuple[str, ...]


@dataclass(slots=True)
class Tally:
    """The changes in numbers, and the first few of them: what a million messages come to in little memory."""

    examples: int
    total: int = 0
    shown: list[Change] = field(default_factory=list)
    counted: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, change: Change) -> None:
        """Count one change."""
        self.total += 1
        if len(self.shown) < self.examples:
            self.shown.append(change)
        step = f"{change.before.word} -> {change.after.word}"
        named = [*(f"+ {name}" for name in change.come), *(f"- {name}" for name in change.gone)]
        self.counted.update((step, rule) for rule in named or [SAME_RULES])

    @property
    def by_rule(self) -> list[tuple[str, str, int]]:
        """What happened, by which rule, how often; the most frequent first."""
        return [(step, rule, count) for (step, rule), count in self.counted.most_common()]


def messages(path: Path) -> Iterator[tuple[str, bytes]]:
    """The messages of an mbox file, or of a folder's files in the order of their names, each with a name."""
    if path.is_dir():
        for file in sorted(each for each in path.rglob("*") if each.is_file()):
            yield str(file), file.read_bytes()
        return
    with path.open("rb") as opened:
        if not opened.read(len(MBOX_START)).startswith(MBOX_START):
            yield str(path), path.read_bytes()
            return
    box = mailbox.mbox(path, create=False)
    try:
        for number, key in enumerate(box.iterkeys(), 1):
            yield f"{path}#{number}", box.get_bytes(key)
    finally:
        box.close()


async def changes(
    old: Policy, new: Policy, name: str, raw: bytes, *, observe: Observe, open_mail: OpenMail
) -> list[Change]:
    """What the new policy changes for one message, recipient by recipient."""
    before, after = [await _outcomes(policy, raw, observe, open_mail) for policy in (old, new)]
    mail = specimen(new, raw)
    return [
        Change(
            file=name,
            message_id=mail.root.header("Message-ID") or "",
            sender=mail.envelope.sender,
            recipient=address,
            before=was.action,
            after=now.action,
            gone=tuple(sorted(_asking(was) - _asking(now))),
            come=tuple(sorted(_asking(now) - _asking(was))),
        )
        for address, was in before.items()
        if (now := after[address]).action is not was.action
    ]


async def _outcomes(policy: Policy, raw: bytes, observe: Observe, open_mail: OpenMail) -> dict[str, Outcome]:
    deadline = asyncio.get_running_loop().time() + MESSAGE_DEADLINE
    mail = specimen(policy, raw)
    verdict = await judge(policy, mail, deadline=deadline, observe=observe, open_mail=open_mail)
    return {outcome.recipient.address: outcome for outcome in verdict.outcomes}


def _asking(outcome: Outcome) -> set[str]:
    return {rule.id for rule in outcome.rules if rule.action is not None and rule.mode == "enforce"}
