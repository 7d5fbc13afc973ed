"""Vietnamese from before Unicode: each vector exact, each letter there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.text.legacy import ENCODINGS, converted, decoded, font_encoding, from_font
from gateway.text.syllables import is_syllable
from tests.text.writings import tcvn3, viqr, vni

VECTORS = (
    (
        "Cộng hòa xã hội chủ nghĩa Việt Nam",
        "Céng hßa x· héi chñ nghÜa ViÖt Nam",
        "Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam",
    ),
    (
        "Độc lập - Tự do - Hạnh phúc",
        "§éc lËp - Tù do - H¹nh phóc",
        "Ñoäc laäp - Töï do - Haïnh phuùc",
    ),
    ("Kính gửi", "KÝnh göi", "Kính göûi"),
    ("Quyết định", "QuyÕt ®Þnh", "Quyeát ñònh"),
    ("thư điện tử công vụ", "th\xad ®iÖn tö c«ng vô", "thö ñieän töû coâng vuï"),
)
LOWER = "àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ"


@pytest.mark.parametrize(("unicode", "in_tcvn3", "in_vni"), VECTORS)
def test_vectors(unicode: str, in_tcvn3: str, in_vni: str) -> None:
    assert converted(in_tcvn3, "tcvn3") == unicode
    assert converted(in_tcvn3, "tcvn5712") == unicode
    assert converted(in_vni, "vni") == unicode
    assert decoded(in_tcvn3.encode("latin-1"), "tcvn3") == unicode
    assert decoded(in_vni.encode("latin-1"), "vni") == unicode


def test_every_letter_comes_back() -> None:
    assert converted(tcvn3(LOWER), "tcvn3") == LOWER
    for letters in (LOWER, LOWER.upper()):
        for letter in letters:
            assert converted(vni(letter), "vni") == letter


@pytest.mark.parametrize("encoding", ["viscii", "vps", "tcvn5712"])
def test_one_byte_for_each_letter(encoding: str) -> None:
    letters = {decoded(bytes([octet]), encoding) for octet in range(256)}
    assert letters >= set(LOWER) - {"ỵ"}
    assert len(letters & set(LOWER + LOWER.upper())) >= 120


def test_viscii_by_the_letter() -> None:
    # RFC 1456 section 3: some of table.
    octets = bytes.fromhex("d5e1e0e4e3a1a2ae f0d0 dfd1d7d8e6f1 021e")
    assert decoded(octets, "viscii") == "ạáàảãắằệđĐưứừửữựẲỴ"


VIQR = {
    "words": ("Tie^'ng Vie^.t", "Tiếng Việt"),
    "both ways to write đ": ("ddi DDi Ddi", "đi Đi Đi"),
    "horn and tones": ("tu+` ngu+~, mo+'i nghi~", "từ ngữ, mới nghĩ"),
    "a full stop behind a word with its tone": ("dda~ ve^`.", "đã về."),
    "a question mark behind a consonant": ("kho^ng?", "không?"),
    "an address": ("https://example.vn/a.b?c=d", "https://example.vn/a.b?c=d"),
    "other languages": ("We're here. It's o.k.?", "We're here. It's o.k.?"),
}


@pytest.mark.parametrize(("written", "unicode"), VIQR.values(), ids=VIQR)
def test_viqr(written: str, unicode: str) -> None:
    assert converted(written, "viqr") == unicode


FONTS = {
    ".VnTime": "tcvn3",
    ".VnArialH": "tcvn3",
    "VNI-Times": "vni",
    "VNI Helve": "vni",
    "VPS Times": "vps",
    "'.VnTime'": "tcvn3",
    "Times New Roman": "",
    "VnExpress": "",
    "": "",
}


@pytest.mark.parametrize(("font", "encoding"), FONTS.items())
def test_fonts(font: str, encoding: str) -> None:
    assert font_encoding(font) == encoding


def test_a_run_by_its_font() -> None:
    assert from_font("Céng hßa", ".VnTime") == "Cộng hòa"
    assert from_font("céng hßa", ".VnTimeH") == "CỘNG HÒA"
    assert from_font("Coäng hoøa", "VNI-Times") == "Cộng hòa"
    assert from_font("Cộng hòa", ".VnTime") == "Cộng hòa"  # Unicode in spite of font
    assert from_font("Café", "Arial") == "Café"


SYLLABLES = "nghiêng giếng quý quí gì già thuý thúy hoà hòa quốc việt đường khuya khuỷu yêu nghĩa quyển mưa ở và ích"
NONE = "ngiêng kà cêch việtt đâỵ cat hoàn̉ việ̀t vịêt strength ñ ßa qua̱ q"


@pytest.mark.parametrize("word", SYLLABLES.split())
def test_syllables(word: str) -> None:
    assert is_syllable(word)


@pytest.mark.parametrize("word", NONE.split())
def test_no_syllables(word: str) -> None:
    assert not is_syllable(word)


@given(st.binary(max_size=80), st.sampled_from(ENCODINGS))
def test_any_bytes(data: bytes, encoding: str) -> None:
    decoded(data, encoding)


@given(st.text(st.sampled_from(LOWER + "abcxyz .,"), max_size=60))
def test_there_and_back(text: str) -> None:
    assert converted(tcvn3(text), "tcvn3") == text


def test_a_syllable_in_viqr_comes_back() -> None:
    for word in SYLLABLES.split():
        assert converted(viqr(word), "viqr") == word
