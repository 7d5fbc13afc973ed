"""Replies: what goes on the wire, and what can never be one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import reply
from gateway.reply import Reply, printable

WIRE = {
    "one line": (Reply(550, "7.1", "No"), b"550 5.7.1 No\r\n"),
    "no enhanced code": (Reply(354, "", "Go"), b"354 Go\r\n"),
    "several lines carry both codes": (Reply(451, "3.0", "a\nb"), b"451-4.3.0 a\r\n451 4.3.0 b\r\n"),
}

NO_REPLIES = {
    "a code below the range": (199, "", "x"),
    "a code above it": (600, "", "x"),
    "an enhanced code of words": (550, "a.b", "x"),
    "a carriage return": (550, "7.1", "a\rb"),
    "an escape": (550, "7.1", "a\x1b[2J"),
    "text beyond ASCII": (550, "7.1", "cấm"),
    "an endless text": (550, "7.1", "x" * 500),
}

TEXTS = {
    "Vietnamese loses its marks": ("Thư bị từ chối, ĐỀ NGHỊ gửi lại", "Thu bi tu choi, DE NGHI gui lai"),
    "decomposed Vietnamese too": ("Thư".encode().decode().replace("ư", "u\u031b"), "Thu"),
    "lines and controls become spaces": ("a\r\n\x1b[2J b", "a [2J b"),
    "other scripts become question marks": ("тест", "????"),
    "dashes and quotes are kept in sense": ("“a” – b", '"a" - b'),
}


@pytest.mark.parametrize(("answer", "wire"), WIRE.values(), ids=WIRE)
def test_encode(answer: Reply, wire: bytes) -> None:
    assert answer.encode() == wire


@pytest.mark.parametrize(("code", "enhanced", "text"), NO_REPLIES.values(), ids=NO_REPLIES)
def test_what_no_reply_may_be(code: int, enhanced: str, text: str) -> None:
    with pytest.raises(ValueError):
        Reply(code, enhanced, text)


@pytest.mark.parametrize(("text", "plain"), TEXTS.values(), ids=TEXTS)
def test_printable(text: str, plain: str) -> None:
    assert printable(text) == plain


@given(st.text(), st.sampled_from(["", "https://help.example.gov.vn/" + "x" * 150]))
def test_any_text_can_be_told_with_the_id(text: str, help_url: str) -> None:
    wire = reply.REFUSED.with_text(text).about("01ARZ3NDEKTSV4RRFF", help_url).encode()
    assert wire.startswith(b"550 5.7.1 ")
    assert b"[id 01ARZ3NDEKTSV4RRFF]" in wire
    assert len(wire) <= 512
    assert wire.count(b"\r\n") == 1


def test_every_named_reply_can_be_sent() -> None:
    named = [value for value in vars(reply).values() if isinstance(value, Reply)]
    assert len(named) > 30
    for each in named:
        assert each.encode().endswith(b"\r\n")
