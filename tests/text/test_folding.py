"""Folding: the same words in other writings are the same, and every place leads back to where it was written."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.text.coding import coded
from gateway.text.folding import SEAM, Folded, plain, toned
from gateway.text.lookalikes import MARKS, UNSEEN, seen
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


alphabet = st.sampled_from(
    "aàạăặâbcđoòơờuưyỳqg AÀĐOÝ\u0300\u0323\u0302\u200b\u00ad\n\t  .-*_|@$!0134578269е🅰ﬁ한\u1112\u1161İß…\u00a0"
    "ццЦ中〇½٣€“ﷺ\0\u0483\u0488"
)
words = st.sampled_from(
    "cờ bạc|c ờ b ạ c|c0 b4c|c@sin0|cờờờ|m a t|hoà|thuý|uỷ ban|quý|ma*túy|co.bac.vn|1.000.000|  |\r\n\r\n|a b c d"
    "|12-3|www|€|đăng ký|   x".split("|")
)
texts = (
    st.text(alphabet, max_size=60)
    | st.text(max_size=40)
    | st.lists(words | st.text(alphabet, max_size=4), max_size=20).map(" ".join)
    | st.lists(words | st.text(alphabet, max_size=4), max_size=20).map("".join)
)
written = texts | st.builds(unicodedata.normalize, st.sampled_from(["NFC", "NFD"]), texts)


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


@dataclass(frozen=True, slots=True)
class Plainly:
    """A folded text made character by character, with the whole way back."""

    text: str
    origin: list[int]
    seams: frozenset[int] = frozenset()

    def original(self, start: int, stop: int) -> tuple[int, int]:
        if stop <= start:
            return self.origin[start], self.origin[start]
        last = self.origin[stop - 1]
        return self.origin[start], last + 1 if stop in self.seams else self.origin[bisect_right(self.origin, last)]


CLUSTER = re.compile(f"[^{MARKS}{UNSEEN}][{MARKS}{UNSEEN}]*|[{MARKS}{UNSEEN}]+")


def folded_plainly(text: str, *, marks: bool) -> Plainly:
    letters: list[tuple[str, int]] = []
    for cluster in CLUSTER.finditer(text):
        for letter in seen(cluster[0], marks=marks):
            if letter != " " or not letters or letters[-1][0] != " ":
                letters.append((letter, cluster.start()))
    folded = "".join(letter for letter, _ in letters)
    if marks:
        folded = re.sub(r"o[àáảãạèéẻẽẹ](?!\w)|(?<!q)u[ỳýỷỹỵ](?!\w)", _placed, folded)
    return Plainly(folded, [*(at for _, at in letters), len(text)])


def _placed(found: re.Match[str]) -> str:
    first, (last, tone) = found[0][0], unicodedata.normalize("NFD", found[0][1])
    return unicodedata.normalize("NFC", first + tone) + last


SPACED = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,3}[^\W_](?![^\W_])){2,}")
BEFORE = re.compile(r"(?<![^\W_])[^\W_]{2,7}[\W_]\Z")
AFTER = re.compile(r"[\W_][^\W_]{2,7}(?![^\W_])")
HELD = re.compile(r"(?<![^\W_])[^\W_]++(?:[*._~|^+-]{1,3}[^\W_]++)+")


def squeezed_plainly(text: str) -> Plainly:
    base = folded_plainly(text, marks=False)
    letters = re.sub(r"[0134578@$!|]+", _undisguised, base.text)
    stretches = [found.span() for found in HELD.finditer(letters)]
    for found in SPACED.finditer(letters):
        start, stop = found.span()
        before, after = BEFORE.search(letters, max(start - 9, 0), start), AFTER.match(letters, stop)
        stretches.append((before.start() if before else start, after.end() if after else stop))
    gaps = {gap.span() for start, stop in stretches for gap in re.compile(r"[\W_]+").finditer(letters, start, stop)}
    again = {(found.start() + 1, found.end()) for found in re.finditer(r"([^\W\d_])\1+", letters)}
    cut = {at for start, stop in gaps | again for at in range(start, stop)}
    kept = [at for at in range(len(letters)) if at not in cut]
    seams = frozenset(bisect_right(kept, stop - 1) for _, stop in gaps)
    return Plainly("".join(letters[at] for at in kept), [*(base.origin[at] for at in kept), len(text)], seams)


def _undisguised(found: re.Match[str]) -> str:
    signs, text = found[0], found.string
    before, after = text[found.start() - 1 : found.start()].isalpha(), text[found.end() : found.end() + 1]
    within = before and after.isalpha()
    at_a_word = signs.isdigit() and (before or after.isalpha())
    ends_it = before and after == " " and signs in ("@", "$")
    meant = signs.translate(str.maketrans("0134578@$!|", "oieastbasil"))
    return meant if within or at_a_word or ends_it else signs


FORMS: dict[str, tuple[Callable[[str], Folded], Callable[[str], Plainly]]] = {
    "toned": (toned, lambda text: folded_plainly(text, marks=True)),
    "plain": (plain, lambda text: folded_plainly(text, marks=False)),
    "squeezed": (squeezed, squeezed_plainly),
}


@pytest.mark.parametrize(("fold", "plainly"), FORMS.values(), ids=FORMS)
@given(text=written)
def test_as_character_by_character(
    fold: Callable[[str], Folded], plainly: Callable[[str], Plainly], text: str
) -> None:
    found, expected = fold(text), plainly(text)
    assert found.text == expected.text
    assert found.coded == coded(found.text)
    assert [*found.origin] == expected.origin
    assert {at for at, mark in enumerate(found.undone) if mark == SEAM[0]} == expected.seams
    for start in range(0, len(found.text), 2):
        for stop in range(start, min(start + 9, len(found.text)) + 1, 3):
            assert found.original(start, stop) == expected.original(start, stop)


@given(written, st.integers(0, 40))
def test_a_beginning_leads_back_as_the_whole_does(text: str, length: int) -> None:
    whole, beginning = plain(text), plain(text).beginning(length)
    assert beginning.text == whole.text[:length]
    assert beginning.coded == whole.coded[:length]
    for stop in range(1, len(beginning.text)):
        assert beginning.original(stop - 1, stop) == whole.original(stop - 1, stop)


@given(written)
def test_the_bytes_may_be_given(text: str) -> None:
    assert toned(text, coded(text)).text == toned(text).text
    assert squeezed(text, plain(text)).text == squeezed(text).text


@given(written)
def test_what_was_undone_is_where_the_forms_differ(text: str) -> None:
    """Without it the squeezed text is the plain one."""
    folded = squeezed(text)
    assert any(folded.undone) == (folded.text != plain(text).text)
