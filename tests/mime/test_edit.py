"""Edits: each changes its own bytes, and what it writes is read back by us and by the standard library."""

from __future__ import annotations

import email
import email.header
import email.message
import email.policy
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail import Span
from gateway.mime.banner import bannered
from gateway.mime.decode import decoded
from gateway.mime.edit import edited, joined
from gateway.mime.parse import parse
from gateway.verdict import AddHeader, Banner, Edit, RemoveHeader, ReplaceHeader, StripPart, TagSubject

from .test_parse import HOSTILE, message

PLAIN = b"From: a@example.org\r\nSubject: hello\r\nX-Spam: 1\r\nx-spam: 2\r\n\r\nbody\r\n"


def changed(raw: bytes, *edits: Edit) -> bytes:
    return joined(raw, edited(raw, parse(raw), edits))


HEADER_EDITS: dict[str, tuple[bytes, Sequence[Edit], bytes]] = {
    "no edit": (PLAIN, (), PLAIN),
    "a field on top": (PLAIN, (AddHeader("X-Note", "seen"),), b"X-Note: seen\r\n" + PLAIN),
    "two on top, the last first": (
        b"A: 1\r\n\r\n",
        (AddHeader("X", "1"), AddHeader("X", "2")),
        b"X: 2\r\nX: 1\r\nA: 1\r\n\r\n",
    ),
    "every field of a name, in any case": (
        PLAIN,
        (RemoveHeader("X-SPAM"),),
        b"From: a@example.org\r\nSubject: hello\r\n\r\nbody\r\n",
    ),
    "a folded field": (b"A: 1\r\n 2\r\n\t3\r\nB: 1\r\n\r\n", (RemoveHeader("a"),), b"B: 1\r\n\r\n"),
    "a field that is not there": (PLAIN, (RemoveHeader("X-Other"),), PLAIN),
    "one in the place of two": (
        PLAIN,
        (ReplaceHeader("X-Spam", "no"),),
        b"From: a@example.org\r\nSubject: hello\r\nX-Spam: no\r\n\r\nbody\r\n",
    ),
    "one in the place of none": (b"A: 1\r\n\r\n", (ReplaceHeader("B", "2"),), b"B: 2\r\nA: 1\r\n\r\n"),
    "what was added is taken out again": (PLAIN, (AddHeader("X", "1"), RemoveHeader("x")), PLAIN),
    "a tag": (b"Subject: hello\r\n\r\n", (TagSubject("[EXT]"),), b"Subject: [EXT] hello\r\n\r\n"),
    "a tag that is there": (b"Subject: [EXT] hello\r\n\r\n", (TagSubject("[EXT]"),), b"Subject: [EXT] hello\r\n\r\n"),
    "a tag twice": (b"Subject: hi\r\n\r\n", (TagSubject("[A]"), TagSubject("[A]")), b"Subject: [A] hi\r\n\r\n"),
    "a tag without a subject": (b"A: 1\r\n\r\n", (TagSubject("[EXT]"),), b"Subject: [EXT]\r\nA: 1\r\n\r\n"),
    "a tag for an empty subject": (b"Subject: \r\n\r\n", (TagSubject("[EXT]"),), b"Subject: [EXT]\r\n\r\n"),
    "a tag before a subject in a charset we do not know": (
        b"Subject: =?x-none?q?=FF?=\r\n\r\n",
        (TagSubject("[EXT]"),),
        b"Subject: [EXT] =?x-none?q?=FF?=\r\n\r\n",
    ),
    "line breaks in a value": (b"\r\n", (AddHeader("X", "a\r\nBcc: b\0\u2028c"),), b"X: a  Bcc: b  c\r\n\r\n"),
    "a field above a body without a head": (
        b" hello\r\n",
        (AddHeader("X", "1"),),
        b"X: 1\r\n\r\n hello\r\n",
    ),
    "a field above a message without a body": (b"A: 1", (AddHeader("X", "1"),), b"X: 1\r\nA: 1\r\n\r\n"),
    "a field behind the line of a mailbox file": (
        b"From a@b Mon\nA: 1\n\nbody",
        (AddHeader("X", "1"),),
        b"From a@b Mon\nX: 1\r\nA: 1\n\nbody",
    ),
}


@pytest.mark.parametrize(("raw", "edits", "expected"), HEADER_EDITS.values(), ids=HEADER_EDITS)
def test_header_edits(raw: bytes, edits: Sequence[Edit], expected: bytes) -> None:
    assert changed(raw, *edits) == expected


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "á"])
def test_no_field_has_such_a_name(name: str) -> None:
    with pytest.raises(ValueError):
        changed(PLAIN, AddHeader(name, "x"))


SUBJECTS = ["hello", "Báo cáo tuần", "=?utf-8?q?B=C3=A1o?=", "a " * 60, "Báo cáo " * 20, "x" * 200]


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("tag", ["[EXT]", "[NGOÀI]", "[ngoài cơ quan nhà nước, cần thận trọng]"])
def test_a_tagged_subject_reads_as_tag_and_subject(subject: str, tag: str) -> None:
    raw = changed(b"\r\n", AddHeader("Subject", subject))
    before = parse(raw).header("subject")
    after = changed(raw, TagSubject(tag))
    assert parse(after).header("subject") == f"{tag} {before}"
    assert str(email.message_from_bytes(after, policy=email.policy.default)["subject"]) == f"{tag} {before}"
    assert max(map(len, after.split(b"\r\n"))) <= max(78, len(subject) + 1)


TEXT = st.text(st.characters(codec="utf-8"), max_size=300)


@given(TEXT)
def test_any_value_is_one_field(value: str) -> None:
    field = changed(b"\r\n", AddHeader("X-Value", value)).removesuffix(b"\r\n\r\n")
    for line in field.split(b"\r\n"):
        assert line.isascii()
        assert b"\r" not in line
        assert b"\n" not in line
        assert b"\0" not in line
        assert line.strip()
    assert all(line.startswith(b" ") for line in field.split(b"\r\n")[1:])
    raw = field + b"\r\n\r\n"
    ours = parse(raw).header("x-value")
    theirs = email.message_from_bytes(raw)["x-value"]
    assert "".join(str(email.header.make_header(email.header.decode_header(theirs))).split()) == "".join(
        (ours or "").split()
    )


@given(
    st.text(
        st.characters(min_codepoint=32, max_codepoint=0xFFFF, exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=200
    )
)
def test_a_value_is_read_back(value: str) -> None:
    root = parse(changed(b"\r\n", AddHeader("X-Value", value)))
    assert root.header("x-value") == value.strip()


EDITS = st.lists(
    st.one_of(
        st.builds(AddHeader, st.just("X-A"), TEXT),
        st.builds(RemoveHeader, st.sampled_from(["Content-Type", "X-A", "Subject"])),
        st.builds(ReplaceHeader, st.sampled_from(["Subject", "X-B"]), TEXT),
        st.builds(TagSubject, st.sampled_from(["[EXT]", "[NGOÀI]"])),
        st.builds(Banner, TEXT),
        st.builds(StripPart, st.sampled_from(["", "1", "1.1", "2", "1.TEXT"]), TEXT),
    ),
    max_size=5,
)


@given(HOSTILE, EDITS)
def test_edits_keep_the_bytes_they_do_not_name(raw: bytes, edits: list[Edit]) -> None:
    pieces = edited(raw, parse(raw), edits)
    spans = [piece for piece in pieces if isinstance(piece, Span)]
    assert all(span.start < span.stop for span in spans)
    assert all(before.stop <= after.start for before, after in pairwise(spans))
    out = joined(raw, pieces)
    assert parse(out) is not None
    if not edits:
        assert out == raw
    if all(isinstance(edit, AddHeader | TagSubject) for edit in edits) and edits:
        body = parse(raw).body
        assert out.endswith(raw[body.start :])


def test_a_message_without_edits_is_one_span() -> None:
    assert edited(PLAIN, parse(PLAIN), ()) == (Span(0, len(PLAIN)),)


FILE = (
    b'Content-Type: application/pdf; name="a.pdf"\r\nContent-Description: a.pdf\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0="
)
BODY = b"Content-Type: text/plain\r\n\r\nhello"


def test_a_stripped_part_leaves_its_notice() -> None:
    raw = b"Subject: x\r\n" + message(BODY, FILE, BODY)
    out = changed(raw, StripPart("2", "Đã gỡ tệp a.pdf\ndòng hai"))
    before, after = parse(raw), parse(out)
    assert [part.media_type for part in after.children] == ["text/plain"] * 3
    assert decoded(out, after.children[1]).decode() == "Đã gỡ tệp a.pdf\r\ndòng hai\r\n"
    assert after.children[1].names == ()
    assert after.children[1].defects == ()
    cut = before.children[1].head.start
    assert out[:cut] == raw[:cut]
    assert out.endswith(raw[before.children[1].body.stop :])


def test_a_message_that_is_the_attachment_keeps_its_own_fields() -> None:
    raw = b"From: a@example.org\r\nSubject: x\r\n" + FILE
    out = changed(raw, StripPart("", "gone"))
    root = parse(out)
    assert (root.media_type, root.header("subject"), root.header("mime-version"), root.names) == (
        "text/plain",
        "x",
        "1.0",
        (),
    )
    assert decoded(out, root) == b"gone\r\n"
    assert email.message_from_bytes(out).get_payload(decode=True) == b"gone\r\n"


def test_a_part_within_a_stripped_part_goes_with_it() -> None:
    inner = b"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n" + BODY + b"\r\n--c--"
    raw = message(inner, BODY)
    assert changed(raw, StripPart("1", "gone"), StripPart("1.1", "also")) == changed(raw, StripPart("1", "gone"))


def test_a_label_that_no_part_has_strips_none() -> None:
    assert changed(PLAIN, StripPart("7", "gone")) == PLAIN


VI = "Thư từ bên ngoài"
UTF_8 = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
BANNERED: dict[str, tuple[bytes, str]] = {
    "ASCII in 7bit": (b"\r\nhello\r\n", "Caution"),
    "Vietnamese in 7bit": (b"\r\nhello\r\n", VI),
    "UTF-8 in 8bit": (
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nchào\r\n".encode(),
        VI,
    ),
    "a charset that cannot carry it": (
        b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\ncaf\xe9\r\n",
        VI,
    ),
    "quoted-printable": (
        UTF_8 + b"quoted-printable\r\n\r\nch=C3=A0o=\r\n!",
        VI,
    ),
    "base64": (
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n",
        VI,
    ),
    "UTF-16": (
        b"Content-Type: text/plain; charset=utf-16\r\nContent-Transfer-Encoding: base64\r\n\r\n//5oAGkA\r\n",
        "Caution",
    ),
    "no empty line behind the head": (b"Subject: x\r\nhello there\r\n", "Note: x"),
    "nothing": (b"", VI),
}


@pytest.mark.parametrize(("raw", "text"), BANNERED.values(), ids=BANNERED)
def test_a_banner_stands_above_the_text(raw: bytes, text: str) -> None:
    before = email.message_from_bytes(raw, policy=email.policy.default)
    out = changed(raw, Banner(text))
    after = email.message_from_bytes(out, policy=email.policy.default)
    content = after.get_content()
    assert content.splitlines()[:2] == [text, ""]
    rest = before.get_content().splitlines()
    assert content.splitlines()[len(content.splitlines()) - len(rest) :] == rest
    assert len(content.splitlines()) <= len(rest) + 4  # base64 is brought to whole groups by empty lines
    assert after["subject"] == before["subject"]


@pytest.mark.parametrize("encoding", ["8bit", "quoted-printable", "base64"])
def test_a_banner_before_text_that_can_carry_it_leaves_every_byte(encoding: str) -> None:
    raw = UTF_8 + encoding.encode() + b"\r\n\r\naGVs\r\nbG8=\r\n"
    head, body = raw[: parse(raw).body.start], raw[parse(raw).body.start :]
    out = changed(raw, Banner(VI))
    assert out.startswith(head)
    assert out.endswith(body)


def test_a_banner_is_in_each_alternative_and_nowhere_else() -> None:
    html = b"Content-Type: text/html\r\n\r\n<html><head></head><body bgcolor='>'><p>hi</p></body></html>"
    alternative = (
        b"Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n" + BODY + b"\r\n--c\r\n" + html + b"\r\n--c--"
    )
    raw = message(alternative, FILE, BODY)
    assert [part.label for part in bannered(parse(raw))] == ["1.1", "1.2"]
    out = changed(raw, Banner("a <b> ế"))
    [_, _, plain, page, file, last] = parse(out).walk()
    assert decoded(out, plain).decode() == "a <b> ế\r\n\r\nhello"
    assert decoded(out, page).startswith(b"<html><head></head><body bgcolor='>'>\r\n<div")
    assert b"a &lt;b&gt; &#7871;" in decoded(out, page)
    assert decoded(out, page).endswith(b"<p>hi</p></body></html>")
    assert (decoded(out, file), decoded(out, last)) == (b"%PDF-", b"hello")


PAGES = {
    "behind the body tag": (b"<body><p>", b"<body>"),
    "behind the head": (b"<head></head><p>", b"<head></head>"),
    "behind the doctype": (b"<!DOCTYPE html><p>", b"<!DOCTYPE html>"),
    "at the start": (b"<p>", b""),
    "not in a comment": (b"<!-- <body> --><body><p>", b"<!-- <body> --><body>"),
    "not in a comment that does not end": (b"<!-- <body><p>", b""),
}


@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64"])
@pytest.mark.parametrize(("page", "before"), PAGES.values(), ids=PAGES)
def test_a_banner_in_a_page(encoding: str, page: bytes, before: bytes) -> None:
    written = email.message.EmailMessage(policy=email.policy.SMTP)
    written.set_content(page.decode(), subtype="html", cte=encoding)
    raw = written.as_bytes()
    out = changed(raw, Banner("note"))
    content = decoded(out, parse(out))
    assert content.startswith(before)
    assert content[len(before) :].lstrip().startswith(b"<div")
    assert content.rstrip().endswith(page[len(before) :])


@pytest.mark.parametrize("sealed", ["multipart/signed", "multipart/encrypted"])
def test_signed_and_encrypted_bodies_are_left_alone(sealed: str) -> None:
    head = f"Content-Type: {sealed}; boundary=b\r\n\r\n".encode()
    for raw in (
        message(BODY, FILE, head=head),
        message(head.replace(b"=b", b"=c") + b"--c\r\n" + BODY + b"\r\n--c--", BODY),
    ):
        assert bannered(parse(raw)) == ()
        assert changed(raw, Banner("x")) == raw


def test_mail_without_a_text_has_no_banner() -> None:
    assert changed(message(FILE), Banner("x")) == message(FILE)


def test_a_banner_and_a_stripped_part_together() -> None:
    raw = message(BODY, FILE)
    out = changed(raw, Banner("note"), StripPart("2", "gone"), TagSubject("[EXT]"), AddHeader("X", "1"))
    root = parse(out)
    assert [decoded(out, part) for part in root.children] == [b"note\r\n\r\nhello", b"gone\r\n"]
    assert root.header("subject") == "[EXT]"
