"""signup: find mail of outside services about accounts: registrations, codes, invitations, newsletters, notices.

The file before is `gateway/pipeline.py`, which runs this; the file after is `gateway/decide.py`. Three questions are
asked of a mail. *Who* sends it: the catalogue (policies/lists/services.yaml) knows services by the domains they send
from; bodies of the State and the organisation itself are let be; whoever is not known is named by the domain that was
registered. *What* does it do: links with tokens, codes beside their name, list headers, a no-reply address. *What* does
it say: concepts in nine languages, by a lexicon. A model adds up what each of these features speaks for
(`_signup/weights.txt`); how sure the sum is, is the finding's confidence, and its detail shows the parts.

No code and no whole link is in a finding: evidence has them masked.

Whose address is typed into many forms gets mail from many services within an hour: that is counted for each mailbox
(`_signup/bombing.py`), of mail that was taken, so `explain`, `test` and `replay` count nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from filters._remembered import Remembered
from filters._signup.bombing import EACH, MAILBOXES, Recent, Sort, mailboxes, number_of
from filters._signup.features import Features, features_of
from filters._signup.lexicon import Lexicon, load_lexicon
from filters._signup.model import Judgement, Kind, Model, load_model
from filters._signup.sender import Authentication, Sender, sender_of
from filters._signup.subscribing import asked_list
from filters._signup.telling import evidence, explained
from gateway.mail import Mail
from gateway.reply import Reply
from gateway.schema.scalars import Duration
from gateway.services import SHIPPED, Catalogue, Category, guessed_category, read_catalogue
from gateway.verdict import Finding, RecipientFinding

Tier = Literal["T1", "T2", "T3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignupMail(Finding):
    """`service` is its name in the catalogue, for one that is not known the domain it registered, and `known` tells
    which; `domains` are all of its domains that are known. `confidence` is from 0 to 1, `language` an ISO 639-1 code.
    `tier` is what regulations tell apart: T1 a new registration, T2 activity of an account, T3 a security notice, which
    must reach its owner. `authenticated` is pass, fail, or unknown where nobody checked."""

    service: str
    known: bool
    category: Category
    confidence: float
    language: str
    tier: Tier
    authenticated: Authentication
    domains: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification(SignupMail):
    """The address or account is to be confirmed, by a link or a code: somebody has registered it."""

    code: ClassVar[str] = "verification"


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome(SignupMail):
    """An account now exists: a welcome, its name and password, first steps."""

    code: ClassVar[str] = "welcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimeCode(SignupMail):
    """A code or link that is good once: T1 where it may be for a registration, T3 where it is to sign in."""

    code: ClassVar[str] = "one_time_code"


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordReset(SignupMail):
    """A password is to be set anew."""

    code: ClassVar[str] = "password_reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityNotice(SignupMail):
    """Something happened to an account: a sign-in, a changed password, a lock."""

    code: ClassVar[str] = "security_notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation(SignupMail):
    """Somebody asks the recipient to join a service, a team or a circle of friends."""

    code: ClassVar[str] = "invitation"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterConfirmation(SignupMail):
    """A subscription is to be confirmed (double opt-in)."""

    code: ClassVar[str] = "newsletter_confirmation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsletter(SignupMail):
    """A newsletter or advertising."""

    code: ClassVar[str] = "newsletter"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountActivity(SignupMail):
    """What happens with an account: orders, bookings, digests, notices of a social site."""

    code: ClassVar[str] = "account_activity"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRequest(Finding):
    """Mail from inside asks to be put on a list outside, or confirms that: `service` is the list's domain, `address`
    where the request goes, `by` what shows it: address, command or confirmation."""

    code: ClassVar[str] = "subscription_request"
    service: str
    address: str
    by: Literal["address", "command", "confirmation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bombing(RecipientFinding):
    """This mail is one of many from different services that come to one mailbox: somebody types its address into many
    forms, often to bury a message that matters. It is found on registrations (T1) and newsletters, not on other mail.
    `recipient` is the mailbox: rules hold for it alone. `services` is how many services there are with this one, 64 at
    most; `window` in how many seconds."""

    code: ClassVar[str] = "bombing"
    services: int
    window: float


_FINDINGS: dict[Kind, type[SignupMail]] = {
    "verification": Verification,
    "welcome": Welcome,
    "one_time_code": OneTimeCode,
    "password_reset": PasswordReset,
    "security_notice": SecurityNotice,
    "invitation": Invitation,
    "newsletter_confirmation": NewsletterConfirmation,
    "newsletter": Newsletter,
    "account_activity": AccountActivity,
}
_TIERS: dict[Kind, Tier] = {
    "verification": "T1",
    "welcome": "T1",
    "one_time_code": "T1",
    "password_reset": "T3",
    "security_notice": "T3",
    "invitation": "T2",
    "newsletter_confirmation": "T1",
    "newsletter": "T2",
    "account_activity": "T2",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signup:
    """Looks at mail from outside for what services send to those who have an account, or are getting one, and at mail
    from inside for requests to lists. Mail of bodies of the State, and of the organisation, is none of it."""

    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (*_FINDINGS.values(), SubscriptionRequest, Bombing)
    READS: ClassVar[bool] = True

    minimum: float = 0.45
    """Confidence from which a mail is reported; rules may want more."""

    authserv: str = ""
    """The name by which a server of ours signs its Authentication-Results (RFC 8601): only fields of this name are
    believed. Without it, senders count as who they say they are."""

    more_services: tuple[Path, ...] = ()
    """Files in the form of policies/lists/services.yaml that add to it; entries of the same name take its place."""

    official: frozenset[str] = frozenset()
    """Domains beside those of the catalogue whose mail is official use, subdomains included."""

    bombing_services: int = 10
    """From how many different services that write to one mailbox about a registration it is taken to be bombed. A
    service that only sends newsletters counts a third."""

    bombing_within: Duration = Duration(3600)
    """The time in which they do; it slides."""

    _catalogue: Catalogue = field(init=False, repr=False, compare=False)
    _lexicon: Lexicon = field(init=False, repr=False, compare=False)
    _model: Model = field(init=False, repr=False, compare=False)
    _mailboxes: Remembered = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 < self.minimum < 1:
            raise ValueError("minimum must be between 0 and 1")
        if not 2 <= self.bombing_services <= EACH:
            raise ValueError(f"bombing_services must be from 2 to {EACH}")
        if self.bombing_within < 1:
            raise ValueError("bombing_within must be at least 1s")
        for name, value in (
            ("_catalogue", read_catalogue((SHIPPED, *self.more_services))),
            ("_lexicon", load_lexicon()),
            ("_model", load_model()),
            ("_mailboxes", Remembered(most=MAILBOXES)),
        ):
            object.__setattr__(self, name, value)

    def inspect(self, mail: Mail) -> Iterator[Finding]:
        """One finding for what the mail is, if it is sign-up mail, and one for each mailbox that it helps to bomb; one
        for each request to a list."""
        if mail.inside:
            for asked in asked_list(mail):
                yield SubscriptionRequest(service=asked.domain, address=asked.address, by=asked.by)
            return
        sender = self.sender(mail)
        if sender.official:
            return
        features = self.features(mail, sender)
        judged = self._model.judge(features.values)
        if judged.confidence >= self.minimum:
            finding = self._finding(sender, features, judged)
            yield finding
            yield from self._bombings(mail, finding)

    async def answered(self, mail: Mail, reply: Reply, found: Iterable[Finding]) -> list[Any] | None:
        """Remember which service wrote to whom, if the mail was taken."""
        mine = [finding for finding in found if isinstance(finding, SignupMail) and _sort(finding)]
        keys = [key.hex() for _, key in mailboxes(mail)] if reply.accepted and mine else []
        if not keys:
            return None
        lesson = [mail.received.timestamp(), _sort(mine[0]), number_of(mine[0].service), keys]
        self.heed(lesson)
        return lesson

    def heed(self, lesson: list[Any]) -> None:
        """The moment, as what the mail counts, the number of its service, and the mailboxes."""
        now, sort, number, keys = lesson
        for key in map(bytes.fromhex, keys):
            self._mailboxes.put(key, self._recent(key, now).after(sort, number, now).row)

    def inherit(self, earlier: Signup) -> None:
        """Go on with what is known of the mailboxes."""
        object.__setattr__(self, "_mailboxes", earlier._mailboxes)

    def keep_in(self, folder: Path) -> None:
        """Keep it in a file."""
        self._mailboxes.keep_in(folder / "mailboxes.sqlite")

    async def save(self) -> None:
        """Write down what has changed."""
        await self._mailboxes.save()

    def close(self) -> None:
        """Write down the rest."""
        self._mailboxes.save_now()

    def sender(self, mail: Mail) -> Sender:
        """Who sends the mail."""
        return sender_of(mail, self._catalogue, self.authserv, self.official)

    def features(self, mail: Mail, sender: Sender) -> Features:
        """What the mail shows."""
        return features_of(mail, sender, self._lexicon)

    def _bombings(self, mail: Mail, finding: SignupMail) -> Iterator[Bombing]:
        if sort := _sort(finding):
            now = mail.received.timestamp()
            for address, key in mailboxes(mail):
                recent = self._recent(key, now).after(sort, number_of(finding.service), now)
                if recent.weight >= self.bombing_services:
                    yield Bombing(recipient=address, services=recent.services, window=self.bombing_within)

    def _recent(self, key: bytes, now: float) -> Recent:
        return Recent.at(self._mailboxes.get(key), self.bombing_within, now)

    def _finding(self, sender: Sender, features: Features, judged: Judgement) -> SignupMail:
        known = sender.known
        return _FINDINGS[judged.kind](
            service=known.id if known else sender.organisation,
            known=known is not None,
            category=known.service.category if known else guessed_category(sender.name, sender.domain),
            confidence=round(judged.confidence, 2),
            language=features.language,
            tier=_tier(judged.kind, features),
            authenticated=sender.authentication,
            domains=known.service.domains if known else (sender.organisation,),
            detail=explained(sender, features, judged, self._lexicon.meanings),
            evidence=evidence(features, judged),
        )


def _tier(kind: Kind, features: Features) -> Tier:
    """A code to sign in with is for an account that its owner has: to hold it would lock him out (regulations 2.1)."""
    signs_in = features.has("subject:login", "body:login") and not features.has(
        "subject:registered", "body:registered", "subject:finish", "body:finish", "subject:verify"
    )
    return "T3" if kind == "one_time_code" and signs_in else _TIERS[kind]


def _sort(finding: SignupMail) -> Sort | None:
    """As what the mail counts for a bombing. What an account that exists sends, and what warns, is no part of one."""
    if isinstance(finding, Newsletter):
        return "newsletter"
    return "registration" if finding.tier == "T1" else None
