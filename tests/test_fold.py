"""One answer for all recipients of a message: what is told the client, and what becomes of each recipient."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import decide
from gateway.decide import Disposal
from gateway.mail import Recipient
from gateway.policy.forms import RuleId
from gateway.policy.logic import Answer, Settled
from gateway.policy.model import Mixed, Policy
from gateway.policy.rule import Rule, With
from gateway.reply import OK, TAKEN, Reply
from gateway.schema.shapes import Position
from gateway.verdict import Action, Outcome, RuleOutcome, Truth, Verdict


def outcome(name: str, action: Action, answer: Reply = OK) -> Outcome:
    """What was decided for one recipient."""
    return Outcome(recipient=Recipient(name), action=action, reply=answer, deliver_to=(Recipient(name),))


NO = Reply(550, "7.1", "No")
LATER = Reply(451, "7.1", "Later")
A, T = outcome("a", Action.ACCEPT), outcome("t", Action.TAG)
H, Q = outcome("h", Action.HOLD, TAKEN), outcome("q", Action.QUARANTINE, TAKEN)
D = outcome("d", Action.DISCARD, TAKEN)
F, R = outcome("f", Action.DEFER, LATER), outcome("r", Action.REJECT, NO)
R_KEPT = outcome("r", Action.QUARANTINE, TAKEN)

KEEP, STRICT = Mixed.DELIVER_AND_QUARANTINE, Mixed.STRICTEST

FOLDS: dict[str, tuple[Mixed, tuple[Outcome, ...], Disposal]] = {
    "all delivered": (KEEP, (A, T), Disposal(deliver=(A, T))),
    "all refused": (KEEP, (R, R), Disposal(reply=NO)),
    "all thrown away": (KEEP, (D,), Disposal(discard=(D,), reply=TAKEN)),
    "some thrown away": (KEEP, (D, A), Disposal(deliver=(A,), discard=(D,))),
    "all kept": (KEEP, (H, Q), Disposal(own=(H, Q), reply=TAKEN)),
    "some kept": (KEEP, (A, Q, D), Disposal(deliver=(A,), own=(Q,), discard=(D,))),
    "deferred for one is deferred for all": (KEEP, (A, R, F, Q, D), Disposal(reply=LATER)),
    "deferred and refused is deferred": (STRICT, (R, F), Disposal(reply=LATER)),
    "refused for some: kept for them": (KEEP, (A, R), Disposal(deliver=(A,), own=(R_KEPT,))),
    "refused for some, kept for others": (KEEP, (H, R), Disposal(own=(H, R_KEPT), reply=TAKEN)),
    "refused for some, thrown away for others": (
        KEEP,
        (D, R),
        Disposal(own=(R_KEPT,), discard=(D,), reply=TAKEN),
    ),
    "refused for some, by the strictest": (STRICT, (A, R), Disposal(reply=NO)),
}


@pytest.mark.parametrize(("mixed", "outcomes", "disposal"), FOLDS.values(), ids=FOLDS)
def test_one_answer_for_all(mixed: Mixed, outcomes: tuple[Outcome, ...], disposal: Disposal) -> None:
    verdict = Verdict(policy="x", outcomes=outcomes)
    assert decide.fold(Policy(digest="x", rules=(), filters={}, mixed=mixed), verdict) == disposal


EACH = st.sampled_from([A, T, H, Q, D, F, R])


@given(st.lists(EACH, min_size=1, max_size=6), st.sampled_from([KEEP, STRICT]))
def test_nobody_is_forgotten(outcomes: list[Outcome], mixed: Mixed) -> None:
    verdict = Verdict(policy="x", outcomes=tuple(outcomes))
    disposal = decide.fold(Policy(digest="x", rules=(), filters={}, mixed=mixed), verdict)
    served = (*disposal.deliver, *disposal.own, *disposal.discard)
    if disposal.reply is not None and not disposal.reply.accepted:
        assert served == ()
    else:
        assert sorted(each.recipient.address for each in served) == sorted(each.recipient.address for each in outcomes)
        assert (disposal.reply is None) is bool(disposal.deliver)
        assert all(each.action.delivers for each in disposal.deliver)


SECRET = Rule(
    id=RuleId("secret"),
    when="always",
    then=Action.REJECT,
    with_=With(store="never"),
    where=Position(),
    condition=Settled(Answer(Truth.MATCH, "so")),
)


def told(action: Action, answer: Reply, result: Truth = Truth.MATCH) -> Outcome:
    """The outcome for a recipient for whom the rule `secret` asked for this."""
    record = RuleOutcome("secret", (), "enforce", result, None if result is Truth.NO_MATCH else action, "so")
    return Outcome(recipient=Recipient("s"), action=action, reply=answer, rules=(record,))


S, U = told(Action.REJECT, NO), told(Action.DEFER, LATER, Truth.UNKNOWN)
CLEAN = told(Action.QUARANTINE, TAKEN, Truth.NO_MATCH)

UNSTORED: dict[str, tuple[tuple[Outcome, ...], Disposal]] = {
    "for all": ((S,), Disposal(unstored=(S,), reply=NO)),
    "for some, and others would get it": ((A, S), Disposal(unstored=(S,), reply=NO)),
    "for some, and for others it would be kept": ((H, Q, S), Disposal(unstored=(S,), reply=NO)),
    "for some, and for others nobody could look": ((F, S), Disposal(unstored=(S,), reply=NO)),
    "nobody could look for marks": ((U, Q), Disposal(unstored=(U,), reply=LATER)),
    "marks for one, and for another nobody could look": ((U, S), Disposal(unstored=(U, S), reply=NO)),
    "no marks": ((CLEAN,), Disposal(own=(CLEAN,), reply=TAKEN)),
}


@pytest.mark.parametrize("mixed", [KEEP, STRICT])
@pytest.mark.parametrize(("outcomes", "disposal"), UNSTORED.values(), ids=UNSTORED)
def test_what_may_not_be_stored_is_refused_for_all_and_never_owned(
    mixed: Mixed, outcomes: tuple[Outcome, ...], disposal: Disposal
) -> None:
    policy = Policy(digest="x", rules=(SECRET,), filters={}, mixed=mixed)
    assert decide.fold(policy, Verdict(policy="x", outcomes=outcomes)) == disposal
