"""Bytes to readings: by a label that is right, wrong, unknown or missing."""

from __future__ import annotations

import codecs
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.text.charsets import codec_of, text_of
from gateway.text.evidence import is_mixed
from gateway.text.readings import MOST_READINGS, Why, read_text, reread
from tests.text.writings import tcvn3, viqr, vni, windows_1258

TEXT = "Kính gửi các đồng chí: thư điện tử công vụ, quyết định số 5 về việc đăng ký tài khoản."
LOWER = TEXT.lower()
RUSSIAN = "Здравствуйте, уважаемые коллеги! Направляем вам отчёт за прошлый месяц."
JAPANESE = "お世話になっております。会議の資料をお送りします。"
CHINESE = "您好，请查收附件中的报告，谢谢您的支持与合作。"
KOREAN = "안녕하세요, 보고서를 보내드립니다. 확인 부탁드립니다."
FRENCH = "Le résumé de la réunion a été envoyé à l'équipe, très bientôt."

RIGHT = {
    "utf-8": (TEXT.encode(), "utf-8", TEXT, "utf-8", Why.LABEL),
    "utf-8 in quotes and capitals": (TEXT.encode(), ' "UTF-8" ', TEXT, "utf-8", Why.LABEL),
    "windows-1258": (windows_1258(TEXT), "windows-1258", TEXT, "windows-1258", Why.LABEL),
    "tcvn3": (tcvn3(LOWER).encode("latin-1"), "x-viet-tcvn5712", LOWER, "tcvn5712", Why.LABEL),
    "vni": (vni(TEXT).encode("latin-1"), "x-viet-vni", TEXT, "vni", Why.LABEL),
    "utf-7": (TEXT.encode("utf-7"), "utf-7", TEXT, "utf-7", Why.LABEL),
    "utf-16 with a mark": (TEXT.encode("utf-16"), "utf-16", TEXT, "utf-16le", Why.MARK),
    "iso-2022-jp": (JAPANESE.encode("iso2022_jp"), "iso-2022-jp", JAPANESE, "iso2022-jp", Why.LABEL),
    "iso-2022-cn": (b"\x1b$)A\x0eDz:C\x0f, ok", "iso-2022-cn", "您好, ok", "iso2022-cn", Why.LABEL),
    "shift_jis": (JAPANESE.encode("cp932"), "shift_jis", JAPANESE, "shift_jis", Why.LABEL),
    "gb2312, read as gb18030": (CHINESE.encode("gb18030"), "gb2312", CHINESE, "gb18030", Why.LABEL),
    "koi8-r": (RUSSIAN.encode("koi8_r"), "koi8-r", RUSSIAN, "koi8-r", Why.LABEL),
    "iso-8859-1": (FRENCH.encode("latin-1"), "iso-8859-1", FRENCH, "windows-1252", Why.LABEL),
    "us-ascii": (b"hello", "us-ascii", "hello", "us-ascii", Why.LABEL),
}
WRONG = {
    "utf-8 called us-ascii": (TEXT.encode(), "us-ascii", TEXT, "utf-8"),
    "utf-8 called iso-8859-1": (TEXT.encode(), "iso-8859-1", TEXT, "utf-8"),
    "utf-8 called gbk": (TEXT.encode(), "gbk", TEXT, "utf-8"),
    "utf-8 without a label": (TEXT.encode(), "", TEXT, "utf-8"),
    "an unknown label": (TEXT.encode(), "x-unknown", TEXT, "utf-8"),
    "a codec that is no charset": (TEXT.encode(), "zlib", TEXT, "utf-8"),
    "utf-8 with a mark, called latin": (codecs.BOM_UTF8 + TEXT.encode(), "iso-8859-1", TEXT, "utf-8"),
    "utf-8 cut off in a letter": (TEXT.encode() + b"\xe1\xbb", "utf-8", TEXT + "\ufffd", "utf-8"),
    "utf-16 without a mark": (TEXT.encode("utf-16-le"), "utf-8", TEXT, "utf-16le"),
    "utf-16 of the other order": (TEXT.encode("utf-16-be"), "", TEXT, "utf-16be"),
    "utf-32 without a mark": (TEXT.encode("utf-32-le"), "", TEXT, "utf-32le"),
    "utf-7 without a label": (TEXT.encode("utf-7"), "", TEXT, "utf-7"),
    "utf-8 taken for windows-1252 once": (
        "".join(bytes([octet]).decode("cp1252", "ignore") or chr(octet) for octet in TEXT.encode()).encode(),
        "utf-8",
        TEXT,
        "utf-8",
    ),
    "tcvn3 called iso-8859-1": (tcvn3(LOWER).encode("latin-1"), "iso-8859-1", LOWER, "tcvn3"),
    "tcvn3 called utf-8": (tcvn3(LOWER).encode("latin-1"), "utf-8", LOWER, "tcvn3"),
    "tcvn3 letters in utf-8": (tcvn3(LOWER).encode(), "utf-8", LOWER, "tcvn3"),
    "vni called windows-1252": (vni(TEXT).encode("latin-1"), "windows-1252", TEXT, "vni"),
    "vni letters in utf-8": (vni(TEXT).encode(), "utf-8", TEXT, "vni"),
    "viqr called us-ascii": (viqr(LOWER).encode(), "us-ascii", LOWER, "viqr"),
    "viqr beside other signs": (viqr(LOWER).encode() + "\n©".encode(), "utf-8", LOWER + "\n©", "viqr"),
    "windows-1258 called utf-8": (windows_1258(TEXT), "utf-8", TEXT, "windows-1258"),
    "iso-2022-jp without a label": (JAPANESE.encode("iso2022_jp"), "", JAPANESE, "iso2022-jp-2"),
    "hz without a label": (CHINESE.encode("hz"), "", CHINESE, "hz"),
    "shift_jis without a label": (JAPANESE.encode("cp932"), "", JAPANESE, "shift_jis"),
    "euc-jp called utf-8": (JAPANESE.encode("euc_jp"), "utf-8", JAPANESE, "euc-jp"),
    "gb18030 without a label": (CHINESE.encode("gb18030"), "", CHINESE, "gb18030"),
    "euc-kr without a label": (KOREAN.encode("cp949"), "", KOREAN, "euc-kr"),
    "koi8-r without a label": (RUSSIAN.encode("koi8_r"), "", RUSSIAN, "koi8-r"),
    "windows-1251 called iso-8859-1": (RUSSIAN.encode("cp1251"), "iso-8859-1", RUSSIAN, "windows-1251"),
    "latin without a label": (FRENCH.encode("latin-1"), "", FRENCH, "windows-1252"),
}
ALONE = {
    "plain ASCII": b"Call +84912345678-9 or write a+bcd=x; 2^3 (a(b",
    "French": FRENCH.encode(),
    "German": "Größere Änderungen für Übungen in München und Köln".encode(),
    "Spanish": "Señor Núñez, mañana por la mañana ¿qué opinión?".encode(),
    "Vietnamese": TEXT.encode(),
    "English with a few foreign words": "a café in São Paulo, naïve and déjà vu".encode(),
}


@pytest.mark.parametrize(("data", "label", "text", "charset", "why"), RIGHT.values(), ids=RIGHT)
def test_right_label(data: bytes, label: str, text: str, charset: str, why: Why) -> None:
    first = read_text(data, label)[0]
    assert (unicodedata.normalize("NFC", first.text), first.charset, first.why) == (text, charset, why)


@pytest.mark.parametrize(("data", "label", "text", "charset"), WRONG.values(), ids=WRONG)
def test_wrong_label(data: bytes, label: str, text: str, charset: str) -> None:
    first = read_text(data, label)[0]
    assert (unicodedata.normalize("NFC", first.text), first.charset) == (text, charset)


@pytest.mark.parametrize("data", ALONE.values(), ids=ALONE)
def test_text_that_makes_sense_has_one_reading(data: bytes) -> None:
    assert [each.text for each in read_text(data, "utf-8")] == [data.decode()]


def test_where_programs_disagree_each_reading_is_there() -> None:
    assert [each.charset for each in read_text(TEXT.encode(), "koi8-r")] == ["utf-8", "koi8-r"]
    assert [each.charset for each in read_text(tcvn3(LOWER).encode("latin-1"), "latin1")] == ["tcvn3", "windows-1252"]
    assert [each.charset for each in read_text(TEXT.encode("utf-7"))] == ["utf-7", "us-ascii"]


def test_what_html_names_itself_counts_beside_the_label() -> None:
    data = RUSSIAN.encode("koi8_r")
    assert read_text(data, "", "koi8-r")[0].text == RUSSIAN
    assert RUSSIAN in [each.text for each in read_text(data, "iso-8859-2", "koi8-r")]


def test_lines_end_alike() -> None:
    assert read_text(b"a\r\nb\rc\n")[0].text == "a\nb\nc\n"


def test_a_header_that_was_decoded_already() -> None:
    assert [each.text for each in reread(tcvn3("quyết định bổ nhiệm"))] == ["quyết định bổ nhiệm"]
    assert list(reread("Quyết định bổ nhiệm")) == []


def test_one_line_old_and_one_new() -> None:
    text = f"Kính gửi đồng chí\n{tcvn3('quyết định bổ nhiệm cán bộ')}\ntrân trọng"
    assert is_mixed(text)
    assert next(reread(text)).text == "Kính gửi đồng chí\nquyết định bổ nhiệm cán bộ\ntrân trọng"
    assert not is_mixed("Kính gửi đồng chí, café naïve")


WHATWG = (
    "unicode-1-1-utf-8 utf8 866 csisolatin2 iso_8859-2:1987 l3 cyrillic asmo-708 greek8 logical visual latin6 "
    "csisolatin9 koi8-ru x-mac-roman dos-874 tis-620 x-cp1250 ansi_x3.4-1968 iso-ir-100 iso88591 x-mac-ukrainian "
    "gb_2312-80 x-gbk x-x-big5 cseucpkdfmtjapanese ms_kanji windows-31j ks_c_5601-1987 ksc_5601 hz-gb-2312 "
    "iso-2022-kr unicodefffe ucs-2"
)


@pytest.mark.parametrize("label", WHATWG.split())
def test_labels_of_the_web_are_known(label: str) -> None:
    assert codec_of(label)


@pytest.mark.parametrize("label", ["zlib", "idna", "rot13", "unicode_escape", "", "x" * 10_000, "\0", "hex"])
def test_what_is_no_charset(label: str) -> None:
    assert codec_of(label) is None


LABELS = st.sampled_from(
    ["", "utf-8", "us-ascii", "latin1", "viscii", "viqr", "gbk", "iso-2022-jp", "utf-7", "utf-16", "x"]
)


@given(st.binary(max_size=200), LABELS, LABELS)
def test_any_bytes_have_one_to_three_readings(data: bytes, label: str, inner: str) -> None:
    readings = read_text(data, label, inner)
    assert 1 <= len(readings) <= MOST_READINGS
    assert len({each.text for each in readings}) == len(readings)
    text_of(data, label)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\ufeff"), max_size=100))
def test_what_is_labelled_utf_8_and_is_comes_out_as_it_is(text: str) -> None:
    assert text in [each.text for each in read_text(text.encode(), "utf-8")]
