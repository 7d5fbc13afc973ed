"""How a rule is written: what it cites, when it holds, what then happens, and what if it cannot be known.

Each class here is one mapping of the policy language: its fields are the keys, the text below a field is its line in
the reference. What goes together and what does not is in `combinations.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Literal

from gateway.policy.custody import Approvers, Escalation, Expires, Reminder, RetentionName
from gateway.policy.forms import Address, Citation, Notified, RuleId
from gateway.policy.found import Found
from gateway.policy.logic import Condition
from gateway.policy.when import ABSENT, Conditions, HeaderName, When
from gateway.reply import DEFERRED, REFUSED, Reply, printable
from gateway.schema.scalars import Duration
from gateway.schema.shapes import Position
from gateway.verdict import (
    Action,
    AddHeader,
    Banner,
    Edit,
    Finding,
    RemoveHeader,
    ReplaceHeader,
    StripPart,
    TagSubject,
)

REPLY_TEXT_LIMIT = 320
"""Characters of a refusal with the rule's id; of the 400 of a reply (`reply.TEXT_LIMIT`) the rest is for the mail's
id and a help address."""

SUBJECT_TAG_LIMIT = 60
"""Characters put before a subject; RFC 5322 section 2.1.1 wants lines under 78."""


FILLED_LIMIT = 4_000
"""Characters of a header's value with what was found filled in."""

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class Mode(StrEnum):
    """What becomes of what a rule asks for."""

    ENFORCE = "enforce"
    SHADOW = "shadow"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bilingual:
    """A text for people, in both languages."""

    vi: str
    """Vietnamese, with its marks; in replies of SMTP, which are US-ASCII, it loses them."""
    en: str
    """English."""

    def __post_init__(self) -> None:
        if not (self.vi.strip() and self.en.strip()):
            raise ValueError("neither text may be empty")

    @property
    def lines(self) -> str:
        """Both, one below the other."""
        return f"{self.vi.strip()}\n{self.en.strip()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyWanted:
    """The codes of a refusal."""

    code: int
    """The reply code: 5xx for `reject`, 4xx for `defer`."""
    status: str
    """The enhanced code (RFC 3463), such as `5.7.1`; its first digit is that of `code`."""
    where: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class With:
    """How a rule does what it does. What several rules ask for adds up, in the order of the rules."""

    reply: ReplyWanted = ABSENT
    """The codes of the refusal; 550 5.7.1 and 451 4.7.1 if left out. Only for `reject` and `defer`."""
    text: Bilingual = ABSENT
    """What people are told: in the refusal, in notices, in the place of a part that was taken out."""
    subject: str = ""
    """Put before the subject."""
    headers: Mapping[HeaderName, str] = field(default_factory=dict)
    """Header fields put on top of the message. `{field}` in a value stands for that field of the finding that made the
    rule hold; where no finding has it, the header field is left out."""
    remove_headers: tuple[HeaderName, ...] = ()
    """Header fields taken out, all of each name; one that `headers` puts on again is replaced."""
    banner: Bilingual = ABSENT
    """Put above the text that people read."""
    strip: Literal["found"] = ABSENT
    """Take out the parts in which the findings were that made the rule hold. `text` stands in their place."""
    redirect: Address = ABSENT
    """Deliver to this address instead of the recipient's."""
    bcc: tuple[Address, ...] = ()
    """Deliver a copy to these addresses."""
    notify: tuple[Notified, ...] = ()
    """Send a notice with `text`: to `recipient`, `sender`, `officer`, or to an address."""
    summary: Duration = ABSENT
    """Tell each of them of all such messages of this time together, by service or sender, in one notice; from `5m` to
    `1d`. Of each message if left out."""
    approvers: Approvers = ABSENT
    """Who may approve held mail; the officers if left out. Nobody approves his own."""
    quorum: int = 1
    """How many of the approvers must."""
    expires: Expires = ABSENT
    """How long it waits for a decision. If left out, as long as its class is kept; then held mail is rejected and
    quarantined mail deleted."""
    remind: Reminder = ABSENT
    """When the approvers are reminded."""
    escalate: Escalation = ABSENT
    """When somebody above them is asked."""
    retention: RetentionName = ABSENT
    """The class that says how long the message is kept at most; `hold` or `quarantine` if left out."""
    store: Literal["never"] = ABSENT
    """`never`: the content must not be kept anywhere, for any rule or recipient (State secrets). Then the message is
    refused for all, and only its digest, its parties and the rule are recorded."""
    where: Position = field(default_factory=Position)

    @property
    def changes_message(self) -> bool:
        """True if something is asked for that changes the message itself."""
        return bool(self.subject or self.headers or self.remove_headers or self.banner or self.strip)

    @property
    def changes_delivery(self) -> bool:
        """True if something is asked for that changes who gets it."""
        return bool(self.redirect or self.bcc)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRule:
    """One rule. Every rule is asked for every recipient; the strongest action wins, what rules add is added up."""

    id: RuleId
    """Its name, once in a file. A rule of the same id in a lower layer takes its place."""
    title: str = ""
    """What it is for, in a few words."""
    description: str = ""
    """What people should know about it."""
    cite: tuple[Citation, ...] = ()
    """The clauses it carries out, as `pack/clause`."""
    mode: Mode = Mode.ENFORCE
    """`enforce` does it, `shadow` counts and records what it would have done, `off` is not asked."""
    when: When
    """What must be so."""
    unless: Conditions = ABSENT
    """What exempts from the rule."""
    then: Action
    """What happens, from the weakest: accept, tag, hold, quarantine, discard, defer, reject."""
    with_: With = field(default_factory=With, metadata={"key": "with"})
    """How it happens."""
    on_unknown: Action = Action.DEFER
    """What happens where a filter that the rule needs could not look; anything but `discard`."""
    because: str = ""
    """Why `on_unknown: accept` is right here; that needs a reason."""
    lock: bool = False
    """No lower layer may replace the rule, except from it, or change the options of its filters that stand here."""
    bypass: Literal["allow", "refuse"] = ABSENT
    """Whether `mailwarden bypass` may suspend it for a while: `allow` or `refuse`. If left out, `refuse` with `lock` or
    `store: never`, else `allow`."""
    where: Position

    @property
    def bypassable(self) -> bool:
        """True if an operator may suspend it for a while: neither an upper layer's rule nor one on State secrets,
        unless it says so itself."""
        if self.bypass is not None:
            return self.bypass == "allow"
        return not self.lock and self.with_.store != "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(WrittenRule):
    """A rule as it is asked: `condition` is `when`, less `unless` and the policy's exceptions.

    `bypassed`: somebody has suspended it; it is asked and recorded, and changes nothing.
    """

    condition: Condition
    bypassed: bool = False
    cites: tuple[str, ...] = field(init=False)
    """The clauses, as texts."""
    filters: frozenset[str] = field(init=False)
    """The filters that the condition asks."""

    def __post_init__(self) -> None:
        asked = (leaf.codes for leaf in self.condition.leaves if isinstance(leaf, Found))
        object.__setattr__(self, "cites", tuple(citation.text for citation in self.cite))
        object.__setattr__(self, "filters", frozenset(name for codes in asked for name, _ in codes))

    @classmethod
    def of(cls, written: WrittenRule, condition: Condition) -> Rule:
        """The written rule with its condition."""
        return cls(**{key.name: getattr(written, key.name) for key in fields(written)}, condition=condition)

    @property
    def enforced(self) -> bool:
        """True if what it asks for is done."""
        return self.mode is Mode.ENFORCE and not self.bypassed

    @property
    def early(self) -> bool:
        """True if it may refuse before the content is sent."""
        return self.enforced and self.then >= Action.DEFER and not self.condition.needs_content

    def edits(self, findings: tuple[Finding, ...]) -> Iterator[Edit]:
        """What the rule puts on the message; the parts to take out are those of the findings."""
        asked = self.with_
        added = {name.text.lower() for name in asked.headers}
        removed = {name.text.lower() for name in asked.remove_headers}
        yield from (RemoveHeader(name.text) for name in asked.remove_headers if name.text.lower() not in added)
        for name, written in asked.headers.items():
            kind = ReplaceHeader if name.text.lower() in removed else AddHeader
            if (value := filled(written, findings)) is not None:
                yield kind(name.text, value)
        if asked.subject:
            yield TagSubject(asked.subject)
        if asked.banner is not None:
            yield Banner(asked.banner.lines)
        if asked.strip is not None:
            yield from (StripPart(label, asked.text.lines) for label in parts_of(findings))

    def refusal(self, action: Action, *, matched: bool) -> Reply:
        """What the client hears if this rule refuses: its own words only where it is sure of them."""
        reply = REFUSED if action is Action.REJECT else DEFERRED
        if matched and (codes := self.with_.reply) is not None:
            reply = Reply(codes.code, codes.status.partition(".")[2], reply.text)
        text = reply.text
        if matched and (words := self.with_.text) is not None:
            text = f"{words.vi} / {words.en}"
        mark = f" [{self.id}]"
        return reply.with_text(printable(text)[: REPLY_TEXT_LIMIT - len(mark)] + mark)


def placeholders(text: str) -> tuple[str, ...]:
    """The fields of findings that a header's value asks for."""
    return tuple(_PLACEHOLDER.findall(text))


def filled(text: str, findings: Iterable[Finding]) -> str | None:
    """A header's value with each `{field}` filled in from the first finding that has all of them; None if none has."""
    wanted = placeholders(text)
    if not wanted:
        return text
    for finding in findings:
        facts = {name: _written(value) for name, value in finding.facts().items()}
        if facts.keys() >= set(wanted):
            pieces = _PLACEHOLDER.split(text)  # text and names by turns
            pieces[1::2] = [facts[name] for name in pieces[1::2]]
            return "".join(pieces)[:FILLED_LIMIT]
    return None


def _written(value: object) -> str:
    if isinstance(value, tuple | list | frozenset):
        return ", ".join(sorted(map(str, value)) if isinstance(value, frozenset) else map(str, value))
    return "" if value is None else str(value)


def parts_of(findings: Iterable[Finding]) -> tuple[str, ...]:
    """The labels of the parts in which the findings were, each once."""
    places = (evidence.part.partition("/")[0] for finding in findings for evidence in finding.evidence)
    return tuple(dict.fromkeys(place for place in places if place))
