"""Dot-stuffing of messages given in pieces."""

from __future__ import annotations

import mmap
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail import Span
from gateway.smtp import dots
from gateway.smtp.dots import BLOCK, stuffed


def unstuffed(wire: bytes) -> bytes:
    """What a strict receiver reads: the data up to the only end of data, without the doubled dots."""
    body = b"\r\n" + wire
    assert body.index(b"\r\n.\r\n") == len(body) - 5
    return body[: len(body) - 3].replace(b"\r\n.", b"\r\n")[2:]


MESSAGES = {
    "plain": b"Subject: a\r\n\r\nbody\r\n",
    "no final line ending": b"Subject: a\r\n\r\nbody",
    "empty": b"",
    "one dot": b".",
    "a line of one dot": b".\r\n",
    "first and last line of one dot": b".\r\na\r\n.\r\n",
    "many dots": b"..\r\n...\r\n.a\r\n",
    "ends with CR": b"a\r",
    "only line endings": b"\r\n\r\n",
    "one long line": b"x" * (BLOCK + 10) + b"\r\n.y\r\n",
    "a dot behind the border of a block": b"x" * (BLOCK - 2) + b"\r\n.\r\n",
    "a border of a block between CR and LF": b"x" * (BLOCK - 1) + b"\r\n.\r\n",
    "a border of a block behind the dot": b"x" * (BLOCK - 3) + b"\r\n.\r\n",
}


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_a_receiver_reads_the_message_with_one_final_line_ending(message: bytes) -> None:
    expected = message if message.endswith(b"\r\n") or not message else message + b"\r\n"
    assert unstuffed(b"".join(stuffed(message, [Span(0, len(message))]))) == expected


lines = st.lists(st.sampled_from([b".", b"..", b"a", b"", b".a", b"a.", b"\xff"]), max_size=30)


@given(lines, st.lists(st.integers(0, 90), max_size=6), st.integers(1, 7))
def test_pieces_and_blocks_may_be_cut_anywhere(texts: list[bytes], cuts: list[int], block: int) -> None:
    message = b"\r\n".join([*texts, b""])
    borders = [0, *sorted(cut for cut in cuts if cut < len(message)), len(message)]
    spans = [Span(start, stop) for start, stop in pairwise(borders)]
    pieces = [message[span.start : span.stop] if number % 2 else span for number, span in enumerate(spans)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dots, "BLOCK", block)
        assert unstuffed(b"".join(stuffed(message, pieces))) == message


def test_a_mapped_message_is_read_in_blocks() -> None:
    size = 10 * BLOCK
    with mmap.mmap(-1, size) as raw:
        raw.write(b"x" * size)
        blocks = list(stuffed(raw, [b"Header: a\r\n", Span(0, size)]))
    assert len(blocks) > 9
    assert max(map(len, blocks)) < 2 * BLOCK
    assert b"".join(blocks) == b"Header: a\r\n" + b"x" * size + b"\r\n.\r\n"


def test_a_small_message_is_one_block_with_its_end() -> None:
    assert list(stuffed(b"abc\r\n", [b"H: 1\r\n", Span(0, 5)])) == [b"H: 1\r\nabc\r\n.\r\n"]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r\r\n", b"\n\n"])
def test_no_line_ending_of_any_kind_hides_an_end_of_data(ending: bytes) -> None:
    wire = b"".join(stuffed(b"", [b"a" + ending + b".\r\nMAIL FROM:<x>\r\n"]))
    assert wire.count(b"\n.\r\n") == 1
