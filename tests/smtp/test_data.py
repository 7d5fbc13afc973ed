"""Where the content ends and what it says: cases, and the decoder against a one-line model of RFC 5321."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.smtp.data import DataDecoder

END = b"\r\n.\r\n"
PIECES = st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"..", b"\r\n.", b"a", b"\0", b"\r\r\n", b"\n.\n", b"\n.\r\n"])
STREAMS = st.lists(PIECES, max_size=14).map(b"".join)

ENDINGS = {
    "a message": (b"a\r\n.\r\n", b"a\r\n", b""),
    "an empty message": (b".\r\n", b"", b""),
    "a blank line only": (b"\r\n.\r\n", b"\r\n", b""),
    "what follows the dot is kept for the next command": (b"a\r\n.\r\nQUIT\r\n", b"a\r\n", b"QUIT\r\n"),
    "a doubled dot is one dot": (b"..\r\n.\r\n", b".\r\n", b""),
    "a dot before text is taken off": (b".a\r\n.\r\n", b"a\r\n", b""),
    "a dot in a line stays": (b"a.b\r\n.\r\n", b"a.b\r\n", b""),
    "three dots are two": (b"...\r\n.\r\n", b"..\r\n", b""),
}

TAINTED = {
    "bare LF": b"a\nb\r\n",
    "bare CR": b"a\rb\r\n",
    "LF dot LF is no end": b"a\n.\nb\r\n",
    "LF dot CRLF is no end": b"a\n.\r\nb\r\n",
    "CR dot CR is no end": b"a\r.\rb\r\n",
    "CRLF dot LF is no end": b"a\r\n.\nb\r\n",
    "CRLF dot CR is no end": b"a\r\n.\rb\r\n",
    "CR CRLF": b"a\r\r\nb\r\n",
    "NUL": b"a\0b\r\n",
    "NUL before the dot": b"a\r\n\0.\r\nb\r\n",
}


def fed(decoder: DataDecoder, stream: bytes, size: int) -> bytes:
    """What comes out of a stream fed in chunks of `size`; what was not fed after the end is added to its rest."""
    out = b""
    for start in range(0, len(stream), size):
        out += decoder.feed(stream[start : start + size])
        if decoder.finished:
            decoder.rest += stream[start + size :]
            break
    return out


@pytest.mark.parametrize(("stream", "content", "rest"), ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_content(stream: bytes, content: bytes, rest: bytes, size: int) -> None:
    decoder = DataDecoder(strict=True)
    assert fed(decoder, stream, size) == content
    assert (decoder.finished, decoder.tainted, decoder.rest) == (True, False, rest)


@pytest.mark.parametrize("content", TAINTED.values(), ids=TAINTED)
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_bad_line_endings_taint_and_end_nothing(content: bytes, size: int) -> None:
    decoder = DataDecoder(strict=True)
    fed(decoder, content + b".\r\nRSET\r\n", size)
    assert (decoder.finished, decoder.tainted, decoder.rest) == (True, True, b"RSET\r\n")


@given(STREAMS, st.integers(1, 7))
def test_agrees_with_the_model(body: bytes, size: int) -> None:
    stream = body + END + b"NOOP\r\n"
    whole = b"\r\n" + stream
    end = whole.find(END)
    decoder = DataDecoder(strict=True)
    assert fed(decoder, stream, size) == whole[: end + 2].replace(b"\r\n.", b"\r\n")[2:]
    assert decoder.rest == whole[end + len(END) :]


@given(STREAMS, st.integers(1, 7))
def test_normalised_content_has_no_bare_byte(body: bytes, size: int) -> None:
    decoder = DataDecoder(strict=False)
    content = fed(decoder, body + END, size)
    assert b"\0" not in content
    assert content.count(b"\r") == content.count(b"\n") == content.count(b"\r\n")
