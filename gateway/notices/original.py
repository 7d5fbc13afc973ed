"""The message that a notice is about, without its content: who, to whom, when, which files, which rules, why."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.keeping import KeptMail, Kind
from gateway.mail import Direction, Mail, Part, Raw, Transaction
from gateway.mime.decode import decoded
from gateway.mime.names import shown
from gateway.text.concealing import without_codes
from gateway.verdict import Action, Outcome, RuleOutcome

MOST_FILES = 20
"""Attachments that are listed and hashed; a notice is a summary, the page that shows the message has them all."""

MARKER = "X-Mailwarden-Notice"
"""The header field by which we know our own notices (`marker.py`)."""

_LIST_WORDS = frozenset({"bulk", "list", "junk"})  # RFC 2076 section 3.9: the values that are in use
_LIST_FIELDS = ("list-id", "list-post", "list-unsubscribe", "list-help")  # RFC 2369, RFC 2919
_WANTS_NO_REPLY = frozenset({"all", "autoreply"})  # [MS-OXCMAIL] section 2.2.3.2.14


@dataclass(frozen=True, slots=True)
class Attached:
    """One attached file: `size` in bytes after decoding, `sha256` of these bytes in hexadecimal digits."""

    name: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """One message, summarised. Texts are as strangers wrote them; whoever shows them makes them harmless.

    `unanswerable` says why its sender gets no automatic answer, "" where nothing speaks against one; `marker` is the
    value of its field `MARKER`. `files` are the first `MOST_FILES` of `file_count`. `held` tells that it waits for
    approval, `expires` how long it is kept. `bare`: nothing of its content is here, for it never came, or must not be
    told.
    """

    id: str
    received: datetime
    direction: str
    sender: str
    recipients: tuple[str, ...]
    header_from: str = ""
    subject: str = ""
    message_id: str = ""
    size: int = 0
    digest: str = ""
    rules: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    because: str = ""
    held: bool = False
    expires: datetime | None = None
    files: tuple[Attached, ...] = ()
    file_count: int = 0
    unanswerable: str = ""
    marker: str = ""
    bare: bool = False


def original_of(kept: KeptMail) -> Original:
    """What the entry of a kept message tells: enough for digests and for what recipients are told."""
    return Original(
        id=kept.id,
        received=kept.received,
        direction=kept.direction,
        sender=kept.envelope.sender,
        recipients=tuple(recipient.address for recipient in kept.envelope.recipients),
        header_from=kept.header_from,
        subject=kept.subject,
        message_id=kept.message_id,
        size=kept.size,
        digest=kept.digest,
        rules=kept.rules,
        clauses=kept.clauses,
        because=kept.because,
        held=kept.kind is Kind.HELD,
        expires=kept.expires,
    )


def original_with_content(kept: KeptMail, root: Part, raw: Raw) -> Original:
    """The same with what its header and its parts tell: for whatever goes to its sender or an approver.

    Hashes the attachments, so large mail belongs in a thread.
    """
    return _with_content(original_of(kept), root, raw)


def original_of_mail(mail: Mail, outcomes: Sequence[Outcome]) -> Original:
    """A message that is not kept, for these of its recipients, and the rules in force that asked for something.

    Hashes the attachments, so large mail belongs in a thread.
    """
    original = replace(
        original_of_envelope(mail, outcomes),
        header_from=mail.root.header("From") or "",
        subject=without_codes(mail.root.header("Subject") or ""),
        message_id=mail.root.header("Message-ID") or "",
        size=mail.size,
        bare=False,
    )
    return _with_content(original, mail.root, mail.raw)


def original_of_envelope(transaction: Transaction, outcomes: Sequence[Outcome]) -> Original:
    """A message that was refused before its content was sent."""
    fired = _fired(outcomes)
    return replace(_parties(transaction, outcomes, fired), because="; ".join(rule.because for rule in fired))


def original_without_content(mail: Mail, outcomes: Sequence[Outcome]) -> Original:
    """A message of which nothing may be stored: its parties and the rules, and no word of its content.

    Also not why a rule held, for that names what it found (regulations 2.8). The mark of our own notices is ours.
    """
    return replace(_parties(mail, outcomes, _fired(outcomes)), marker=mail.root.header(MARKER) or "")


def unanswerable(root: Part) -> str:
    """Why nobody answers a message with this header automatically (RFC 3834 section 2), "" if one may."""
    for header in root.headers:
        name, value = header.name.lower(), header.value.strip().lower()
        if name == "auto-submitted" and re.split(r"[\s;(]", value, maxsplit=1)[0] != "no":  # RFC 3834 section 5
            return "Auto-Submitted"
        if name == "precedence" and value in _LIST_WORDS:
            return "Precedence"
        if name in _LIST_FIELDS:
            return "list mail"
        if name == "x-auto-response-suppress" and _WANTS_NO_REPLY & {word.strip() for word in value.split(",")}:
            return "X-Auto-Response-Suppress"
    return ""


def from_inside(original: Original) -> bool:
    """True if the organisation itself handed it in, so that its sender is who the server before us let in."""
    return original.direction in (Direction.OUTBOUND.value, Direction.INTERNAL.value)


def _parties(transaction: Transaction, outcomes: Sequence[Outcome], fired: Sequence[RuleOutcome]) -> Original:
    return Original(
        id=transaction.id,
        received=transaction.received,
        direction=transaction.strictest_direction.value,
        sender=transaction.envelope.sender,
        recipients=tuple(dict.fromkeys(each.recipient.address for each in outcomes if each.recipient.address)),
        rules=tuple(dict.fromkeys(rule.id for rule in fired)),
        clauses=tuple(dict.fromkeys(cite for rule in fired for cite in rule.cite)),
        bare=True,
    )


def _fired(outcomes: Sequence[Outcome]) -> list[RuleOutcome]:
    return list(dict.fromkeys(rule for outcome in outcomes for rule in outcome.rules if _asked(rule)))


def _asked(rule: RuleOutcome) -> bool:
    return rule.mode == "enforce" and rule.action not in (None, Action.ACCEPT)


def _with_content(original: Original, root: Part, raw: Raw) -> Original:
    parts = [part for part in root.walk() if _is_file(part)]
    return replace(
        original,
        files=tuple(_attached(part, raw) for part in parts[:MOST_FILES]),
        file_count=len(parts),
        unanswerable=unanswerable(root),
        marker=root.header(MARKER) or "",
    )


def _is_file(part: Part) -> bool:
    if part.children:
        return False
    return bool(part.names) or part.disposition == "attachment" or not part.media_type.startswith("text/")


def _attached(part: Part, raw: Raw) -> Attached:
    content = decoded(raw, part)
    name = shown(part.names[0]) if part.names else ""
    return Attached(name, part.media_type, len(content), hashlib.sha256(content).hexdigest())
