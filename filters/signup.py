"""signup: find mail of outside services about accounts: registrations, codes, invitations, newsletters, notices.

The file before is `gateway/pipeline.py`, which runs this; the file after is `gateway/decide.py`. Three questions are
asked of a mail. *Who* sends it: the catalogue (policies/lists/services.yaml) knows services by the domains they send
from; bodies of the State and the organisation itself are let be; whoever is not known is named by the domain that was
registered. *What* does it do: links with tokens, codes beside their name, list headers, a no-reply address. *What* does
it say: concepts in nine languages, by a lexicon. A model adds up what each of these features speaks for
(`_signup/weights.txt`); how sure the sum is, is the finding's confidence, and its detail shows the parts.

No code and no whole link is in a finding: evidence has them masked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from filters._signup.features import Features, features_of
from filters._signup.lexicon import Lexicon, load_lexicon
from filters._signup.model import Judgement, Kind, Model, load_model
from filters._signup.sender import Authentication, Sender, sender_of
from filters._signup.subscribing import asked_list
from filters._signup.telling import evidence, explained
from gateway.mail import Mail
from gateway.services import SHIPPED, Catalogue, Category, guessed_category, read_catalogue
from gateway.verdict import Finding

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

    FINDINGS: ClassVar[tuple[type[Finding], ...]] = (*_FINDINGS.values(), SubscriptionRequest)
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

    _catalogue: Catalogue = field(init=False, repr=False, compare=False)
    _lexicon: Lexicon = field(init=False, repr=False, compare=False)
    _model: Model = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 < self.minimum < 1:
            raise ValueError("minimum must be between 0 and 1")
        for name, value in (
            ("_catalogue", read_catalogue((SHIPPED, *self.more_services))),
            ("_lexicon", load_lexicon()),
            ("_model", load_model()),
        ):
            object.__setattr__(self, name, value)

    def inspect(self, mail: Mail) -> Iterator[Finding]:
        """One finding for what the mail is, if it is sign-up mail; one for each request to a list."""
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
            yield self._finding(sender, features, judged)

    def sender(self, mail: Mail) -> Sender:
        """Who sends the mail."""
        return sender_of(mail, self._catalogue, self.authserv, self.official)

    def features(self, mail: Mail, sender: Sender) -> Features:
        """What the mail shows."""
        return features_of(mail, sender, self._lexicon)

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
