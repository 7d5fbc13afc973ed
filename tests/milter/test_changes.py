"""What an MTA is told to change makes of its message the one that the other front end would send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail import Span
from gateway.milter.answers import ChangeHeader, InsertHeader
from gateway.milter.changes import Layout, body_changes, header_changes
from gateway.milter.wire import packet
from gateway.mime.edit import edited, joined
from gateway.mime.parse import parse
from gateway.verdict import AddHeader, Banner, Edit, RemoveHeader, ReplaceHeader, StripPart, TagSubject
from tests.milter.client import Answered, changed

Fields = list[tuple[bytes, bytes]]


def built(fields: Fields, body: bytes, *, spaced: bool = True) -> tuple[bytes, Layout]:
    """A message of these fields, and where they lie."""
    raw, spans = b"", []
    for name, value in fields:
        line = name + b":" + value + b"\r\n"
        spans.append(Span(len(raw), len(raw) + len(line)))
        raw += line
    return raw + b"\r\n" + body, Layout(tuple(name for name, _ in fields), tuple(spans), len(raw) + 2, spaced)


def told(raw: bytes, layout: Layout, pieces: tuple[bytes | Span, ...]) -> Answered:
    packets = [packet(each) for each in (*header_changes(layout, pieces), *body_changes(layout, raw, pieces))]
    return Answered(b"a", changes=[(each[4:5], each[5:]) for each in packets])


NAMES = [b"Subject", b"subject", b"X-A", b"x-a", b"X-B", b"Content-Type", b"Content-Transfer-Encoding", b"MIME-Version"]
VALUES = [
    b" a",
    b"",
    b"tight",
    b" folded\r\n\tline",
    b" text/plain; charset=utf-8",
    b" 7bit",
    b" multipart/mixed; boundary=x",
]
BODIES = [b"", b"text\r\n", b"--x\r\n\r\none\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>two\r\n--x--\r\n", b"\r\n\r\n"]
EDITS: list[Edit] = [
    AddHeader("X-A", "new"),
    AddHeader("X-C", "Cần chú ý " * 12),
    RemoveHeader("x-a"),
    RemoveHeader("Subject"),
    ReplaceHeader("X-A", "other"),
    ReplaceHeader("X-B", "first"),
    TagSubject("[Mark]"),
    TagSubject("[Ngoài]"),
    Banner("Chú ý\nTake care"),
    StripPart("1", "gone"),
]

fields_of = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), min_size=1, max_size=8)


@given(fields_of, st.sampled_from(BODIES), st.lists(st.sampled_from(EDITS), max_size=4), st.booleans())
def test_the_mta_ends_up_with_the_same_message(fields: Fields, body: bytes, edits: list[Edit], traced: bool) -> None:
    raw, layout = built(fields, body)
    trace = b"X-Mailwarden: action=tag; policy=0\r\n" if traced else b""
    pieces = (trace, *edited(raw, parse(raw), edits)) if traced else edited(raw, parse(raw), edits)

    assert changed(raw, told(raw, layout, pieces)) == trace + joined(raw, edited(raw, parse(raw), edits))


def test_what_stays_is_not_told() -> None:
    raw, layout = built([(b"Subject", b" a"), (b"X-A", b" b")], b"body\r\n")
    assert told(raw, layout, (Span(0, len(raw)),)).changes == []


def test_the_last_of_a_name_goes_first() -> None:
    raw, layout = built([(b"X-A", b" 1"), (b"X-B", b" 2"), (b"x-a", b" 3")], b"")
    changes = header_changes(layout, edited(raw, parse(raw), [RemoveHeader("X-A")]))
    assert changes == [ChangeHeader(2, b"x-a", b""), ChangeHeader(1, b"X-A", b"")]


def test_without_the_leading_space_the_mta_puts_its_own() -> None:
    raw, layout = built([(b"Subject", b" a")], b"", spaced=False)
    changes = header_changes(layout, edited(raw, parse(raw), [AddHeader("X-A", "b"), TagSubject("[m]")]))
    assert changes == [ChangeHeader(1, b"Subject", b"[m] a"), InsertHeader(0, b"X-A", b"b")]


def test_half_a_field_is_no_change_that_an_mta_can_make() -> None:
    _, layout = built([(b"Subject", b" a"), (b"X-A", b" b")], b"")
    with pytest.raises(ValueError, match="half a field"):
        header_changes(layout, (Span(0, 3),))


def test_a_large_body_goes_in_pieces() -> None:
    raw, layout = built([(b"Subject", b" a")], b"x" * 200_000)
    pieces = (Span(0, layout.body), b"banner\r\n", Span(layout.body, len(raw)))
    assert [len(each.data) for each in body_changes(layout, raw, pieces)] == [8, 65535, 65535, 65535, 3395]
