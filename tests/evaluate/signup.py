"""Sign-up mail: how much of it the filter finds, of which kind, and what it takes for it and is none.

Two figures stand side by side. "Left out": the weights are fitted again without the product whose mail is scored, so
that no mail of a product is on both sides. "Shipped": the weights that come with the program. Each text of a product
counts once in each language, however often the corpus has it.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scoring import Score

ROOT = Path(__file__).parent.parent.parent
sys.path.append(str(ROOT / "deploy" / "model"))

from signup_letters import RECIPIENT, letters  # noqa: E402
from signup_samples import KIND_OF, Sample, mail_of, samples  # noqa: E402
from signup_weights import cross_validated  # noqa: E402

from filters._signup.model import Model, load_model  # noqa: E402
from filters.signup import Signup  # noqa: E402

LETTERS = ROOT / "tests" / "filters" / "signup_letters"

WANTED: tuple[tuple[str, str, float], ...] = (
    ("signup vi", "found", 0.95),
    ("signup en", "found", 0.95),
    ("signup other languages", "found", 0.90),
    ("variants other", "found", 0.95),
    ("variants charset, viqr, zero-width, homoglyph", "found", 0.85),
    ("hardneg", "false", 0.01),
    ("hardneg government portals", "false", 0.05),
    ("vi_text", "false", 0.005),
    ("spamham ham", "false", 0.005),
)
"""What must hold: of these rows at least so much is found, or at most so much falsely."""

_HARD = ("tcvn", "viscii", "viqr", "zero", "homoglyph")


@dataclass(frozen=True, slots=True)
class Case:
    """One mail: the row it counts in, the text it is of, its kind ("" for none), what it was taken for."""

    row: str
    text: str
    kind: str
    got: str


def score(corpus: Path) -> Score:
    """Scores the corpus, and the letters that no weight was fitted to."""
    signup = Signup()
    found = samples(corpus, signup)
    left_out = dict(zip(map(id, found), cross_validated(found), strict=True))
    shipped = load_model()
    rows: dict[str, dict[str, list[Case]]] = {}
    for title, cases in (
        ("left out", list(_cases(found, signup, lambda each: left_out[id(each)]))),
        ("shipped", [*_cases(found, signup, lambda _: shipped), *_others(corpus, signup), *_letters(signup)]),
    ):
        for case in cases:
            rows.setdefault(case.row, {}).setdefault(title, []).append(case)
    table = [(row, *_figures(by_title)) for row, by_title in sorted(rows.items())]
    missed = [
        f"{row}: {figure} {share:.3f}, wanted {wanted}"
        for row, figure, wanted in WANTED
        if row in rows
        for share in [_share(next(iter(rows[row].values())))]
        if (share < wanted if figure == "found" else share > wanted)
    ]
    return Score(
        title="Sign-up mail",
        columns=(
            "what",
            "mails",
            "texts",
            "flagged, left out",
            "of the right kind",
            "flagged, shipped",
            "of the right kind",
        ),
        rows=tuple(table),
        note="; ".join(missed) or "Everything that is wanted holds.",
        holds=not missed,
    )


def _cases(found: Iterable[Sample], signup: Signup, model: Callable[[Sample], Model]) -> Iterator[Case]:
    for sample in found:
        if sample.group == "ambiguous":
            continue
        judged = model(sample).judge(sample.values)
        got = judged.kind if judged.confidence >= signup.minimum else ""
        yield Case(_row(sample.group, sample.language), sample.name, sample.kind, got)


def _row(group: str, language: str) -> str:
    if group == "signup":
        return f"signup {language}" if language in ("vi", "en") else "signup other languages"
    return "spamham ham" if group == "spamham" else f"our letters (fitted), {group}" if group == "letters" else group


def _others(corpus: Path, signup: Signup) -> Iterator[Case]:
    """What no weight is fitted to: mail in disguise, and portals of the State, which the sender tells apart."""
    for entry in _manifest(corpus):
        category = str(entry.get("category", ""))
        if entry["group"] == "variants" and category != "attached_rfc822":
            hard = any(word in category for word in _HARD)
            row = "variants charset, viqr, zero-width, homoglyph" if hard else "variants other"
            kind = KIND_OF.get(str(entry.get("kind", "")), "?")
        elif category == "gov_portal_same_words":
            row, kind = "hardneg government portals", ""
        else:
            continue
        mail = mail_of((corpus / entry["file"]).read_bytes(), entry.get("rcpt") or RECIPIENT)
        yield Case(row, entry["file"], kind, _got(signup, mail))


def _letters(signup: Signup) -> Iterator[Case]:
    for letter in letters(LETTERS):
        row = f"our letters, not fitted, {'services' if letter.kind else 'work'} {letter.language[:2]}"
        if letter.language not in ("vi", "en"):
            row = f"our letters, not fitted, {'services' if letter.kind else 'work'} other languages"
        yield Case(row, letter.name, letter.kind, _got(signup, mail_of(letter.mail(), RECIPIENT)))


def _got(signup: Signup, mail: Any) -> str:
    return next((finding.code for finding in signup.inspect(mail)), "")


def _figures(by_title: dict[str, list[Case]]) -> tuple[object, ...]:
    some = next(iter(by_title.values()))
    figures: list[object] = [len(some), len({case.text for case in some})]
    for title in ("left out", "shipped"):
        cases = by_title.get(title, [])
        figures += [f"{_share(cases):.1%}", _kinds(cases)] if cases else ["", ""]
    return tuple(figures)


def _share(cases: list[Case]) -> float:
    """The share of texts that were flagged, each text once."""
    texts: dict[str, list[bool]] = defaultdict(list)
    for case in cases:
        texts[case.text].append(bool(case.got))
    return sum(sum(each) / len(each) for each in texts.values()) / max(len(texts), 1)


def _kinds(cases: list[Case]) -> str:
    flagged = [case for case in cases if case.got and case.kind not in ("", "?")]
    return f"{sum(case.got == case.kind for case in flagged) / len(flagged):.1%}" if flagged else ""


def _manifest(corpus: Path) -> Iterator[dict[str, Any]]:
    return map(json.loads, (corpus / "manifest.jsonl").read_text(encoding="utf-8").splitlines())
