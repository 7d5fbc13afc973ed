"""Folding: the same words in other writings are the same, and every place leads back to where it was written."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.text.folding import Folded, plain, toned
from gateway.text.squeezing import squeezed

BOTH = {
    "capitals": ("CỘNG HÒA", "cộng hòa", "cong hoa"),
    "decomposed": (unicodedata.normalize("NFD", "Việt Nam"), "việt nam", "viet nam"),
    "half composed": ("Viê\u0323t", "việt", "viet"),
    "a zero-width character between a letter and its mark": ("e\u200d\u0302\u0323", "ệ", "e"),
    "both ways to place a tone": (
        "hoà thuý loè hòa thúy lòe",
        "hòa thúy lòe hòa thúy lòe",
        "hoa thuy loe hoa thuy loe",
    ),
    "a tone that has one place only": ("hoàn quý hoài", "hoàn quý hoài", "hoan quy hoai"),
    "đ in three scripts": ("đảng Ðảng ðảng Đảng", "đảng đảng đảng đảng", "dang dang dang dang"),
    "zero-width, soft hyphen, bidi, tags, variation": ("c\u200bờ\u00ad b\u202eạ\U000e0041\ufe0fc", "cờ bạc", "co bac"),
    "Cyrillic letters that look Latin": ("сờ bạс НОС", "cờ bạc hoc", "co bac hoc"),
    "Greek letters that look Latin": ("ΜΑΤ", "mat", "mat"),
    "a mark on a Cyrillic letter": ("о\u0300", "ò", "o"),
    "fullwidth, mathematical, circled, squared": ("Ｃ𝐨 ⓑ🅐🄲", "co bac", "co bac"),
    "small capitals": ("ᴄᴏ ʙᴀᴄ", "co bac", "co bac"),
    "a ligature": ("ﬁn", "fin", "fin"),
    "marks that belong to no letter here": ("c\u0336o\u0335 b\u20e0ac", "co bac", "co bac"),
    "spaces of all kinds": ("a\u00a0b\u3000c \t\r\n d\u2028e", "a b c d e", "a b c d e"),
    "curly quotation marks and dashes": ("“a” ‘b’ – c…", "\"a\" 'b' - c.", "\"a\" 'b' - c."),
    "control characters": ("a\x00b\x07c", "abc", "abc"),
    "Chinese stays": ("这是 测试", "这是 测试", "这是 测试"),
    "Korean, composed and not": (unicodedata.normalize("NFD", "한국") + "한국", "한국한국", "한국한국"),
    "nothing": ("", "", ""),
    "French": ("Été à l’œuvre ÇA", "été à l'œuvre ça", "ete a l'œuvre ca"),
}


@pytest.mark.parametrize(("text", "with_tones", "without"), BOTH.values(), ids=BOTH)
def test_forms(text: str, with_tones: str, without: str) -> None:
    assert toned(text).text == with_tones
    assert plain(text).text == without


def test_words_that_differ_by_a_tone_only() -> None:
    assert len({toned(word).text for word in ("mật", "mặt", "mắt", "mát", "mạt")}) == 5
    assert len({plain(word).text for word in ("mật", "mặt", "mắt", "mát", "mạt")}) == 1


WRITTEN = {
    "letters apart": ("c ờ b ạ c", "cobac"),
    "letters apart with signs": ("c.ờ-b*ạ c", "cobac"),
    "partly apart": ("cờ b ạ c", "cobac"),
    "a sign within words": ("ma*túy", "matuy"),
    "digits for letters": ("c0 b4c", "co bac"),
    "signs for letters": ("c@sin0 m@ túy", "casino ma tuy"),
    "repeated letters": ("cờờờ bạạạc", "co bac"),
    "numbers stay numbers": ("số 2025 và 40", "so 2025 va 40"),
    "two single letters are no writing apart": ("phụ lục a b", "phu luc a b"),
}


@pytest.mark.parametrize(("text", "undone"), WRITTEN.values(), ids=WRITTEN)
def test_squeezed(text: str, undone: str) -> None:
    assert squeezed(text).text == undone


def test_evidence_is_the_words_as_they_were_written() -> None:
    text = "Mời chơi  c\u200bờ bạ\u0323c nhé"
    folded = plain(text)
    start = folded.text.index("co bac")
    assert folded.original(start, start + 6) == (10, 18)
    text = "chơi c ờ b ạ c nhé"
    folded = squeezed(text)
    start = folded.text.index("cobac")
    assert text[slice(*folded.original(start, start + 5))] == "c ờ b ạ c"


alphabet = st.sampled_from("aàạăặâbcđoòơờuưyỳ AÀĐO\u0300\u0323\u0302\u200b\u00ad\n\t .-*04@е🅰ﬁ한\u1112\u1161İß…\u00a0")
texts = st.text(alphabet, max_size=60) | st.text(max_size=40)


def checked(text: str, folded: Folded) -> None:
    origin = list(folded.origin)
    assert len(origin) == len(folded.text) + 1
    assert origin == sorted(origin)
    assert origin[-1] == len(text)
    for start in range(0, len(folded.text), 3):
        first, last = folded.original(start, min(start + 4, len(folded.text)))
        assert 0 <= first < last <= len(text)


@given(texts)
def test_every_place_leads_back(text: str) -> None:
    for fold in (toned, plain, squeezed):
        checked(text, fold(text))


@given(texts)
def test_what_a_place_leads_to_folds_to_what_was_found(text: str) -> None:
    folded = plain(text)
    for start in range(len(folded.text)):
        written = text[slice(*folded.original(start, start + 1))]
        assert folded.text[start] in plain(written).text


@given(texts)
def test_folding_twice_changes_nothing(text: str) -> None:
    for fold in (toned, plain):
        assert fold(fold(text).text).text == fold(text).text


@given(st.text(st.sampled_from("àạặâđêôơừ aeiouy bcHOÀ\n"), max_size=50))
def test_composed_and_decomposed_fold_alike(text: str) -> None:
    for fold in (toned, plain, squeezed):
        assert fold(unicodedata.normalize("NFD", text)).text == fold(unicodedata.normalize("NFC", text)).text
