"""Bodies in passages, and flowed text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.text.quoting import own_words, passages, unflowed

CASES = {
    "own words only": ("Kính gửi anh,\nTôi đồng ý.\n", ["own"]),
    "quoted lines": ("ok\n> a\n> b\nvâng\n", ["own", "quoted", "own"]),
    "quoted lines with their introduction": ("ok\nVào 10:00, Ba <b@x.vn> đã viết:\n> a\n", ["own", "quoted"]),
    "an introduction on two lines": ("ok\nOn Monday, A B <a@b.vn>\nwrote:\n> x\ny", ["own", "quoted", "own"]),
    "a quotation without marks": ("ok\nOn Monday A wrote:\n\nx\ny", ["own", "quoted"]),
    "Outlook's mark": ("ok\n-----Original Message-----\nFrom: a\nSent: b\nTo: c\nx", ["own", "quoted"]),
    "Outlook in Vietnamese": ("ok\n\nTừ: a\nĐã gửi: b\nTới: c\nChủ đề: d\n\nx", ["own", "quoted"]),
    "Outlook's line": ("ok\n________________________________\nFrom: a\nSent: b\nTo: c\nx", ["own", "quoted"]),
    "forwarded": ("xem\n---------- Forwarded message ---------\nFrom: a\nx", ["own", "forwarded"]),
    "forwarded, in Vietnamese": ("---------- Thư đã chuyển tiếp ----------\nx", ["forwarded"]),
    "forwarded by Apple": ("xem\nBegin forwarded message:\n\nx", ["own", "forwarded"]),
    "a signature by its mark": ("a\n-- \nBa\nPhòng X", ["own", "signature"]),
    "a signature by its words": ("a\nTrân trọng,\nBa\n", ["own", "signature"]),
    "a signature above a quotation": ("a\nTrân trọng,\nBa\n> x", ["own", "signature", "quoted"]),
    "sent from a telephone": ("a\nSent from my iPhone", ["own", "signature"]),
    "words of respect in the text": ("Trân trọng kính mời\nông Ba", ["own"]),
    "two fields are no header": ("Ngày: mai\nTừ: sáng\nlàm", ["own"]),
    "a thing that somebody wrote": ("Ông Ba đã viết: hay", ["own"]),
    "nothing": ("", ["own"]),
}
FLOWED = {
    "a paragraph": ("a \nb\nc", "a b\nc"),
    "spaces deleted": ("a \nb", "ab"),
    "quoted": ("> a \n> b\n>> c \nd", "> a b\n>> c \nd"),
    "a stuffed line": (" From x", "From x"),
    "a signature is never joined": ("a \n-- \nb", "a \n-- \nb"),
}


@pytest.mark.parametrize(("body", "roles"), CASES.values(), ids=CASES)
def test_passages(body: str, roles: list[str]) -> None:
    assert [each.role.value for each in passages(body)] == roles


def test_own_words() -> None:
    assert own_words("a\n> x\nb\n-- \ny") == "a\nb\n"


@pytest.mark.parametrize(("text", "joined"), FLOWED.values(), ids=FLOWED)
def test_flowed(text: str, joined: str) -> None:
    assert unflowed(text, delete_space=joined == "ab") == joined


lines = st.sampled_from(
    ["> a", "On x wrote:", "-- ", "Từ: a", "From: b", "Trân trọng,", "---- Forwarded message ----", "", "a"]
)


@given(st.lists(lines | st.text(max_size=9), max_size=30).map("\n".join))
def test_passages_are_all_of_it(body: str) -> None:
    found = passages(body)
    assert "".join(body[each.start : each.stop] for each in found) == body
    assert [each.start for each in found[1:]] == [each.stop for each in found[:-1]]
    unflowed(body)
