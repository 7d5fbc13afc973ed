"""The next hop's bytes -> replies, and what of them reaches a client."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reply import Reply
from gateway.smtp.replies import LINE_LIMIT, LINES_LIMIT, REPLY_LIMIT, HopReply, ReplyReader

WHOLE = {
    "one line": (b"250 ok\r\n", [HopReply(250, (b"ok",))]),
    "a code without text": (b"250\r\n", [HopReply(250, (b"",))]),
    "several lines are one reply": (b"250-a\r\n250-\r\n250 c\r\n", [HopReply(250, (b"a", b"", b"c"))]),
    "two replies in one segment": (b"250 a\r\n451 b\r\n", [HopReply(250, (b"a",)), HopReply(451, (b"b",))]),
    "8-bit text": (b"550 \xff\r\n", [HopReply(550, (b"\xff",))]),
}


@pytest.mark.parametrize(("data", "expected"), WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("step", [1, 2, 1000])
def test_replies_are_the_same_however_they_are_cut(data: bytes, expected: list[HopReply], step: int) -> None:
    reader = ReplyReader()
    found = [reply for at in range(0, len(data), step) for reply in reader.feed(data[at : at + step])]
    assert found == expected
    assert not reader.pending


BROKEN = {
    "no code": b"hello\r\n",
    "two digits": b"25 ok\r\n",
    "a class that SMTP has not": b"150 ok\r\n",
    "a code out of range": b"650 ok\r\n",
    "another mark behind the code": b"250_ok\r\n",
    "an empty line": b"\r\n",
    "a bare LF": b"250 a\n250 b\r\n",
    "a bare CR": b"250 a\r250 b\r\n",
    "a NUL": b"250 a\0\r\n",
    "a change of code within a reply": b"250-a\r\n550 b\r\n",
    "a line too long": b"250 " + b"x" * LINE_LIMIT + b"\r\n",
    "a line without end": b"250 " + b"x" * LINE_LIMIT,
    "too many lines": b"250-a\r\n" * (LINES_LIMIT + 1),
    "a reply too long": (b"250-" + b"x" * 2000 + b"\r\n") * (REPLY_LIMIT // 2000 + 1),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_is_no_reply_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        list(ReplyReader().feed(data))


def test_good_replies_in_front_of_garbage_are_given_first() -> None:
    replies = ReplyReader().feed(b"250 taken\r\nwhat?\r\n")
    assert next(replies) == HopReply(250, (b"taken",))
    with pytest.raises(ValueError):
        next(replies)


COPIED = {
    "an enhanced code of the code's class": (HopReply(550, (b"5.7.1 no",)), Reply(550, "7.1", "no")),
    "an enhanced code alone": (HopReply(250, (b"2.0.0",)), Reply(250, "0.0", "")),
    "an enhanced code of another class is dropped": (HopReply(550, (b"4.7.1 no",)), Reply(550, "0.0", "no")),
    "no enhanced code": (HopReply(450, (b"later",)), Reply(450, "0.0", "later")),
    "a number that is no enhanced code": (HopReply(550, (b"5.7 no",)), Reply(550, "0.0", "5.7 no")),
    "354 has no enhanced code": (HopReply(354, (b"go",)), Reply(354, "", "go")),
    "each line loses its enhanced code": (HopReply(550, (b"5.7.1 a", b"5.7.1 b")), Reply(550, "7.1", "a\nb")),
    "escapes and bidi marks become harmless": (
        HopReply(550, (b"\x1b[2J\xe2\x80\xae a",)),
        Reply(550, "0.0", "[2J? a"),
    ),
    "latin-1 becomes question marks": (HopReply(550, (b"caf\xe9",)), Reply(550, "0.0", "caf?")),
    "a long line is cut": (HopReply(550, (b"x" * 1000,)), Reply(550, "0.0", "x" * 400)),
}


@pytest.mark.parametrize(("heard", "told"), COPIED.values(), ids=COPIED)
def test_copies_keep_the_code_and_are_printable(heard: HopReply, told: Reply) -> None:
    assert heard.copied() == told


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_any_bytes_end_in_replies_or_a_value_error(chunks: list[bytes]) -> None:
    reader = ReplyReader()
    try:
        for chunk in chunks:
            for reply in reader.feed(chunk):
                assert reply.copied().encode().startswith(str(reply.code).encode())
    except ValueError:
        pass


@given(st.integers(200, 599), st.lists(st.binary(max_size=600), min_size=1, max_size=5))
def test_any_text_can_be_copied(code: int, lines: list[bytes]) -> None:
    assert HopReply(code, tuple(lines)).copied().code == code
