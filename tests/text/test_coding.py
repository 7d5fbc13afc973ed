"""Texts as bytes: a place in the bytes is the same place in the text, and nothing is lost."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.text.coding import COMMON, SLOTS, bytes_of, coded, decoded, rare_in, table, zeros

texts = st.text(st.sampled_from(COMMON + "\0\u200b\u0301€中💰\ufdd0\ufdd1\ufffe?"), max_size=80) | st.text(max_size=80)


@given(texts)
def test_a_byte_for_each_character_and_back(text: str) -> None:
    data = coded(text)
    assert len(data) == len(text)
    assert decoded(data, rare_in(text, data)) == text
    assert [code == 0 for code in data] == [each not in COMMON for each in text]


def test_ascii_is_itself() -> None:
    text = "".join(map(chr, range(0x20, 0x7F))) + "\t\n\r"
    assert coded(text) == text.encode()
    assert bytes_of("aê")[0] == ord("a")


@given(st.binary(max_size=200).map(lambda data: bytes(code % 3 for code in data)) | st.binary(max_size=200))
def test_zeros(data: bytes) -> None:
    runs = list(zeros(data))
    assert [at for start, stop in runs for at in range(start, stop)] == [at for at, code in enumerate(data) if not code]
    assert all(stop < start for (_, stop), (start, _) in pairwise(runs))


def test_table() -> None:
    capitals = table(each.upper() for each in SLOTS)
    assert decoded(coded("mật").translate(capitals), "") == "MẬT"
