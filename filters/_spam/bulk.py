"""What mail to many says of itself: list headers, sending platforms, automatic answers, the label of advertising."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from gateway.mail import Mail
from gateway.reading import Zone

Kind = Literal["newsletter", "list", "advertisement"]

FIELD_LIMIT = 2_000
"""Characters of a field that are looked at."""

BODY_END = 3_000
"""Characters at the end of a text in which a way to unsubscribe is looked for."""

# Decree 91/2020/ND-CP article 18: the label is [QC], [AD] or [QC/AD], first in the subject.
_LABEL = re.compile(r"\s*[\[(]\s*(QC|AD|QC\s*/\s*AD|AD\s*/\s*QC|quảng cáo|advert(?:isement)?)\s*[\])]", re.IGNORECASE)
_PLATFORM = ("x-sg-eid", "x-mailgun-", "x-ses-outgoing", "x-mandrill", "x-mc-user", "x-campaign", "x-mailjet", "x-mj-",
             "x-sib-id", "x-csa-complaints", "x-sfmc", "x-emarsys", "x-braze", "x-klaviyo", "x-hubspot", "x-cm-",
             "x-job", "x-bulkmail", "x-mailer-recptid", "x-mailinglist-id", "x-accounting", "x-rpcampaign",
             "x-getresponse", "x-acelle", "x-elasticemail", "x-250ok-cid", "x-roving", "x-mailer-sid")  # fmt: skip
_DISCUSSION = ("list-post", "x-mailman-version", "x-beenthere", "mailing-list", "x-mailing-list")
_LEAVE = re.compile(
    r"unsubscrib|opt.?out|manage (?:your )?(?:subscription|preferences)|email preferences|stop receiving|"
    r"tu choi nhan|huy dang ky|ngung nhan|huy nhan|khong muon nhan|desinscri|se desabonner|abmelden|darse de baja"
)


@dataclass(frozen=True, slots=True)
class Mass:
    """Mail to many: `label` is that of the subject as it is written, "" for none."""

    kind: Kind
    has_unsubscribe: bool
    label: str
    why: tuple[str, ...]


def mass(mail: Mail) -> Mass | None:
    """What kind of mail to many it is, None if nothing says so."""
    fields: dict[str, str] = {}
    for header in mail.root.headers:
        fields.setdefault(header.name.lower(), header.value[:FIELD_LIMIT])
    labelled = _LABEL.match(fields.get("subject", ""))
    precedence = fields.get("precedence", "").strip().lower()
    one_click = "list-unsubscribe" in fields
    platform = next((name for name in fields if name.startswith(_PLATFORM)), "")
    why = [name for name in ("list-unsubscribe", "list-id", "feedback-id", *_DISCUSSION) if name in fields]
    why += [f"precedence: {precedence}"] if precedence in ("bulk", "list", "junk") else []
    why += [platform] if platform else []
    leave = one_click or _can_leave(mail)
    if labelled:
        return Mass("advertisement", leave, labelled[0].strip(), ("label", *why))
    if precedence == "junk" or "auto-reply" in precedence or _answers(fields):
        return None  # an answering machine writes to one
    if any(name in fields for name in _DISCUSSION) and ("feedback-id" not in fields):
        return Mass("list", leave, "", tuple(why))
    if one_click or "feedback-id" in fields or precedence in ("bulk", "list") or "list-id" in fields:
        return Mass("newsletter", leave, "", tuple(why))
    if platform and leave:
        return Mass("newsletter", leave, "", tuple(why))
    if leave and len(mail.reading.links) >= 3:
        return Mass("newsletter", leave, "", ("a way to unsubscribe",))
    return None


def _answers(fields: dict[str, str]) -> bool:
    """True for an automatic answer or notice (RFC 3834), which is no mail to many."""
    return fields.get("auto-submitted", "no").strip().lower().startswith("auto-replied")


def _can_leave(mail: Mail) -> bool:
    """True if the text says how to be taken off."""
    return any(_LEAVE.search(text.plain.text[-BODY_END:]) for text in mail.reading.of(Zone.BODY))
