"""What the header shows: who sends, by which means, and whether people write to each other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from filters._signup.sender import Sender
from gateway.mail import Part
from gateway.text.folding import plain

_NO_REPLY = re.compile(
    r"no.?.?reply|do.?not.?reply|dont.?reply|bounce|mailer|notif|khong.?tra.?loi|automated|auto-?mail|postmaster|^alert"
)
_ACCOUNTS = re.compile(
    r"account|regist|verif|secur|confirm|sign-?up|^id$|^auth|welcome|activat|member|dangky|login|password|onboard|otp"
)
_ROLE = re.compile(
    r"^(?:hello|hi|hey|info|support|team|contact|service|services|help|admin|webmaster|mail|email|news|newsletter|"
    r"updates?|cskh|hotro|marketing|sales|customer\w*|care|community|system|root|wiki|forum|shop|store|noti|app|web|cs|"
    r"feedback|promo\w*|offers?|deals?|digest|billing|orders?|thongbao|sotay|lienhe)$"
)
_SURNAMES = frozenset(
    "nguyen tran le pham huynh hoang phan vu vo dang bui do ho ngo duong ly dinh trinh luong mai dao doan truong lam "
    "phung to ta chu quach cao thai ha la tong lai kieu diep luu nghiem vuong chau".split()
)
_SENDING = ("x-sg-", "x-mailgun-", "x-ses-", "x-pm-", "x-mandrill", "x-smtpapi", "feedback-id", "x-mc-", "x-sfmc",
            "x-mailjet", "x-mj-", "x-sib", "x-csa-complaints", "x-campaign", "x-emarsys", "x-braze", "x-klaviyo",
            "x-hubspot", "x-customer", "x-postmark", "x-resend", "x-report-abuse", "x-rext", "x-facebook", "x-linkedin",
            "x-notifications", "x-gm-", "x-job", "x-ck-", "x-msfbl")  # fmt: skip
_DISCUSSION = ("list-post", "x-mailing-list", "mailing-list", "x-mailman-version", "x-beenthere")


def header_features(root: Part, sender: Sender) -> Iterator[tuple[str, float]]:
    """The features of the header, with their values."""
    names = {header.name.lower(): header for header in root.headers}
    if _NO_REPLY.search(sender.local):
        yield "from:noreply", 1.0
    if _ACCOUNTS.search(sender.local):
        yield "from:accounts", 1.0
    if _ROLE.match(sender.local):
        yield "from:role", 1.0
    if sender.personal:
        yield "from:personal", 1.0
    if _is_person(sender):
        yield "from:person", 1.0
    if sender.known is not None:
        yield f"service:{sender.known.origin.mail}", 1.0
    if (auto := names.get("auto-submitted")) is not None and auto.value.strip().lower() != "no":
        yield "header:auto", 1.0
    if "x-auto-response-suppress" in names:
        yield "header:auto", 1.0
    if any(name.startswith(_SENDING) for name in names):
        yield "header:platform", 1.0
    if "list-unsubscribe" in names:
        yield "header:unsubscribe", 1.0
    if "list-unsubscribe-post" in names:
        yield "header:one-click", 1.0
    if "list-id" in names:
        yield "header:list", 1.0
    if any(name in names for name in _DISCUSSION) or ("sender" in names and "-bounces@" in names["sender"].value):
        yield "header:discussion", 1.0
    if "in-reply-to" in names or "references" in names:
        yield "header:thread", 1.0
    others = sum(names[name].value.count("@") for name in ("to", "cc") if name in names)
    if others > 1:
        yield "header:many", min(1.0 + others / 4, 2.0)
    kinds = [part.media_type for part in root.walk()]
    if any(kind in ("text/calendar", "application/ics") for kind in kinds):
        yield "header:calendar", 1.0
    if any(part.names and not part.media_type.startswith("image/") for part in root.walk()):
        yield "header:files", 1.0


def _is_person(sender: Sender) -> bool:
    """True for a name as Vietnamese persons bear it, in front of an address that is nobody's post."""
    words = plain(sender.name).text.replace(",", " ").split()
    named = 2 <= len(words) <= 6 and words[0] in _SURNAMES and all(word.isalpha() for word in words)
    return named and not _NO_REPLY.search(sender.local) and not _ROLE.match(sender.local)
