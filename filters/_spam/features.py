"""Everything in a mail that the classifier weighs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from filters._spam.form import form_features
from filters._spam.markup import markup_features
from filters._spam.phrases import Offers, Said, points
from filters._spam.words import words_of
from gateway.mail import Mail


@dataclass(frozen=True, slots=True)
class Features:
    """The words, the features of the form (their names begin with "*"), and the points of phrases, by concept. `said`
    has where each concept was met."""

    words: Collection[str]
    form: Collection[str]
    phrases: Mapping[str, float]
    said: Mapping[str, Said]


def features_of(mail: Mail, offers: Offers) -> Features:
    """The features of the mail, which has been read."""
    said = offers.said_in(mail.reading)
    form = {*form_features(mail), *markup_features(mail)}
    form.update(f"*+{concept}" for concept, each in said.items() if each.weight is None)
    return Features(words_of(mail.reading), form, points(said), said)
