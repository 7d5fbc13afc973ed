"""What `impersonation` reports: its kinds of finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from filters._impersonation.domains import By
from filters._impersonation.links import Trick
from filters._impersonation.lists import Theme
from filters._impersonation.names import Shows
from gateway.verdict import Finding

Where = Literal["from", "sender", "envelope", "reply-to", "link"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDomain(Finding):
    """Mail from outside says it is from one of our own domains: in From, Sender or the envelope (`where`). Forwarders
    and services that send for us do so too: ask `sender_auth` whether they may."""

    code: ClassVar[str] = "own_domain"
    where: Where
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookalike(Finding):
    """A domain (`domain`, as it is shown) that looks like one of ours, of the State or of a known name (`imitates`).

    `by`: homograph (letters of another script), letters (digits and pairs that look like letters), embedded (the name
    stands in another), edit (one letter off), suffix (the same name elsewhere), mixed-script (like nobody known)."""

    code: ClassVar[str] = "lookalike"
    where: Where
    domain: str
    imitates: str
    by: By
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayName(Finding):
    """The name in From does not go with the address: it shows (`shows`) another's address or domain, our organisation
    or one of its people, a body of the State, those who look after the mail, or a brand; `pretends` is which."""

    code: ClassVar[str] = "display_name"
    shows: Shows
    pretends: str
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTo(Finding):
    """Answers go to another organisation than the mail says it is from; `private` is true for a provider of private
    mailboxes where From is none."""

    code: ClassVar[str] = "reply_to"
    domain: str
    sender: str
    private: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMismatch(Finding):
    """A link shows one host (`shown`) and leads to another (`host`). `official` is true where it shows one of ours or
    of the State, `brand` names the brand that it shows."""

    code: ClassVar[str] = "link_mismatch"
    shown: str
    host: str
    official: bool
    brand: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeceptiveLink(Finding):
    """A link of a kind that lures use (`trick`): to a bare address, with a name before an @, with letters of several
    scripts, that is a script, to a form, a shortener, or hosting where anybody puts up a page."""

    code: ClassVar[str] = "deceptive_link"
    trick: Trick
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordForm(Finding):
    """A page that asks for a password came with the mail (`place`)."""

    code: ClassVar[str] = "password_form"
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LureText(Finding):
    """The mail says what lures say (`theme`), and presses or threatens; `weight` is how much of that there is, `linked`
    whether there is a link or a file to go with it."""

    code: ClassVar[str] = "lure"
    theme: Theme
    weight: float
    urges: bool
    threatens: bool
    linked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion(Finding):
    """All of it as one number, where there is anything: 6 is worth a warning, 10 a closer look by somebody. Own domains
    are not in it. `detail` shows the parts."""

    code: ClassVar[str] = "suspicion"
    score: float
