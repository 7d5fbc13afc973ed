"""A judgement told to a person: the parts of the mail that spoke, by weight, each with the place where it was seen."""

from __future__ import annotations

from collections.abc import Mapping

from filters._signup.features import Features
from filters._signup.model import Judgement
from filters._signup.sender import Sender
from gateway.verdict import Evidence

SHOWN = 12
"""Parts that are told: with the rules they fill one screen."""

KEPT = 6
"""Places that a finding keeps as evidence."""

_WHERE = {"subject": "the subject", "body": "the text", "press": "a button"}
_FORM = {
    "from:noreply": "an address that takes no answer",
    "from:accounts": "an address for accounts",
    "from:role": "the address of a function",
    "from:person": "the name of a person",
    "from:personal": "a private mailbox",
    "header:auto": "marked as sent by a machine",
    "header:platform": "marks of a sending platform",
    "header:unsubscribe": "List-Unsubscribe",
    "header:one-click": "List-Unsubscribe-Post",
    "header:list": "List-Id",
    "header:discussion": "a list where people write to each other",
    "header:thread": "an answer to another mail",
    "header:many": "several recipients",
    "header:calendar": "a calendar entry",
    "header:files": "attached files",
    "subject:answer": "the subject of an answer or a forwarded mail",
    "subject:label": "labelled as advertising",
    "subject:number": "the subject holds a code",
    "body:quoted": "quoted lines",
    "body:address": "the text names the recipient's address",
    "code:near": "a code beside its name",
    "code:alone": "a code on a line of its own",
    "link:own": "a link to the sender's own site",
    "link:token": "a link with a token",
    "link:button": "a link drawn as a button",
    "link:many": "many links",
    "size:short": "a short text",
    "size:long": "a long text",
    "service:account": "a domain that a service sends account mail from",
    "service:notify": "a domain that a service sends notices from",
    "service:promo": "a domain that a service advertises from",
    "service:any": "a domain of a service",
    "service:corporate": "a domain of a firm's staff",
    "both:verify": "asked to confirm, with the means to do it",
    "both:reset": "a new password, with the means to set it",
    "both:reset-code": "a new password by code",
    "both:code": "a code, and how it is to be kept or used",
    "both:code-only": "a code and no link with a token",
    "both:welcome": "an account and a welcome",
    "both:registered": "registered, and now to be confirmed",
    "both:login": "signing in, with the means to do it",
    "both:subscribe": "a subscription, with the means to confirm it",
    "both:newsletter": "regular mail that can be stopped",
    "both:invite": "an invitation, with the means to accept it",
    "both:account": "an account that needs a first password",
    "both:existing": "an account that exists already",
}


def explained(sender: Sender, features: Features, judged: Judgement, meanings: Mapping[str, str]) -> str:
    """Who sent it, then a line for each part that spoke: weight, meaning, what was seen."""
    known = sender.known
    who = f"{known.service.name} ({sender.domain})" if known else f"{sender.domain or 'nobody'}, not in the catalogue"
    lines = [f"{judged.kind} at {judged.confidence:.2f} from {who}, authentication {sender.authentication}"]
    for part in judged.parts[:SHOWN]:
        place = features.places.get(part.feature)
        seen = f' "{place.evidence().excerpt}"' if place else ""
        lines.append(f"  {part.weight:+5.2f}  {_meaning(part.feature, meanings)}{seen}")
    rest = judged.parts[SHOWN:]
    if rest:
        lines.append(f"  {sum(part.weight for part in rest):+5.2f}  {len(rest)} more")
    return "\n".join(lines)


def evidence(features: Features, judged: Judgement) -> tuple[Evidence, ...]:
    """The places of what spoke for it most."""
    spoke = [part.feature for part in judged.parts if part.weight > 0 and part.feature in features.places]
    return tuple(features.places[feature].evidence() for feature in spoke[:KEPT])


def _meaning(feature: str, meanings: Mapping[str, str]) -> str:
    if feature in _FORM:
        return _FORM[feature]
    where, _, what = feature.partition(":")
    if where == "link":
        action, _, token = what.partition("+")
        return f"a link to {action}" + (" with a token" if token else "")
    return f"{_WHERE.get(where, where)}: {meanings.get(what, what)}"
