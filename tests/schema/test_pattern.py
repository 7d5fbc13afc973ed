"""Patterns: RE2, so that no pattern and no text takes more than linear time."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.schema.pattern import PATTERN_LIMIT, Pattern

SEARCHES = {
    "anywhere in the text": ("b+", "abbbc", True),
    "not there": ("x", "abc", False),
    "blind to case, with Vietnamese": ("(?i)đấu thầu", "GÓI ĐẤU THẦU", True),
    "a pattern that ruins other engines": ("(a+)+$", "a" * 50_000 + "!", False),
}


@pytest.mark.parametrize(("source", "text", "found"), SEARCHES.values(), ids=SEARCHES)
def test_search(source: str, text: str, found: bool) -> None:
    assert Pattern(source).search(text) is found


REFUSED = {
    "an open bracket": ("a(", "missing \\)"),
    "a look ahead": ("a(?!b)", "invalid perl operator"),
    "a backward reference": (r"(a)\1", "invalid escape sequence"),
    "more memory than there is": ("(((a{30}){30}){30})", "invalid repetition size"),
    "more characters than there are": ("a" * (PATTERN_LIMIT + 1), "at most 4096 characters"),
}


@pytest.mark.parametrize(("source", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(source: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Pattern(source)


def test_patterns_are_equal_by_their_text_and_survive_pickling() -> None:
    assert Pattern("a") == Pattern("a") != Pattern("b")
    assert pickle.loads(pickle.dumps(Pattern("a+"))) == Pattern("a+")
    assert str(Pattern("a+")) == "a+"


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text("a(){}[]*+?|\\^$.,0123456789:P<>"))
def test_any_text_is_a_pattern_or_a_valueerror(source: str) -> None:
    try:
        pattern = Pattern(source)
    except ValueError:
        return
    pattern.search(source)
