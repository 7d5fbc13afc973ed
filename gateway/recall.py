"""From an audit record back to what a policy can ask: the file before is `remembering.py`, the next `replay_trail.py`.

A record has the facts of a message, not the message. A question whose answer needs more than is recorded is unknown,
and `Answer.waits` says what would have to be known; it is empty where the message itself could not be looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from gateway.keeping import AuditRecord
from gateway.mail import Client, Direction, Envelope, Mail, Part, Recipient, Span
from gateway.policy import conditions as ask
from gateway.policy.found import Found, FoundForRecipient
from gateway.policy.logic import MATCH, NO_MATCH, UNKNOWN, All, Answer, Condition, Known, Not, Settled, Some
from gateway.policy.matchers import Matcher
from gateway.policy.model import Policy
from gateway.remembering import HEADERS

NOWHERE = Span(0, 0)

NEEDED: Mapping[type, tuple[str, ...]] = {
    ask.DirectionIs: ("direction",),
    ask.ListenerIs: ("listener",),
    ask.ClientUsedTls: ("tls",),
    ask.ClientLoggedIn: ("account",),
    ask.SenderIs: ("sender",),
    ask.RecipientIs: ("recipient",),
    ask.AccountIs: ("account", "sender", "direction"),
    ask.RecipientAccountIs: ("recipient", "direction"),
    ask.SizeIs: ("size",),
    ask.RecipientsAre: ("recipient_count",),
    ask.TimeIs: (),
    ask.Until: (),
}
"""The facts that a question needs. Questions that are not here need what no record has."""

CLIENT: Mapping[ask.ClientFact, str] = {
    ask.ClientFact.ADDRESS: "client",
    ask.ClientFact.NAME: "client_name",
    ask.ClientFact.HELO: "helo",
    ask.ClientFact.LOGIN: "account",
}


@dataclass(frozen=True, slots=True)
class RecalledHeader:
    """A header field as far as it is recorded."""

    name: str
    value: str
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Weight:
    """Bytes of which only the number is known."""

    size: int

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, part: slice, /) -> bytes:
        return b""


@dataclass(frozen=True, slots=True)
class Recalled:
    """One recipient's message as the trail has it, to be asked by a policy's rules.

    `changed` are filters that look otherwise by this policy than when the message came: what they found then says
    nothing of what they would find.
    """

    facts: Mapping[str, Any]
    known: Known
    changed: AbstractSet[str]

    @classmethod
    def of(cls, record: AuditRecord, policy: Policy, changed: AbstractSet[str] = frozenset()) -> Recalled:
        """The message of a record of the event `message`, with the accounts and domains of this policy.

        The direction is the one it had then.
        """
        facts = dict(record.facts)
        recipient = Recipient(str(facts.get("recipient", "")))
        direction = Direction(facts["direction"]) if facts.get("direction") in set(Direction) else None
        if direction is None:
            facts.pop("direction", None)
        headers = tuple(
            RecalledHeader(name, facts[fact]) for name, fact in HEADERS.items() if isinstance(facts.get(fact), str)
        )
        mail = Mail(
            id=record.id,
            listener=str(facts.get("listener", "")),
            received=record.moment,
            client=Client(
                address=str(facts.get("client", "")),
                name=str(facts.get("client_name", "")),
                helo=str(facts.get("helo", "")),
                login=str(facts.get("account", "")),
                tls=facts.get("tls") is True,
            ),
            envelope=Envelope(str(facts.get("sender", "")), (recipient,) * _number(facts.get("recipient_count"), 1)),
            inside=direction is not None and direction is not Direction.INBOUND,
            domains=policy.organisation.domains,
            accounts=policy.accounts,
            raw=Weight(_number(facts.get("size"), 0)),
            root=Part(label="", headers=tuple(each for each in headers if each.value), head=NOWHERE, body=NOWHERE),
        )
        return cls(facts, Known(mail, {}, direction, recipient), changed)

    def answer(self, condition: Condition) -> Answer:
        """What the condition says of the message."""
        return _settled(condition, self).test(self.known)


def _number(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and value > 0 else otherwise


def _settled(condition: Condition, recalled: Recalled) -> Condition:
    """The condition with each question in it answered from the record."""
    match condition:
        case All(conditions):
            return All(tuple([_settled(each, recalled) for each in conditions]))
        case Some(conditions):
            return Some(tuple([_settled(each, recalled) for each in conditions]))
        case Not(inner, label):
            return Not(_settled(inner, recalled), label)
        case Settled():
            return condition
        case Found():
            return Settled(_found(condition, recalled))
    if missing := _missing(condition, recalled.facts):
        return Settled(_unrecorded(missing))
    return Settled(condition.test(recalled.known))


def _unrecorded(*what: str) -> Answer:
    return Answer(UNKNOWN, f"not in the trail: {', '.join(what)}", waits=what)


def _missing(leaf: Condition, facts: Mapping[str, Any]) -> str:
    """What the record would have to have for this question, "" if it has it."""
    match leaf:
        case ask.HeaderIs(name=name):
            fact = HEADERS.get(name.lower(), "")
            return "" if _header_is_whole(leaf, fact, facts) else f"header {name}"
        case ask.ClientIs(fact=asked):
            needed: tuple[str, ...] = (CLIENT[asked],)
        case _ if type(leaf) in NEEDED:
            needed = NEEDED[type(leaf)]
        case _:
            return f"what {type(leaf).__name__} asks"
    return next((name for name in needed if name not in facts), "")


def _header_is_whole(leaf: ask.HeaderIs, fact: str, facts: Mapping[str, Any]) -> bool:
    """True if what is recorded of the header answers the question: that there is one is known of a longer one too."""
    if not isinstance(facts.get(fact), str):
        return False
    return fact not in facts.get("partial", (fact,)) or (leaf.wanted is None and bool(facts[fact]))


def _found(leaf: Found, recalled: Recalled) -> Answer:
    """The question for findings, of those that are recorded."""
    facts, day = recalled.facts, recalled.known.day
    codes = {f"{name}.{code}": name for name, code in leaf.codes}
    missing = _unlooked(leaf, recalled)
    met = 0
    for finding in _findings(facts):
        code = finding.get("code")
        if code not in codes or codes[code] in missing or not _concerns(leaf, finding, facts):
            continue
        truths = {_meets(finding, name, matcher, day) for name, matcher in leaf.where.items()}
        if None in truths and False not in truths:
            missing[codes[code]] = f"all fields of {code}"
        met += truths <= {True}
    if met >= leaf.min_count:
        return Answer(MATCH, f"found {met} of {' or '.join(codes)}")
    missing |= {codes[code]: f"all findings {code}" for code in facts.get("more_findings", {}) if code in codes}
    if missing:
        return _unrecorded(*dict.fromkeys(missing.values()))
    failed = facts.get("unavailable", {})
    if blind := [name for name, _ in leaf.codes if name in failed]:
        return Answer(UNKNOWN, f"{blind[0]} could not look: {failed[blind[0]]}")
    return Answer(NO_MATCH, f"did not find {' or '.join(codes)}")


def _unlooked(leaf: Found, recalled: Recalled) -> dict[str, str]:
    """The filters of the question that did not look then, or look otherwise now."""
    facts = recalled.facts
    looked = {*facts.get("looked", ()), *facts.get("unavailable", {})}
    missing = {name: f"what {name} finds" for name, _ in leaf.codes if name not in looked}
    changed = {name for name, _ in leaf.codes} & recalled.changed
    return {name: f"what {name} finds with its new options" for name in changed} | missing


def _findings(facts: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [each for each in facts.get("findings", ()) if isinstance(each, Mapping)]


def _concerns(leaf: Found, finding: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """True unless the finding is about another recipient than the record."""
    about = finding.get("fields", {}).get("recipient")
    return not isinstance(leaf, FoundForRecipient) or about in (None, facts.get("recipient"))


def _meets(finding: Mapping[str, Any], name: str, matcher: Matcher, day: Any) -> bool | None:
    """Whether a field is as wanted; None where the record does not have all of it."""
    fields = finding.get("fields", {})
    if name not in fields or name in finding.get("cut", ()):
        return None
    value = fields[name]
    values = () if value is None else tuple(value) if isinstance(value, list) else (value,)
    return matcher.matches(values, day)
