"""Labelled mails as the filter `signup` sees them: the corpus and our own letters, each with its features."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from signup_letters import RECIPIENT, letters

from filters.signup import Signup
from gateway.extract.message import contents
from gateway.mail import Client, Envelope, Mail, Recipient
from gateway.mime.parse import parse
from gateway.reading import Link, Reading, Text

LETTERS = Path(__file__).parent / "signup"

KIND_OF = {
    "registration_confirm": "verification",
    "email_verify": "verification",
    "email_change_verify": "verification",
    "magic_link": "one_time_code",
    "otp_code": "one_time_code",
    "welcome": "welcome",
    "account_created": "welcome",
    "password_reset": "password_reset",
    "signup_existing": "security_notice",
    "newsletter_optin": "newsletter_confirmation",
    "invitation": "invitation",
    "account_notice": "security_notice",
    "service_notice": "account_activity",
}
"""What the corpus calls a mail, and the finding that is meant."""

NEGATIVE_GROUPS = {"hardneg": 3.0, "spamham": 0.5, "vi_text": 0.4, "vi_prohibited": 0.2}
"""Groups of mails that are no sign-up mail, and how much one of them counts: look-alikes most."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One mail: where it is from (`source`: mails of one are never in both sides), its kind or "" for none, how much it
    counts, and its features."""

    name: str
    source: str
    group: str
    language: str
    kind: str
    weight: float
    values: dict[str, float]


def mail_of(raw: bytes, recipient: str, domains: frozenset[str] = frozenset()) -> Mail:
    """The mail with the texts and links that are read in place."""
    root = parse(raw)
    found = list(contents(raw, root))
    reading = Reading(
        texts=tuple(one for one in found if isinstance(one, Text)),
        links=tuple(one for one in found if isinstance(one, Link)),
    )
    mail = Mail(
        id="sample",
        listener="sample",
        received=datetime(2026, 11, 24, tzinfo=UTC),
        client=Client(),
        envelope=Envelope("", (Recipient(recipient),)),
        raw=raw,
        root=root,
        inside=False,
        domains=domains,
    )
    return replace(mail, opened=reading)


def samples(corpus: Path, signup: Signup) -> list[Sample]:
    """The corpus and our own letters."""
    found = [*_corpus(corpus, signup), *_letters(signup)]
    shared = Counter((sample.source, sample.name) for sample in found)
    return [replace(sample, weight=sample.weight / shared[sample.source, sample.name]) for sample in found]


def _corpus(corpus: Path, signup: Signup) -> Iterator[Sample]:
    lines = (corpus / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    for entry in map(json.loads, lines):
        labelled = _label(entry)
        if labelled is None:
            continue
        kind, weight = labelled
        mail = mail_of((corpus / entry["file"]).read_bytes(), entry.get("rcpt") or RECIPIENT)
        product = entry.get("product")
        source = product or _fold(entry["file"])
        name = f"{entry.get('template') or entry['file']} {entry['language']}"
        yield Sample(
            name,
            source,
            entry["group"],
            entry["language"],
            kind,
            weight,
            signup.features(mail, signup.sender(mail)).values,
        )


def _label(entry: dict[str, Any]) -> tuple[str, float] | None:
    group, category = entry["group"], entry.get("category", "")
    if group == "signup":
        return KIND_OF[category], 1.0
    if group == "ambiguous" and category in KIND_OF:
        return KIND_OF[category], 0.5
    if group == "spamham" and (entry["label"] != "ham" or entry.get("signup") != "no"):
        return None
    if category == "gov_portal_same_words":  # told apart by who sends, not by what they say
        return None
    return ("", NEGATIVE_GROUPS[group]) if group in NEGATIVE_GROUPS else None


def _letters(signup: Signup) -> Iterator[Sample]:
    for letter in letters(LETTERS):
        mail = mail_of(letter.mail(), RECIPIENT)
        source = _fold(letter.name)
        weight = 1.5 if letter.language in ("vi", "en") else 1.0
        yield Sample(
            letter.name,
            source,
            "letters",
            letter.language,
            letter.kind,
            weight,
            signup.features(mail, signup.sender(mail)).values,
        )


def _fold(name: str) -> str:
    """A source for a text that no other is like; ten of them, for the sake of time."""
    return f"fold {sum(name.encode()) % 10}"
