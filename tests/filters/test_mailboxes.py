"""Address fields: every mailbox that some program takes out of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters._mailboxes import MOST_MAILBOXES, mailboxes

FIELDS = {
    "name and address": ("An <an@example.org>", [("An", "an@example.org")]),
    "an address alone": ("an@example.org", [("", "an@example.org")]),
    "a quoted name with a comma": ('"Nguyen, An" <an@example.org>', [("Nguyen, An", "an@example.org")]),
    "a quoted name with a quote": (r'"a \" b" <an@example.org>', [('a " b', "an@example.org")]),
    "an encoded name": ("=?utf-8?b?QW4sIEI=?= <an@example.org>", [("An, B", "an@example.org")]),
    "an encoded address is a name": (
        "=?utf-8?q?gd=40example=2Egov=2Evn?= <x@e.example>",
        [("gd@example.gov.vn", "x@e.example")],
    ),
    "all of it encoded": ("=?utf-8?q?An_=3Can=40e=2Eexample=3E?=", [("An <an@e.example>", "")]),
    "two mailboxes": ("a@e.example, B <b@e.example>", [("", "a@e.example"), ("B", "b@e.example")]),
    "two addresses in one": ("<a@e.example> <b@f.example>", [("", "a@e.example"), ("", "b@f.example")]),
    "an address before the brackets": ("gd@own.example <x@e.example>", [("gd@own.example", "x@e.example")]),
    "a comment": ("an@example.org (An (of) us)", [("", "an@example.org")]),
    "brackets in a comment": ("an@example.org (<b@e.example>)", [("", "an@example.org")]),
    "a route": ("<@a.example,@b.example:an@example.org>", [("", "an@example.org")]),
    "a group": ("us: a@e.example, b@e.example;", [("", "a@e.example"), ("", "b@e.example")]),
    "brackets that are not closed": ("An <an@example.org", [("An", "an@example.org")]),
    "quotes that are not closed": ('"An <an@example.org>', [("", "an@example.org")]),
    "nothing": ("", []),
}


@pytest.mark.parametrize(("text", "found"), FIELDS.values(), ids=FIELDS)
def test_fields(text: str, found: list[tuple[str, str]]) -> None:
    assert [(mailbox.name, mailbox.address) for mailbox in mailboxes(text)] == found


def test_domains() -> None:
    assert [each.domain for each in mailboxes("a@Example.ORG., b@[192.0.2.1], c@x, d")] == ["example.org", "", "", ""]


@given(st.text(alphabet='ab@.<>(),;:"\\ =?\t', max_size=300))
def test_any_text_in_linear_time(text: str) -> None:
    assert len(mailboxes(text)) <= MOST_MAILBOXES


@pytest.mark.parametrize("piece", ["<", ">", "(", ")", '"', "\\", ",", "a@", "a@b,", "=?utf-8?q?", "<a"])
def test_absurd_fields_end(piece: str) -> None:
    mailboxes(piece * 100_000)
