"""Who may decide on held mail, and when it is decided: nothing here has an effect.

Each approver of a panel has a seat, and each seat has one vote. Delegates, those to whom an approver handed the message
on, and those to whom it was escalated vote on the seats of others, which is written down. One person has one vote in a
panel, on whichever seat, so that two seats are two people. Nobody votes on mail of his own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.custody.steps import Act
from gateway.custody.terms import Panel
from gateway.keeping import KeptMail, Kind, State, Step
from gateway.mail import belongs
from gateway.policy.custody import Delegate, active_delegates
from gateway.policy.forms import Address
from gateway.policy.logic import day_of


class Want(StrEnum):
    """What somebody may wish done with held mail."""

    APPROVE = "approve"
    REJECT = "reject"
    FORWARD = "forward"


class Follows(StrEnum):
    """What follows from a wish."""

    APPROVED = "approved"
    RECORDED = "recorded"  # more votes are needed
    REJECTED = "rejected"
    FORWARDED = "forwarded"
    REFUSED = "refused"


class Reason(StrEnum):
    """Why a wish is refused."""

    NOT_HELD = "not-held"
    FINAL = "already-decided"
    RELEASING = "being-released"
    EXPIRED = "expired"
    APPROVED = "already-approved"
    OWN_MAIL = "own-mail"
    NOT_APPROVER = "not-an-approver"
    VOTED = "already-voted"
    NO_COMMENT = "a-reason-is-needed"
    NO_SUCCESSOR = "not-somebody-to-forward-to"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants, in his own name. `to` is whom he forwards to."""

    want: Want
    actor: str
    comment: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """What the policy in force says of people: who acts for whom, and which domains are the organisation's."""

    delegates: tuple[Delegate, ...] = ()
    domains: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What follows; `seats` are those for whom the wish counts, which may be the actor himself."""

    follows: Follows
    reason: Reason | None = None
    seats: tuple[str, ...] = ()


def rule_on(
    kept: KeptMail, panels: Sequence[Panel], steps: Sequence[Step], wish: Wish, *, now: datetime, roles: Roles
) -> Ruling:
    """What follows from a wish about a message in the state and with the steps it has now."""
    if reason := _closed(kept, panels, steps, wish, now):
        return Ruling(follows=Follows.REFUSED, reason=reason)
    actor = folded(wish.actor)
    if is_own(kept, actor, roles.domains):
        return Ruling(follows=Follows.REFUSED, reason=Reason.OWN_MAIL)
    holds = seats(kept, panels, steps, actor, now=now, roles=roles)
    if not holds:
        return Ruling(follows=Follows.REFUSED, reason=Reason.NOT_APPROVER)
    if wish.want is Want.REJECT:
        if not wish.comment.strip():
            return Ruling(follows=Follows.REFUSED, reason=Reason.NO_COMMENT)
        return Ruling(follows=Follows.REJECTED, seats=(_foremost(actor, holds),))
    free = tuple(dict.fromkeys(_free(panels, steps, actor, holds)))
    if not free:
        return Ruling(follows=Follows.REFUSED, reason=Reason.VOTED)
    if wish.want is Want.FORWARD:
        if not _may_succeed(kept, actor, folded(wish.to), roles.domains):
            return Ruling(follows=Follows.REFUSED, reason=Reason.NO_SUCCESSOR)
        return Ruling(follows=Follows.FORWARDED, seats=free)
    votes = [Step(moment=now, actor=actor, act=Act.APPROVED, whom=seat) for seat in free]
    done = complete(panels, (*steps, *votes))
    return Ruling(follows=Follows.APPROVED if done else Follows.RECORDED, seats=free)


def complete(panels: Sequence[Panel], steps: Sequence[Step]) -> bool:
    """True if every panel has its quorum; where there is no panel, nobody has approved."""
    return bool(panels) and all(satisfied(panel, steps) for panel in panels)


def satisfied(panel: Panel, steps: Sequence[Step]) -> bool:
    """True if the panel has its quorum."""
    return len(votes_of(panel, steps)) >= panel.quorum


def votes_of(panel: Panel, steps: Sequence[Step]) -> Mapping[str, str]:
    """The seats that have voted, each with who did: one vote for each seat and for each person."""
    votes: dict[str, str] = {}
    for step in steps:
        if step.act == Act.APPROVED:
            seat, person = folded(step.whom or step.actor), folded(step.actor)
            if seat in panel.approvers and seat not in votes and person not in votes.values():
                votes[seat] = person
    return votes


def seats(
    kept: KeptMail, panels: Sequence[Panel], steps: Sequence[Step], person: str, *, now: datetime, roles: Roles
) -> frozenset[str]:
    """The seats on which a person may vote: his own, and those of whom he stands in for."""
    # Who may not vote himself has nothing that others could do for him.
    held = {name: {name} for panel in panels for name in panel.approvers if not is_own(kept, name, roles.domains)}
    for step in steps:
        given: set[str] = set()
        if step.act == Act.ESCALATED:
            given.update(*(panel.approvers for panel in panels if folded(step.whom) in panel.escalate))
        elif step.act == Act.FORWARDED:
            given = _acting(held, folded(step.actor), step.moment, roles)
        if given:
            held[folded(step.whom)] = held.get(folded(step.whom), set()) | given
    return frozenset(_acting(held, person, now, roles))


def _acting(held: Mapping[str, set[str]], person: str, moment: datetime, roles: Roles) -> set[str]:
    """What a person holds at a moment, and what those hold whose delegate he is then."""
    names = (person, *active_delegates(roles.delegates, day_of(moment)).get(person, ()))
    return set().union(*(held.get(name, ()) for name in names))


def is_own(kept: KeptMail, person: str, domains: frozenset[str]) -> bool:
    """True if the person sent the message or handed it in. Extensions (`name+extension@`) are the same person."""
    name, login = _plain(person), _plain(kept.client.login)
    if name in (_plain(kept.envelope.sender), login):
        return bool(name)
    return bool(login) and "@" not in login and name.partition("@")[0] == login and belongs(name, domains)


def folded(address: str) -> str:
    """An address as it is compared."""
    return address.strip().lower()


def _closed(
    kept: KeptMail, panels: Sequence[Panel], steps: Sequence[Step], wish: Wish, now: datetime
) -> Reason | None:
    """Why nobody may decide any more, or yet."""
    if kept.kind is not Kind.HELD:
        return Reason.NOT_HELD
    if kept.state.final:
        return Reason.FINAL
    if kept.state is State.RELEASING:
        return Reason.RELEASING
    approved = complete(panels, steps)
    if approved and wish.want is not Want.REJECT:  # it may still be rejected while the next hop does not take it
        return Reason.APPROVED
    return Reason.EXPIRED if now >= kept.expires and not approved else None


def _free(panels: Sequence[Panel], steps: Sequence[Step], actor: str, held: frozenset[str]) -> Iterator[str]:
    """For each panel in which the actor has no vote yet, a seat on which he may vote: his own before another's."""
    for panel in panels:
        votes = votes_of(panel, steps)
        free = [seat for seat in panel.approvers if seat in held and seat not in votes]
        if free and actor not in votes.values():
            yield _foremost(actor, free)


def _foremost(actor: str, among: Sequence[str] | frozenset[str]) -> str:
    return actor if actor in among else min(among)


def _may_succeed(kept: KeptMail, actor: str, to: str, domains: frozenset[str]) -> bool:
    named = Address.FORM.fullmatch(to) is not None and belongs(to, domains)
    return named and to != actor and not is_own(kept, to, domains)


def _plain(address: str) -> str:
    local, at, domain = folded(address).partition("@")
    return f"{local.partition('+')[0]}{at}{domain}"
