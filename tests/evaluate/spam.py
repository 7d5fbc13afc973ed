"""Spam: how much of it the embedded classifier finds, and what it takes for spam and is none.

"Held back" is the third of the corpus that weights fitted for this purpose never saw, their threshold "
"neither. "Shipped"
are the weights that come with the program, which were fitted on all of it. The curve (build/spam-roc.svg) shows for the
third how much spam is found for each share of wanted mail that is taken for it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from scoring import Score

ROOT = Path(__file__).parent.parent.parent
sys.path.append(str(ROOT / "deploy" / "model"))

from spam_samples import Sample, samples  # noqa: E402
from spam_weights import FALSE, proved  # noqa: E402

from filters._spam.model import load_model  # noqa: E402

CURVE = ROOT / "build" / "spam-roc.svg"

RECALL = 0.97
"""The share of spam of the third that must be found, with at most FALSE of its wanted mail."""

SIDE, MARGIN = 400, 60
FALSE_SHOWN = 0.05
"""The share of wanted mail up to which the curve is drawn: beyond it nobody would use a filter."""


def score(corpus: Path) -> Score:
    """Scores the corpus."""
    found = samples(corpus)
    proof = proved(found)
    shipped = load_model()
    rows: list[tuple[object, ...]] = []
    for kind in sorted({sample.kind for sample in found}):
        held = [(sample, total > proof.tag) for sample, total in proof.scored if sample.kind == kind]
        whole = [shipped.total(sample.features) > shipped.tag for sample in found if sample.kind == kind]
        share = sum(tagged for _, tagged in held) / max(len(held), 1)
        rows.append((kind, len(held), sum(tagged for _, tagged in held), f"{share:.2%}", len(whole), sum(whole)))
    (hits, spam), (false, ham) = proof.share(spam=True), proof.share(spam=False)
    CURVE.parent.mkdir(exist_ok=True)
    CURVE.write_text(curve(proof.scored, (false / ham, hits / spam)), encoding="utf-8")
    return Score(
        title="Spam, by the embedded classifier",
        columns=("mail", "held back", "tagged", "share", "all", "tagged (shipped)"),
        rows=tuple(rows),
        note=f"held back: found {hits} of {spam}, false {false} of {ham}; the curve is {CURVE.relative_to(ROOT)}",
        holds=hits >= RECALL * spam and false <= FALSE * ham,
    )


def curve(scored: Sequence[tuple[Sample, float]], chosen: tuple[float, float]) -> str:
    """The receiver operating characteristic as SVG, and on it the (false, found) of the threshold in use."""
    wanted = sorted((total for sample, total in scored if not sample.spam), reverse=True)
    spam = [total for sample, total in scored if sample.spam]
    steps = [(at / len(wanted), sum(total > limit for total in spam) / len(spam)) for at, limit in enumerate(wanted)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(_place, steps) if x <= MARGIN + SIDE)
    dot = _place(chosen)
    marks = [
        f'<text x="{_place((x, 0))[0]:.0f}" y="{MARGIN + SIDE + 18}" text-anchor="middle">{x:.0%}</text>'
        for x in (0.0, 0.01, 0.02, 0.03, 0.04, 0.05)
    ]
    marks += [
        f'<text x="{MARGIN - 8}" y="{_place((0, y))[1] + 4:.0f}" text-anchor="end">{y:.0%}</text>'
        for y in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIDE + 2 * MARGIN}" height="{SIDE + 2 * MARGIN}" '
            'font-family="sans-serif" font-size="12">',
            f'<rect x="{MARGIN}" y="{MARGIN}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#999"/>',
            *marks,
            f'<polyline points="{line}" fill="none" stroke="#005ea2" stroke-width="2"/>',
            f'<circle cx="{dot[0]:.1f}" cy="{dot[1]:.1f}" r="5" fill="#b50909"/>',
            f'<text x="{dot[0] + 10:.0f}" y="{dot[1] + 16:.0f}">in use: {chosen[1]:.1%} at {chosen[0]:.2%}</text>',
            f'<text x="{MARGIN + SIDE / 2}" y="{MARGIN + SIDE + 42}" text-anchor="middle">'
            f"wanted mail taken for spam (of {len(wanted)})</text>",
            f'<text x="16" y="{MARGIN + SIDE / 2}" text-anchor="middle" '
            f'transform="rotate(-90 16 {MARGIN + SIDE / 2})">spam found (of {len(spam)})</text>',
            "</svg>\n",
        ]
    )


def _place(point: tuple[float, float]) -> tuple[float, float]:
    """Where a share of wanted mail and one of spam are in the picture, which begins at one half of the spam."""
    return MARGIN + SIDE * point[0] / FALSE_SHOWN, MARGIN + SIDE * (1 - max(point[1] - 0.5, 0) * 2)
