"""How a text reads: letters that nobody learnt from, the model's file, and what lexicons and model say together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters._content.lexicon import Lexicon
from filters._content.model import LONGEST, PAGE, PAGES, Impression, Model, load_model, pages, written
from filters._content.opinions import opinions
from filters._content.weighing import Score
from filters.content import Content
from gateway.reading import Text, Zone

UNSEEN = Path(__file__).with_name("content_unseen")
"""Letters by somebody who had not seen the lexicons, and of which the model has learnt nothing: a file a category."""

FILTER = Content()

MODEL = Model(
    ("gambling", "fraud"),
    (-1.0, -1.0),
    tag=0.5,
    rarity={"keo": 50.0, "keo_thom": 80.0, "hop": 50.0},
    weights={"keo": {0: 2.0}, "keo_thom": {0: 3.0}, "hop": {-1: 3.0}},
)


def unseen() -> Iterator[tuple[str, str]]:
    for path in sorted(UNSEEN.glob("*.txt")):
        for letter in path.read_text(encoding="utf-8").split("\n---\n"):
            yield path.stem, letter.strip()


def test_most_unseen_letters_are_found_and_few_ordinary_ones_taken_for_them() -> None:
    letters, flagged = Counter[bool](), Counter[bool]()
    for category, letter in unseen():
        found = [one for one in FILTER.opinions(Text(place="1", zone=Zone.BODY, content=letter)) if one.value >= 1]
        letters[category != "ordinary"] += 1
        flagged[category != "ordinary"] += any(one.category != "private-business" for one in found)
    assert letters == {True: 137, False: 120}
    assert flagged[True] >= 0.8 * letters[True]
    assert flagged[False] <= 0.05 * letters[False]


@pytest.mark.parametrize(
    ("text", "category", "words"),
    [
        ("keo thom toi nay", "gambling", ("keo_thom", "keo")),
        ("hop giao ban, keo dan", "gambling", ("keo", "hop")),
        ("chi thi cua bo", "", ()),
        ("", "", ()),
    ],
)
def test_impression_is_that_of_the_words_that_are_known(text: str, category: str, words: tuple[str, ...]) -> None:
    impression = MODEL.impression(text)
    assert (impression.category, impression.words) if impression else (category, words) == ("", ())


def test_a_long_harmless_text_dilutes_no_page() -> None:
    alone = MODEL.impression("keo thom " * 5)
    behind = MODEL.impression("hop " * PAGE + "keo thom " * 5)
    assert alone is not None
    assert behind is not None
    assert behind.odds == alone.odds


@given(st.text(max_size=3000))
def test_pages_are_few_and_never_fail(text: str) -> None:
    assert len(list(pages(text))) <= PAGES


def test_only_so_much_of_a_text_is_looked_at() -> None:
    text = "x " * LONGEST + "keo thom"
    assert MODEL.impression(text) is None


def lexicon_score(value: float, category: str = "gambling") -> Score:
    lexicon = Lexicon(category=category, title="", clause=(), flag=1.0, trade=0.0, reporting=0.0, groups=())
    return Score(lexicon, value, (), 0.0, 0.0)


@pytest.mark.parametrize(
    ("why", "phrases", "impression", "reported"),
    [
        ("strong phrases count however it reads", 2.5, Impression("gambling", -9.0, ()), ["gambling"]),
        ("weak phrases do not where it reads like ordinary mail", 1.5, Impression("gambling", -6.0, ()), []),
        ("a text that reads like it needs no phrase", 0.0, Impression("gambling", 0.5, ()), ["gambling"]),
        ("phrases help what reads nearly like it", 1.0, Impression("gambling", -0.2, ()), ["gambling"]),
        (
            "weak phrases beside another category that is found",
            1.2,
            Impression("fraud", 3.0, ()),
            ["fraud", "gambling"],
        ),
        ("weak phrases of a text without a known word", 1.2, None, ["gambling"]),
    ],
)
def test_phrases_and_impression_are_weighed_together(
    why: str, phrases: float, impression: Impression | None, reported: list[str]
) -> None:
    scores = [lexicon_score(phrases)] if phrases else []
    found = [one.category for one in opinions(scores, impression, MODEL) if one.value >= 1]
    assert sorted(found) == reported, why


def test_what_the_model_has_not_learnt_counts_by_phrases_alone() -> None:
    [one] = opinions([lexicon_score(1.1, "superstition")], None, MODEL)
    assert (one.category, one.value) == ("superstition", 1.1)


def test_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "weights.txt"
    path.write_text(written(MODEL), encoding="utf-8")
    assert load_model(path) == MODEL


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("(categories) a\n(biases) 0\n(tag) x\n", "line 3"),
        ("(categories) a\n(biases) 0\n(tag) 1\nword\n", "line 4"),
        ("(categories) a\n(biases) 0\n(tag) 1\nword 1 b=2\n", "line 4"),
        ("(categories) a b\n(biases) 0\n(tag) 1\n", "a bias for each"),
        ("(categories) a\n(biases) 0\n", "a tag"),
    ],
)
def test_a_file_that_is_no_model_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=problem):
        load_model(path)


def test_findings_say_what_spoke_and_where() -> None:
    letters = [letter for category, letter in unseen() if category == "gambling"]
    said = [
        one
        for letter in letters
        for one in FILTER.opinions(Text(place="1", zone=Zone.BODY, content=letter))
        if one.value >= 1 and one.impression is not None
    ]
    assert said
    assert all(one.impression and one.impression.words for one in said)
