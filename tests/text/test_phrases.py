"""Phrases: whole words only, all of them, with their values and places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.text.folding import plain, toned
from gateway.text.phrases import Phrases
from gateway.text.squeezing import squeezed

PHRASES = Phrases([("cờ bạc", "gambling"), ("bạc", "silver"), ("C++", "language"), ("cá độ bóng đá", "bets")])
CASES = {
    "one in another": ("Cờ bạc!", ["gambling", "silver"]),
    "without diacritics": ("choi co bac", ["gambling", "silver"]),
    "across a line": ("cá độ\nbóng  đá", ["bets"]),
    "part of a word": ("bạch, cobac, bacon", []),
    "a phrase that ends in signs": ("viết bằng C++.", ["language"]),
    "beside digits": ("bac2 2bac", []),
    "at both ends": ("bạc", ["silver"]),
    "in an address": ("co-bac.vn", ["silver"]),
    "nothing": ("", []),
}


@pytest.mark.parametrize(("text", "values"), CASES.values(), ids=CASES)
def test_search(text: str, values: list[str]) -> None:
    assert sorted(hit.value for hit in PHRASES.search(plain(text))) == sorted(values)


def test_tones_count_where_they_are_asked_for() -> None:
    phrases = Phrases([("mật", 1)], toned)
    assert [hit.value for hit in phrases.search(toned("độ MẬT, mắt"))] == [1]


@pytest.mark.parametrize("text", ["Kỹ thuật quý", "kĩ thuật quí", "ky thuat qui"])
def test_i_and_y(text: str) -> None:
    assert [hit.value for hit in Phrases([("kĩ thuật quý", 1)]).search(plain(text))] == [1]


def test_two_phrases_that_fold_alike_are_both_found() -> None:
    assert [hit.value for hit in Phrases([("bác", 1), ("bạc", 2)]).search(plain("bac"))] == [1, 2]


def test_a_phrase_of_nothing_is_never_found() -> None:
    assert list(Phrases([("", 1), ("\u200b", 2)]).search(plain("abc"))) == []


APART = Phrases([("cờ bạc", 1), ("đăng ký", 2), ("cá cược", 3)], squeezed)
SQUEEZED = {
    "letters apart": ("c ờ b ạ c", [1]),
    "between other words": ("mời chơi c.ờ.b.ạ.c nhé", [1]),
    "two phrases apart": ("c o b a c, đ ă n g  k ý", [1, 2]),
    "digits": ("d4ng ky", [2]),
    "as usual": ("cờ bạc", [1]),
    "words that run together otherwise": ("các ước mơ", []),
    "in one word, which nobody put together here": ("cobac", []),
    "part of letters apart": ("x c o b a c x", [1]),
}


@pytest.mark.parametrize(("text", "values"), SQUEEZED.values(), ids=SQUEEZED)
def test_search_in_squeezed_text(text: str, values: list[int]) -> None:
    assert sorted({hit.value for hit in APART.search(squeezed(text))}) == values


@given(
    st.lists(st.text(st.sampled_from("ab "), min_size=1, max_size=4), max_size=5),
    st.text(st.sampled_from("ab c"), max_size=40),
)
def test_as_a_plain_search_would_find(phrases: list[str], text: str) -> None:
    folded = plain(text)
    expected = set()
    for number, phrase in enumerate(phrases):
        words = plain(phrase).text.strip()
        for start in range(len(folded.text)) if words else ():
            stop = start + len(words)
            around = folded.text[start - 1 : start] if start else "", folded.text[stop : stop + 1]
            if folded.text.startswith(words, start) and not any(each.isalnum() for each in around):
                expected.add((start, stop, number))
    hits = Phrases([(phrase, number) for number, phrase in enumerate(phrases)]).search(folded)
    assert {(hit.start, hit.stop, hit.value) for hit in hits} == expected


PAIRS = [("cờ bạc", 1), ("đăng ký", 2), ("a", 3), ("C++", 4), ("中", 5), ("ma túy", 6), ("€ 5", 7), ("bạc", 8)]
SOME = st.lists(
    st.sampled_from("cờ bạc|c ờ b ạ c|co bac|c0 b4c|đ.ă.n.g ký|dang ky|a|中|€ 5|ma*tuy|x|, |\n|C++|b a c".split("|")),
    max_size=12,
)


@given(SOME.map(" ".join) | SOME.map("".join), st.integers(0, 20), st.integers(0, 60))
def test_a_stretch_has_what_is_wholly_in_it(text: str, start: int, stop: int) -> None:
    phrases, folded = Phrases(PAIRS), plain(text)
    inside = [hit for hit in phrases.search(folded) if start <= hit.start and hit.stop <= stop]
    assert list(phrases.search(folded, start, stop)) == inside


@given(SOME.map(" ".join) | SOME.map("".join))
def test_where_something_was_undone(text: str) -> None:
    """Where nothing was, the phrases of squeezed text are those of plain text."""
    folded, phrases = squeezed(text), Phrases(PAIRS, squeezed)
    touched = [hit for hit in phrases.search(folded) if any(folded.undone[hit.start : hit.stop + 1])]
    assert sorted(phrases.undone(folded)) == sorted(touched)


def test_where_nothing_was_undone() -> None:
    assert list(Phrases(PAIRS, squeezed).undone(squeezed("cờ bạc, đăng ký"))) == []


def test_phrases_of_rare_characters_come_in_their_order() -> None:
    assert [hit.value for hit in Phrases(PAIRS).search(plain("a 中 cờ bạc € 5 a"))] == [3, 5, 1, 8, 7, 3]
