"""The model of the filter `signup`: its weights fitted on the corpus and on our own letters, and proved on sources that
were left out.

The weights may only say what makes sense: DESIGN names, for each kind, the features that may speak for it, and those
that may speak against all. So a chance of the corpus (a header that one product sets) cannot become a reason, and the
table stays one that a person can check.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from signup_samples import Sample, samples

from filters._signup.model import KINDS, SAID, WEIGHTS, Model, said_in
from filters.signup import Signup

STEPS = 150
RATE = 0.08
STRENGTH = 0.001
"""How dear it is for a weight to leave what it was taken to be (ridge): mails of a few products may correct what is
known of sign-up mail, and not overturn it."""

ACCOUNT = ("verification", "welcome", "one_time_code", "password_reset", "security_notice")
ASKING = ("verification", "one_time_code", "password_reset", "newsletter_confirmation", "invitation")
BULK = ("newsletter", "account_activity")

FOR: Mapping[str, tuple[str, ...]] = {
    "verify": ("verification", "newsletter_confirmation"),
    "finish": ("verification", "newsletter_confirmation"),
    "thanks": ("welcome", "verification", "newsletter_confirmation"),
    "welcome": ("welcome", "verification"),
    "created": ("welcome", "verification"),
    "registered": ("verification", "welcome", "newsletter_confirmation"),
    "disclaim": (*ACCOUNT, "newsletter_confirmation", "invitation"),
    "code": ("one_time_code", "verification", "password_reset"),
    "secret": ("one_time_code", "verification"),
    "expires": ASKING,
    "press": ASKING,
    "login": ("one_time_code", "security_notice", "welcome"),
    "reset": ("password_reset", "security_notice"),
    "security": ("security_notice",),
    "existing": ("security_notice",),
    "invite": ("invitation",),
    "subscribe": ("newsletter_confirmation",),
    "newsletter": (*BULK,),
    "unsubscribe": (*BULK, "newsletter_confirmation"),
    "promo": ("newsletter",),
    "order": ("account_activity",),
    "social": ("account_activity", "invitation"),
    "start": ("welcome",),
    "credentials": ("welcome", "verification"),
    "trial": ("welcome",),
    "automatic": ACCOUNT,
    "member": (*ACCOUNT, *BULK, "newsletter_confirmation", "invitation"),
    "address": (*ACCOUNT, "newsletter_confirmation"),
    "number": ("one_time_code", "verification"),
    "label": ("newsletter",),
    "near": ("one_time_code", "verification", "password_reset"),
    "alone": ("one_time_code", "verification"),
    "noreply": KINDS,
    "accounts": ACCOUNT,
    "role": (*ACCOUNT, *BULK, "newsletter_confirmation"),
    "auto": ACCOUNT,
    "platform": KINDS,
    "header:unsubscribe": BULK,
    "one-click": BULK,
    "list": ("newsletter",),
    "short": ACCOUNT,
    "many": ("newsletter", "account_activity"),
    "button": KINDS,
    "own": KINDS,
    "token": ("verification", "password_reset", "newsletter_confirmation", "invitation", "one_time_code"),
    "link:verify": ("verification", "newsletter_confirmation"),
    "link:verify+token": ("verification", "newsletter_confirmation"),
    "link:register": ("verification", "welcome", "invitation", "newsletter_confirmation"),
    "link:register+token": ("verification", "invitation", "newsletter_confirmation", "welcome"),
    "link:reset": ("password_reset",),
    "link:reset+token": ("password_reset", "welcome"),
    "link:login": ("welcome", "one_time_code", "security_notice"),
    "link:login+token": ("one_time_code",),
    "link:invite": ("invitation",),
    "link:invite+token": ("invitation",),
    "link:unsubscribe": BULK,
    "service:account": KINDS,
    "service:notify": ("account_activity", "invitation", "security_notice"),
    "service:promo": BULK,
    "service:any": KINDS,
    "both:verify": ("verification",),
    "both:reset": ("password_reset",),
    "both:code": ("one_time_code", "verification"),
    "both:welcome": ("welcome",),
    "both:registered": ("verification",),
    "both:login": ("one_time_code",),
    "both:subscribe": ("newsletter_confirmation",),
    "both:newsletter": BULK,
    "both:invite": ("invitation",),
    "both:reset-code": ("password_reset",),
    "both:code-only": ("one_time_code",),
    "both:account": ("welcome",),
    "both:existing": ("security_notice",),
    "setpassword": ("welcome", "password_reset"),
}
"""Which kinds a feature may speak for: by its whole name, else by what is behind the colon."""

AGAINST = frozenset(
    "body:official subject:official body:meeting subject:meeting body:training subject:training body:business "
    "subject:business body:ticket subject:ticket body:invoice subject:invoice body:monitor subject:monitor "
    "body:colleague subject:colleague body:forwarded body:discussed subject:discussed body:confirm_other "
    "subject:confirm_other body:quoted subject:answer from:person from:personal header:discussion header:thread "
    "header:many header:calendar header:files size:long service:corporate link:none".split()
)
"""What speaks against every kind, and for none."""


START = -4.5
"""What a mail starts with: about one in a hundred is sign-up mail of a kind before anything is known of it."""

SURE: Mapping[str, float] = {
    "body:existing": 2.0,
    "subject:label": 2.5,
    "both:reset-code": 3.0,
    "both:code-only": 3.0,
    "both:account": 3.5,
    "both:existing": 2.5,
    "both:reset": 1.5,
    "both:subscribe": 1.8,
    "body:promo": 1.3,
    "header:discussion": -2.0,
    "header:thread": -1.0,
    "header:calendar": -2.0,
    "header:files": -1.0,
    "header:many": -0.7,
    "subject:answer": -2.5,
    "body:forwarded": -2.5,
    "body:quoted": -1.0,
    "from:person": -0.7,
}
"""Weights known beforehand better than by the rules below."""

MOST = {"body": 2.5, "subject": 2.5, "press": 1.5, "both": 4.5, "code": 2.0}
MOST_OF_FORM = 1.0
"""The greatest weight of a feature: what a mail says counts more than what it looks like (headers, links, length)."""


@dataclass(frozen=True, slots=True)
class Design:
    """Which weights there are, (kind, feature) pairs that may be positive and features that may be negative, and what
    each is taken to be before the mails are looked at."""

    rows: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, features: Iterable[str]) -> Design:
        """The design of these features; one that no rule names has no weight."""
        rows = {}
        for feature in sorted(features):
            kinds = FOR.get(feature) or FOR.get(feature.partition(":")[2])
            if feature in AGAINST:
                rows[feature] = (-1,)
            elif kinds:
                rows[feature] = tuple(KINDS.index(kind) for kind in KINDS if kind in kinds)
        return cls(rows)

    def prior(self, feature: str, kind: int) -> float:
        """What a weight is taken to be: much where the mail says what the kind is about, little elsewhere."""
        if feature in SURE:
            return SURE[feature]
        if kind < 0:
            return -0.6
        where, _, what = feature.partition(":")
        if where in ("subject", "body", "press", "code", "both") and (what in SAID[KINDS[kind]] or where == "both"):
            return {"subject": 1.3, "body": 0.9, "press": 0.6}.get(where, 1.0)
        return 0.3


def fit(corpus: Path) -> str:
    """Write the weights, and tell how well weights fitted without a source do on that source."""
    signup = Signup()
    found = samples(corpus, signup)
    left_out = cross_validated(found)
    temperature = calibrated(found, left_out)
    model = fitted(found)
    WEIGHTS.write_text(written(Model(model.bias, model.weights, temperature)), encoding="utf-8")
    scored = [(sample, left_out[at].judge(sample.values)) for at, sample in enumerate(found)]
    positive = [(sample, judged) for sample, judged in scored if sample.kind]
    hits = sum(judged.confidence >= signup.minimum for _, judged in positive)
    right = sum(judged.kind == sample.kind for sample, judged in positive if judged.confidence >= signup.minimum)
    false = sum(judged.confidence >= signup.minimum for sample, judged in scored if not sample.kind)
    negative = len(scored) - len(positive)
    return (
        f"signup: {len(found)} mails, {len(model.weights)} features; on sources left out: "
        f"found {hits} of {len(positive)}, of the right kind {right}; false alarms {false} of {negative}; "
        f"temperature {temperature:.2f}"
    )


def cross_validated(found: Sequence[Sample]) -> list[Model]:
    """For each mail, the model that was fitted without the mails of its source."""
    models = {source: fitted([each for each in found if each.source != source]) for source in {s.source for s in found}}
    return [models[sample.source] for sample in found]


def fitted(found: Sequence[Sample]) -> Model:
    """The weights that make the labels of the mails likeliest (multinomial logistic regression, ridge, Adam), within
    the design."""
    design = Design.of({feature for sample in found for feature in sample.values})
    slots: dict[tuple[str, int], int] = {}
    for feature, kinds in design.rows.items():
        for kind in kinds:
            slots[feature, kind] = len(slots)
    count = len(KINDS)
    prior = [design.prior(feature, kind) for feature, kind in slots]
    most = [MOST.get(feature.partition(":")[0], MOST_OF_FORM) for feature, _ in slots]
    weights = list(prior)
    bias = [START] * count
    rows = [
        (
            [(kind, slots[feature, kind], value) for feature, value in values for kind in design.rows.get(feature, ())],
            KINDS.index(label) if label else -1,
            weight,
            [not said & SAID[kind] for kind in KINDS],
        )
        for (label, values), weight in _alike(found).items()
        for said in [said_in(feature for feature, _ in values)]
    ]
    against = {slot for (_, kind), slot in slots.items() if kind < 0}
    total = sum(weight for _, _, weight, _ in rows)
    first, second = [0.0] * (len(weights) + count), [0.0] * (len(weights) + count)
    for step in range(1, STEPS + 1):
        slope = [STRENGTH * (weight - before) for weight, before in zip(weights, prior, strict=True)] + [
            STRENGTH * (each - START) for each in bias
        ]
        for active, label, weight, unsaid in rows:
            sums = list(bias)
            shared = 0.0
            for kind, slot, value in active:
                if kind < 0:
                    shared += weights[slot] * value
                else:
                    sums[kind] += weights[slot] * value
            high = max(0.0, max(sums) + shared)
            odds = [
                0.0 if silent else math.exp(each + shared - high) for each, silent in zip(sums, unsaid, strict=True)
            ]
            whole = sum(odds) + math.exp(-high)
            errors = [
                0.0 if unsaid[at] else weight / total * (each / whole - (at == label)) for at, each in enumerate(odds)
            ]
            all_errors = sum(errors)
            for kind, slot, value in active:
                slope[slot] += (all_errors if kind < 0 else errors[kind]) * value
            for at, error in enumerate(errors):
                slope[len(weights) + at] += error
        for at, each in enumerate(slope):
            first[at] = 0.9 * first[at] + 0.1 * each
            second[at] = 0.99 * second[at] + 0.01 * each * each
            move = RATE * (first[at] / (1 - 0.9**step)) / (math.sqrt(second[at] / (1 - 0.99**step)) + 1e-9)
            if at < len(weights):
                moved = weights[at] - move
                weights[at] = min(moved, 0.0) if at in against else min(max(moved, 0.0), most[at])
            else:
                bias[at - len(weights)] -= move
    table: dict[str, tuple[float, ...]] = {}
    for feature, kinds in design.rows.items():
        row = [0.0] * count
        for kind in kinds:
            value = round(weights[slots[feature, kind]], 2)
            row = [value] * count if kind < 0 else [*row[:kind], value, *row[kind + 1 :]]
        if any(row):
            table[feature] = tuple(row)
    return Model(tuple(round(each, 2) for each in bias), table)


def _alike(found: Iterable[Sample]) -> Mapping[tuple[str, tuple[tuple[str, float], ...]], float]:
    """Mails with the same features count as one, with the weight of all."""
    together: dict[tuple[str, tuple[tuple[str, float], ...]], float] = {}
    for sample in found:
        key = (sample.kind, tuple(sorted(sample.values.items())))
        together[key] = together.get(key, 0.0) + sample.weight
    return together


def calibrated(found: Sequence[Sample], models: Sequence[Model]) -> float:
    """The temperature at which the confidences of left-out mails are likeliest (Guo and others, 2017)."""

    def loss(temperature: float) -> float:
        total = 0.0
        for sample, model in zip(found, models, strict=True):
            confidence = Model(model.bias, model.weights, temperature).judge(sample.values).confidence
            total -= sample.weight * math.log(max(confidence if sample.kind else 1 - confidence, 1e-9))
        return total

    return min((round(0.4 + 0.1 * step, 1) for step in range(30)), key=loss)


def written(model: Model) -> str:
    """The table as text."""
    width = max(map(len, model.weights)) + 2
    head = "feature".ljust(width) + "".join(kind.rjust(len(kind) + 2) for kind in KINDS)
    lines = [
        "# The weights of the model: what each feature adds for each kind of mail. Fitted by `make model`.",
        "# A mail is sign-up mail where the sum of one kind comes out above nothing (0). Features: features.py.",
        f"temperature {model.temperature}",
        head,
        *(_line(feature.ljust(width), row) for feature, row in [("bias", model.bias), *sorted(model.weights.items())]),
    ]
    return "\n".join(lines) + "\n"


def _line(feature: str, row: Sequence[float]) -> str:
    return feature + "".join(
        (f"{each:.2f}" if each else ".").rjust(len(kind) + 2) for kind, each in zip(KINDS, row, strict=True)
    )
