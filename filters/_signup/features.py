"""What a mail shows that bears on the question whether it is sign-up mail: named features with a weight of their own
each, and where each was seen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from filters._signup.codes import code_alone, code_near, hidden
from filters._signup.headers import header_features
from filters._signup.lexicon import Found, Lexicon
from filters._signup.links import Target, masked, target
from filters._signup.sender import Sender
from gateway.dns.names import organisation
from gateway.mail import Mail
from gateway.reading import Link, Text, Zone
from gateway.text.folding import plain
from gateway.verdict import Evidence

TEXT_LIMIT = 12_000
"""Characters of all texts of a mail that are read: account mail says what it wants on its first page."""

PREHEADER = 300
"""Characters of hidden text that are read: what a mailbox shows beside the subject is written there."""

LINK_LIMIT = 40
"""Links that are looked at."""

READ_LIMIT = 8
"""Links whose own text is read: account mail has one to press, seldom three."""

TEXT_OF_LINK = 80
"""Characters of it."""

MANY_LINKS = 12
SHORT, LONG = 700, 3000
"""Characters: account mail says one thing, newsletters many."""

EXCERPT = 70
"""Characters of an excerpt on either side together."""

COUNTED = frozenset("official meeting training business ticket invoice monitor colleague discussed promo".split())
"""Concepts of which one word may be chance: each further place counts more."""

_ANSWER = re.compile(
    r"\s*(?:\[[^\]]{1,40}\]\s*)?(?:re|fw|fwd|tr|aw|wg|rv|trả lời|chuyển tiếp|ответ|回复|转发|転送|회신)\s*(?:\[\d+\])?"
    r"\s*[:：]",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"(?m)^>")
_LABEL = re.compile(r"\s*[\[(](?:qc|ad|qc/ad|quảng cáo)[\])]", re.IGNORECASE)  # decree 91/2020/ND-CP article 18
_CODE_IN_SUBJECT = re.compile(r"(?<![\w/.,-])(?:[A-Z]-)?\d{4,8}(?![\w/.,%]|-\d)|(?<!\w)\d{3}[ -]\d{3}(?!\w)")


def _either(*concepts: str, also: str = "") -> frozenset[str]:
    """One of the concepts in subject or body, or one of the features in `also`."""
    return frozenset({f"{where}:{concept}" for where in ("subject", "body") for concept in concepts} | {*also.split()})


_MEANS = "link:token link:verify link:register"
_CODE = "code:near subject:number"

TOGETHER: tuple[tuple[str, tuple[frozenset[str], ...]], ...] = (
    ("both:verify", (_either("verify", "finish"), _either(also=f"{_MEANS} {_CODE}"))),
    ("both:reset", (_either("reset"), _either(also=f"{_MEANS} {_CODE} link:reset press:reset"))),
    ("both:reset-code", (_either("reset"), _either(also=f"{_CODE} code:alone"))),
    ("both:account", (_either("created", "thanks", "invite"), _either("setpassword", also="press:setpassword"))),
    ("both:code", (_either(also=_CODE), _either("disclaim", "secret", "expires"))),
    ("both:welcome", (_either("created", "thanks"), _either("welcome", "credentials", "start", "registered"))),
    ("both:registered", (_either("registered", "thanks"), _either("verify", "finish"))),
    ("both:login", (_either("login"), _either(also="link:login link:token code:near"))),
    ("both:subscribe", (_either("subscribe"), _either(also=_MEANS))),
    ("both:newsletter", (_either("unsubscribe", also="header:unsubscribe"), _either("newsletter", "promo"))),
    ("both:invite", (_either("invite"), _either(also="link:invite link:token link:register"))),
    ("both:existing", (_either("existing"), _either("registered", also="both:reset"))),
)
"""What is asked, together with the means to do it: neither alone makes sign-up mail."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a feature was seen: a stretch of a folded text, or a link. What is shown of it is made when it is asked
    for, which is for one mail in many."""

    place: str
    text: Text | None = None
    start: int = 0
    stop: int = 0
    target: str = ""

    def evidence(self) -> Evidence:
        """The place with an excerpt in which codes and links are masked."""
        if self.text is None:
            return Evidence(self.place, 0, masked(self.target) if self.target else "••••")
        first, last = self.text.plain.original(self.start, self.stop)
        begin = max(0, first - max(EXCERPT - (last - first), 0) // 2)
        shown = " ".join(self.text.content[begin : begin + EXCERPT + 20].split())
        return Evidence(self.place or self.text.zone.value, first, hidden(shown)[:EXCERPT])


@dataclass(slots=True)
class Features:
    """The features of a mail by name, their values, and where they were seen."""

    values: dict[str, float] = field(default_factory=dict)
    places: dict[str, Seen] = field(default_factory=dict)
    languages: Counter[str] = field(default_factory=Counter)

    def note(self, name: str, value: float = 1.0, place: Seen | None = None) -> None:
        """Take down a feature; of several values the greatest."""
        if value > self.values.get(name, 0.0):
            self.values[name] = value
        if place is not None:
            self.places.setdefault(name, place)

    def has(self, *names: str) -> bool:
        """True if one of the features is there."""
        return any(name in self.values for name in names)

    @property
    def language(self) -> str:
        """The language most of the words are of; "xx" where there are none."""
        return max(self.languages, key=lambda each: (self.languages[each], each), default="xx")


def features_of(mail: Mail, sender: Sender, lexicon: Lexicon) -> Features:
    """Everything that the model weighs."""
    features = Features()
    subject, bodies = _texts(mail)
    for name, value in header_features(mail.root, sender):
        features.note(name, value)
    for text in subject:
        _subject(features, text, lexicon)
    for text in bodies:
        _body(features, text, lexicon)
    _recipient(features, mail, bodies)
    places = {text.place for text in bodies}
    links = (link for link in mail.reading.links if link.place in places)
    _links(features, links, sender, lexicon)
    _together(features)
    longest = max((len(text.content.strip()) for text in bodies), default=0)
    if longest < SHORT:
        features.note("size:short")
    if longest > LONG:
        features.note("size:long")
    return features


def _texts(mail: Mail) -> tuple[list[Text], list[Text]]:
    """Subject, and the mail's own texts as far as they are read; what an attached message says is another's."""
    inner = tuple(f"{part.label}." for part in mail.root.walk() if part.label and part.media_type == "message/rfc822")
    subject: list[Text] = []
    bodies: list[Text] = []
    room = TEXT_LIMIT
    for text in mail.reading.texts:
        if text.zone is Zone.SUBJECT and not text.place:
            subject.append(text)
        elif text.zone in (Zone.BODY, Zone.HIDDEN) and room > 0 and not (inner and f"{text.place}.".startswith(inner)):
            limit = min(room, PREHEADER if text.zone is Zone.HIDDEN else TEXT_LIMIT // 2)
            if len(text.content) > limit:
                text = Text(place=text.place, zone=text.zone, content=text.content[:limit], kind=text.kind)
            bodies.append(text)
            room -= len(text.content)
    return subject, bodies


def _subject(features: Features, text: Text, lexicon: Lexicon) -> None:
    found = lexicon.search(text.plain.text)
    features.languages.update(found.languages)
    for concept, hits in found.concepts.items():
        features.note(f"subject:{concept}", 1.0, Seen(text.place, text, hits[0].start, hits[0].stop))
    if _ANSWER.match(text.content):
        features.note("subject:answer")
    if _LABEL.match(text.content):
        features.note("subject:label")
    if "code" in found.concepts and _CODE_IN_SUBJECT.search(text.content):
        features.note("subject:number")


def _body(features: Features, text: Text, lexicon: Lexicon) -> None:
    found = lexicon.search(text.plain.text)
    features.languages.update(found.languages)
    for concept, hits in found.concepts.items():
        value = 1.0
        if concept in COUNTED:
            value += 0.4 * min(len({hit.start for hit in hits}) - 1, 3)
        features.note(f"body:{concept}", value, Seen(text.place, text, hits[0].start, hits[0].stop))
    _codes(features, text, found)
    quoted = len(_QUOTED.findall(text.content)) if text.kind == "text" else 0
    if quoted > 2:
        features.note("body:quoted")


def _codes(features: Features, text: Text, found: Found) -> None:
    for hit in found.concepts.get("code", ())[:8]:
        start, stop = text.plain.original(hit.start, hit.stop)
        if code_near(text.content, start, stop):
            features.note("code:near", 1.0, Seen(text.place, text, hit.start, hit.stop))
            break
    if text.zone is Zone.BODY and code_alone(text.content):
        features.note("code:alone", 1.0, Seen(text.place))


def _recipient(features: Features, mail: Mail, bodies: Iterable[Text]) -> None:
    addresses = {recipient.address.lower() for recipient in mail.envelope.recipients[:3]}
    if any(address and address in text.content.lower() for text in bodies for address in addresses):
        features.note("body:address")


def _read_as(address: str) -> str:
    """An address in letters of other alphabets as a person reads it, and would copy it."""
    return address if address.isascii() else plain(address).text


def _links(features: Features, links: Iterable[Link], sender: Sender, lexicon: Lexicon) -> None:
    own = sender.organisation
    seen: dict[str, tuple[Link, Target]] = {}
    for link in links:
        if link.target not in seen and (found := target(_read_as(link.target))) is not None:
            seen[link.target] = (link, found)
            if len(seen) == LINK_LIMIT:
                break
    read = 0
    for link, found in seen.values():
        if link.source == "img":
            continue
        place = Seen(link.place, target=link.target)
        if organisation(found.host) == own:
            features.note("link:own")
        personal = found.token and found.action != "unsubscribe"
        if personal:
            features.note("link:token", 1.0, place)
        if found.action:
            features.note(f"link:{found.action}", 1.0, place)
            if personal:
                features.note(f"link:{found.action}+token", 1.0, place)
        if link.button:
            features.note("link:button")
        if (found.action or personal or link.button) and link.source != "text" and read < READ_LIMIT:
            read += 1
            for concept in lexicon.search(plain(link.text[:TEXT_OF_LINK]).text).concepts:
                features.note(f"press:{concept}", 1.0, place)
    if not seen:
        features.note("link:none")
    if len(seen) > MANY_LINKS:
        features.note("link:many")


def _together(features: Features) -> None:
    names = features.values.keys()
    for name, groups in TOGETHER:
        if not any(names.isdisjoint(group) for group in groups):
            features.note(name)
    if features.has("code:near", "code:alone", "subject:number") and "link:token" not in names:
        features.note("both:code-only")
