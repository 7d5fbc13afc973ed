"""Labelled mails as the classifier of the filter `spam` sees them, and which of them are held back."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path

from signup_samples import mail_of

from filters._spam.features import Features, features_of
from filters._spam.phrases import Offers
from gateway.mail import Mail

GROUPS = {"spamham": 1.0, "hardneg": 0.5, "signup": 0.35, "vi_text": 0.25}
"""Groups of the corpus, and how much one mail of them counts: of some templates there are many mails."""

HARD = 5.0
"""How much more commercial newsletters count that people had asked for: they are what is told from spam worst."""

HELD_BACK = 3
"""Every third mail is held back, by the digest of its name."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One mail: `source` is who sent it (the list, else the domain), `kind` a word for tables."""

    name: str
    kind: str
    source: str
    spam: bool
    weight: float
    held_back: bool
    features: Features
    people: frozenset[str]


def samples(corpus: Path) -> list[Sample]:
    """The mails of the corpus in its order."""
    return list(_samples(corpus))


def _samples(corpus: Path) -> Iterator[Sample]:
    offers = Offers.load()
    for entry in map(json.loads, (corpus / "manifest.jsonl").read_text(encoding="utf-8").splitlines()):
        group = entry["group"]
        if group not in GROUPS:
            continue
        mail = mail_of((corpus / entry["file"]).read_bytes(), entry.get("rcpt") or "an@example.gov.vn")
        spam, hard = entry["label"] == "spam", entry["category"].startswith("hard-ham")
        yield Sample(
            name=entry["file"],
            kind="spam" if spam else "newsletters asked for" if hard else "ham" if group == "spamham" else group,
            source=_source(mail) if group == "spamham" else "",
            spam=spam,
            weight=GROUPS[group] * (HARD if hard else 1.0),
            held_back=int(hashlib.sha256(entry["file"].encode()).hexdigest(), 16) % HELD_BACK == 0,
            features=features_of(mail, offers),
            people=_people(mail),
        )


def _source(mail: Mail) -> str:
    identifier = mail.root.header("List-Id")
    address = identifier.rpartition("<")[2] if identifier else parseaddr(mail.root.header("From") or "")[1]
    return ".".join(re.split(r"[@.]", address.strip("<> ").lower())[-2:])


def _people(mail: Mail) -> frozenset[str]:
    """Words of names, addresses, lists and hosts: none of them may become a weight."""
    named = ("From", "To", "Cc", "Reply-To", "Sender", "List-Id", "Return-Path", "Delivered-To", "Message-Id")
    values = [mail.root.header(name) or "" for name in named]
    return frozenset(re.findall(r"[^\W\d_]{2,}", " ".join(values).lower()))
