"""One sentence in many writings is one sentence to a filter: from the bytes of a part to the phrases found."""

from __future__ import annotations

import html
import unicodedata

import pytest

from gateway.text.folding import plain
from gateway.text.hypertext import read_html
from gateway.text.legacy import decoded
from gateway.text.phrases import Phrases
from gateway.text.readings import read_text
from gateway.text.squeezing import squeezed
from tests.text.writings import tcvn3, viqr, vni, windows_1258

SENTENCE = "Mời đồng chí đăng ký tài khoản cờ bạc trực tuyến để nhận thưởng"
PHRASES = [("đăng ký tài khoản", 1), ("cờ bạc trực tuyến", 2)]
PLAIN, SQUEEZED = Phrases(PHRASES), Phrases(PHRASES, squeezed)
_HOMOGLYPHS = str.maketrans("aceopxyiAKMO", "асеорхуіАКМО")
_VISCII = {decoded(bytes([octet]), "viscii"): bytes([octet]) for octet in range(256)}
_VPS = {decoded(bytes([octet]), "vps"): bytes([octet]) for octet in range(256)}

WRITINGS = {
    "composed": (SENTENCE.encode(), "utf-8"),
    "decomposed": (unicodedata.normalize("NFD", SENTENCE).encode(), "utf-8"),
    "TCVN3, labelled": (tcvn3(SENTENCE).encode("latin-1"), "x-viet-tcvn5712"),
    "TCVN3, called ISO 8859-1": (tcvn3(SENTENCE).encode("latin-1"), "iso-8859-1"),
    "TCVN3 letters in UTF-8": (tcvn3(SENTENCE).encode(), "utf-8"),
    "VNI, labelled": (vni(SENTENCE).encode("latin-1"), "x-viet-vni"),
    "VNI without a label": (vni(SENTENCE).encode("latin-1"), ""),
    "VISCII, labelled": (b"".join(_VISCII[letter] for letter in SENTENCE), "viscii"),
    "VISCII without a label": (b"".join(_VISCII[letter] for letter in SENTENCE), ""),
    "VPS, labelled": (b"".join(_VPS[letter] for letter in SENTENCE), "x-viet-vps"),
    "VIQR": (viqr(SENTENCE).encode(), "us-ascii"),
    "CP1258": (windows_1258(SENTENCE), "windows-1258"),
    "CP1258, called UTF-8": (windows_1258(SENTENCE), "utf-8"),
    "UTF-16": (SENTENCE.encode("utf-16"), "utf-8"),
    "UTF-7": (SENTENCE.encode("utf-7"), ""),
    "without diacritics": (plain(SENTENCE).text.encode(), "utf-8"),
    "in capitals": (SENTENCE.upper().encode(), "utf-8"),
    "zero-width characters within": ("\u200b".join(SENTENCE).encode(), "utf-8"),
    "soft hyphens within": (SENTENCE.replace("n", "\u00adn").encode(), "utf-8"),
    "homoglyphs": (SENTENCE.translate(_HOMOGLYPHS).encode(), "utf-8"),
    "fullwidth": (
        "".join(chr(ord(each) + 0xFEE0) if "a" <= each <= "z" else each for each in SENTENCE).encode(),
        "utf-8",
    ),
    "HTML entities": (f"<p>{SENTENCE.encode('ascii', 'xmlcharrefreplace').decode()}</p>".encode(), "us-ascii"),
    "HTML entities by name": (f"<p>{html.escape(SENTENCE)}</p>".replace("ý", "&yacute;").encode(), "utf-8"),
    "HTML tags within words": (SENTENCE.replace("o", "<b></b>o<i></i>").encode(), "utf-8"),
    "hidden letters within words": (SENTENCE.replace("n", '<i style="font-size:0">x</i>n').encode(), "utf-8"),
    "an old font": (f'<font face=".VnTime">{tcvn3(SENTENCE)}</font>'.encode(), "utf-8"),
    "lines broken": (SENTENCE.replace(" ", "\r\n").encode(), "utf-8"),
    "non-breaking spaces": (SENTENCE.replace(" ", "\u00a0").encode(), "utf-8"),
    "tones placed the other way": (SENTENCE.replace("khoản", "khỏan").encode(), "utf-8"),
}
DISGUISED = {
    "letters apart": " ".join(SENTENCE),
    "letters apart, words further": "  ".join(" ".join(word) for word in SENTENCE.split()),
    "letters apart with signs": ".".join(SENTENCE.replace(" ", "")),
    "digits for letters": plain(SENTENCE).text.replace("a", "4").replace("o", "0").replace("e", "3"),
    "letters repeated": SENTENCE.replace("ă", "ăăă").replace("ờ", "ờờ"),
}


@pytest.mark.parametrize(("data", "label"), WRITINGS.values(), ids=WRITINGS)
def test_one_sentence(data: bytes, label: str) -> None:
    readings = read_text(data, label)
    found = [{hit.value for hit in PLAIN.search(plain(read_html(reading.text).visible))} for reading in readings]
    assert {1, 2} in found


@pytest.mark.parametrize("text", DISGUISED.values(), ids=DISGUISED)
def test_one_sentence_disguised(text: str) -> None:
    assert {hit.value for hit in SQUEEZED.search(squeezed(text))} == {1, 2}
