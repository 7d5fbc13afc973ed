"""Who may decide on held mail, and when it is decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.custody.approvals import Follows, Reason, Roles, Ruling, Want, Wish, complete, is_own, rule_on, votes_of
from gateway.custody.terms import Panel
from gateway.keeping import KeptMail, Kind, State, Step
from gateway.mail import Client, Envelope
from gateway.policy.custody import Delegate
from gateway.policy.forms import Address
from gateway.schema.shapes import Position
from tests.custody.conftest import START, inside, step, waiting

DOMAINS = frozenset({"example.gov.vn"})


def panel(*approvers: str, quorum: int = 1, rule: str = "many", escalate: tuple[str, ...] = ()) -> Panel:
    """A panel of people of the organisation."""
    return Panel(
        rule=rule, approvers=tuple(map(inside, approvers)), quorum=quorum, escalate=tuple(map(inside, escalate))
    )


def delegate(approver: str, who: str, start: date = date(2026, 11, 1), until: date = date(2026, 11, 30)) -> Delegate:
    """Somebody who acts for an approver."""
    return Delegate(
        approver=Address(inside(approver)), delegate=Address(inside(who)), start=start, until=until, where=Position()
    )


ONE, TWO = panel("a", "b"), panel("a", "b", "c", quorum=2)
A, B = step("approved", "a", "a"), step("approved", "b", "b")
APPROVE, REJECT = Wish(want=Want.APPROVE, actor=inside("a")), Wish(want=Want.REJECT, actor=inside("a"), comment="no")
FOR_A = (delegate("a", "d"),)
HELD = waiting()


def refused(reason: Reason) -> Ruling:
    return Ruling(follows=Follows.REFUSED, reason=reason)


def by(wish: Wish, actor: str, **changes: str) -> Wish:
    return replace(wish, actor=inside(actor), **changes)


def seats(follows: Follows, *names: str) -> Ruling:
    return Ruling(follows=follows, seats=tuple(map(inside, names)))


APPROVED, RECORDED, FORWARDED = Follows.APPROVED, Follows.RECORDED, Follows.FORWARDED
GIVE = Wish(want=Want.FORWARD, actor=inside("a"), to=inside("e"))
GIVEN = step("forwarded", "a", "e")
ABOVE = panel("a", "b", quorum=2, escalate=("boss",))

CASES: dict[str, tuple[KeptMail, tuple[Panel, ...], tuple[Step, ...], Wish, tuple[Delegate, ...], Ruling]] = {
    "one of two is enough": (HELD, (ONE,), (), APPROVE, (), seats(APPROVED, "a")),
    "one of two that are needed is not": (HELD, (TWO,), (), APPROVE, (), seats(RECORDED, "a")),
    "the second of three is": (HELD, (TWO,), (B,), APPROVE, (), seats(APPROVED, "a")),
    "case makes no other person": (HELD, (ONE,), (), by(APPROVE, "A@Example.GOV.vn"), (), seats(APPROVED, "a")),
    "a stranger may not": (HELD, (ONE,), (), by(APPROVE, "x"), (), refused(Reason.NOT_APPROVER)),
    "nobody votes twice": (HELD, (TWO,), (A,), APPROVE, (), refused(Reason.VOTED)),
    "quarantined mail is not approved": (
        replace(HELD, kind=Kind.QUARANTINED), (ONE,), (), APPROVE, (), refused(Reason.NOT_HELD),
    ),
    "what is rejected stays rejected": (
        replace(HELD, state=State.REJECTED), (ONE,), (), APPROVE, (), refused(Reason.FINAL),
    ),
    "what has gone cannot be rejected": (
        replace(HELD, state=State.RELEASED), (ONE,), (A,), REJECT, (), refused(Reason.FINAL),
    ),
    "what is on its way cannot be rejected": (
        replace(HELD, state=State.RELEASING), (ONE,), (A,), REJECT, (), refused(Reason.RELEASING),
    ),
    "what has expired is not approved": (
        replace(HELD, expires=START), (ONE,), (), APPROVE, (), refused(Reason.EXPIRED),
    ),
    "what has expired is not rejected either": (
        replace(HELD, expires=START), (ONE,), (), REJECT, (), refused(Reason.EXPIRED),
    ),
    "what is approved need not be approved again": (HELD, (ONE,), (A,), by(APPROVE, "b"), (), refused(Reason.APPROVED)),
    "what is approved and has not gone may be rejected": (
        HELD, (ONE,), (A,), by(REJECT, "b"), (), seats(Follows.REJECTED, "b"),
    ),
    "one rejects for all": (HELD, (TWO,), (B,), REJECT, (), seats(Follows.REJECTED, "a")),
    "a rejection needs a reason": (HELD, (ONE,), (), replace(REJECT, comment=" "), (), refused(Reason.NO_COMMENT)),
    "a stranger cannot reject": (HELD, (ONE,), (), by(REJECT, "x"), (), refused(Reason.NOT_APPROVER)),
    "nobody approves what he sent": (
        replace(HELD, envelope=Envelope(inside("a"))), (ONE,), (), APPROVE, (), refused(Reason.OWN_MAIL),
    ),
    "nor what he handed in under another name": (
        replace(HELD, client=Client(login=inside("a"))), (ONE,), (), APPROVE, (), refused(Reason.OWN_MAIL),
    ),
    "nor with a login that is only a name": (
        replace(HELD, client=Client(login="A")), (ONE,), (), APPROVE, (), refused(Reason.OWN_MAIL),
    ),
    "nor under an extension of his address": (
        replace(HELD, envelope=Envelope("a+work@example.gov.vn")), (ONE,), (), APPROVE, (), refused(Reason.OWN_MAIL),
    ),
    "nor rejects it": (
        replace(HELD, envelope=Envelope(inside("a"))), (ONE,), (), REJECT, (), refused(Reason.OWN_MAIL),
    ),
    "a delegate acts for an approver": (HELD, (ONE,), (), by(APPROVE, "d"), FOR_A, seats(APPROVED, "a")),
    "not before his time": (
        HELD, (ONE,), (), by(APPROVE, "d"), (delegate("a", "d", start=date(2026, 11, 25)),),
        refused(Reason.NOT_APPROVER),
    ),
    "not after it": (
        HELD, (ONE,), (), by(APPROVE, "d"), (delegate("a", "d", until=date(2026, 11, 23)),),
        refused(Reason.NOT_APPROVER),
    ),
    "not for his own mail": (
        replace(HELD, envelope=Envelope(inside("d"))), (ONE,), (), by(APPROVE, "d"), FOR_A, refused(Reason.OWN_MAIL),
    ),
    "nor for the approver's own": (
        replace(HELD, envelope=Envelope(inside("a"))), (ONE,), (), by(APPROVE, "d"), FOR_A,
        refused(Reason.NOT_APPROVER),
    ),
    "a delegate has not another vote": (
        HELD, (TWO,), (step("approved", "d", "a"),), by(APPROVE, "d"), FOR_A, refused(Reason.VOTED),
    ),
    "nor has the approver for whom he voted": (
        HELD, (TWO,), (step("approved", "d", "a"),), APPROVE, FOR_A, refused(Reason.VOTED),
    ),
    "one person is one vote, whoever's delegate he is": (
        HELD, (TWO,), (step("approved", "d", "a"),), by(APPROVE, "d"), (*FOR_A, delegate("b", "d")),
        refused(Reason.VOTED),
    ),
    "an approver who is a delegate votes on his own seat": (
        HELD, (TWO,), (), by(APPROVE, "b"), (delegate("a", "b"),), seats(RECORDED, "b"),
    ),
    "a delegate's delegate is nobody": (
        HELD, (ONE,), (), by(APPROVE, "e"), (*FOR_A, delegate("d", "e")), refused(Reason.NOT_APPROVER),
    ),
    "he to whom it was handed on acts for the approver": (
        HELD, (TWO,), (GIVEN,), by(APPROVE, "e"), (), seats(RECORDED, "a"),
    ),
    "both together are one vote": (
        HELD, (TWO,), (GIVEN, step("approved", "e", "a")), APPROVE, (), refused(Reason.VOTED),
    ),
    "he may hand it on in turn": (
        HELD, (ONE,), (GIVEN, step("forwarded", "e", "f")), by(APPROVE, "f"), (), seats(APPROVED, "a"),
    ),
    "handing it round in a ring gives nobody a vote more": (
        HELD, (TWO,), (GIVEN, step("forwarded", "e", "b"), step("forwarded", "b", "a")), by(APPROVE, "b"), (),
        seats(RECORDED, "b"),
    ),
    "an approver may hand it on": (HELD, (ONE,), (), GIVE, (), seats(FORWARDED, "a")),
    "not to a stranger": (HELD, (ONE,), (), replace(GIVE, to="e@example.org"), (), refused(Reason.NO_SUCCESSOR)),
    "not to its sender": (HELD, (ONE,), (), replace(GIVE, to=inside("an")), (), refused(Reason.NO_SUCCESSOR)),
    "not to himself": (HELD, (ONE,), (), replace(GIVE, to=inside("a")), (), refused(Reason.NO_SUCCESSOR)),
    "not to nobody": (HELD, (ONE,), (), replace(GIVE, to=""), (), refused(Reason.NO_SUCCESSOR)),
    "not what a stranger holds": (HELD, (ONE,), (), by(GIVE, "x"), (), refused(Reason.NOT_APPROVER)),
    "not after his vote": (HELD, (TWO,), (A,), GIVE, (), refused(Reason.VOTED)),
    "he above may not act before it was escalated": (
        HELD, (ABOVE,), (), by(APPROVE, "boss"), (), refused(Reason.NOT_APPROVER),
    ),
    "he above has a vote once it was": (
        HELD, (ABOVE,), (B, step("escalated", "clock", "boss")), by(APPROVE, "boss"), (), seats(APPROVED, "a"),
    ),
    "and one only": (
        HELD, (ABOVE,), (step("escalated", "clock", "boss"), step("approved", "boss", "a")), by(APPROVE, "boss"), (),
        refused(Reason.VOTED),
    ),
    "he above decides where an approver is the sender": (
        replace(HELD, envelope=Envelope(inside("a"))), (ABOVE,), (B, step("escalated", "clock", "boss")),
        by(APPROVE, "boss"), (), seats(APPROVED, "a"),
    ),
    "two rules need both": (HELD, (ONE, panel("e", rule="pii")), (), APPROVE, (), seats(RECORDED, "a")),
    "and have both with the second": (
        HELD, (ONE, panel("e", rule="pii")), (A,), by(APPROVE, "e"), (), seats(APPROVED, "e"),
    ),
    "one vote counts for both where he is in both": (
        HELD, (ONE, panel("a", "e", rule="pii")), (), APPROVE, (), seats(APPROVED, "a"),
    ),
    "who is asked by no rule approves nothing": (HELD, (), (), APPROVE, (), refused(Reason.NOT_APPROVER)),
}  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "panels", "steps", "wish", "delegates", "ruling"), CASES.values(), ids=CASES
)
def test_what_follows_from_a_wish(
    kept: KeptMail,
    panels: tuple[Panel, ...],
    steps: tuple[Step, ...],
    wish: Wish,
    delegates: tuple[Delegate, ...],
    ruling: Ruling,
) -> None:
    roles = Roles(delegates=delegates, domains=DOMAINS)
    assert rule_on(kept, panels, steps, wish, now=START, roles=roles) == ruling


OWN = {
    "another": ("b@example.gov.vn", Client(login="an"), False),
    "the sender": ("AN@example.gov.vn", Client(), True),
    "a login of another domain": ("an@example.org", Client(login="an"), False),
    "the null sender is nobody": ("", Client(), False),
}


@pytest.mark.parametrize(("person", "client", "own"), OWN.values(), ids=OWN)
def test_whose_own_mail_it_is(person: str, client: Client, own: bool) -> None:
    assert is_own(waiting(client=client), person, DOMAINS) is own


PEOPLE = st.sampled_from(["a", "b", "c", "d", "e", "boss", "an", "x"])
WISHES = st.builds(
    lambda want, actor, to: Wish(want=want, actor=inside(actor), comment="so", to=inside(to)),
    st.sampled_from([Want.APPROVE, Want.FORWARD]),
    PEOPLE,
    PEOPLE,
)


@given(st.lists(WISHES, max_size=12), st.integers(1, 3), st.booleans())
def test_so_many_different_people_and_never_the_sender(wishes: list[Wish], quorum: int, escalated: bool) -> None:
    table = panel("a", "b", "c", quorum=quorum, escalate=("boss",))
    roles = Roles(delegates=(*FOR_A, delegate("b", "a")), domains=DOMAINS)
    steps = [step("escalated", "clock", "boss")] if escalated else []
    for wish in wishes:
        before = complete((table,), steps)
        ruling = rule_on(HELD, (table,), steps, wish, now=START, roles=roles)
        if ruling.follows is Follows.FORWARDED:
            steps.append(Step(moment=START, actor=wish.actor, act="forwarded", whom=wish.to))
        elif ruling.follows is not Follows.REFUSED:
            assert not before
            steps += [Step(moment=START, actor=wish.actor, act="approved", whom=seat) for seat in ruling.seats]
            assert complete((table,), steps) is (ruling.follows is Follows.APPROVED)
    votes = votes_of(table, steps)
    people = [each.actor for each in steps if each.act == "approved"]
    assert len(people) == len(set(people)) == len(votes) <= quorum
    assert inside("an") not in people
    assert inside("x") not in people or any(each.whom == inside("x") for each in steps)


def test_handing_on_costs_no_more_than_its_steps() -> None:
    steps = [step("forwarded", *pair) for _ in range(2_000) for pair in (("a", "b"), ("b", "a"))]
    wish = by(APPROVE, "b")
    ruling = rule_on(HELD, (TWO,), steps, wish, now=START + timedelta(hours=1), roles=Roles(domains=DOMAINS))
    assert ruling == seats(RECORDED, "b")
