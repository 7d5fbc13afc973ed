"""The terms in an entry are read as they were written, whatever people wrote in them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.custody.terms import EDITS, Panel, Terms, terms_of, written
from gateway.keeping import Kind
from gateway.mail import Recipient
from gateway.policy.rule import Bilingual
from gateway.verdict import AddHeader, Banner, Edit, RemoveHeader, ReplaceHeader, StripPart, TagSubject
from tests.custody.conftest import waiting

TEXT = st.text(max_size=20)
MOMENTS = st.none() | st.datetimes().map(lambda moment: moment.replace(tzinfo=UTC))
NAMES = st.lists(TEXT, max_size=3).map(tuple)
PANELS = st.builds(
    Panel,
    rule=TEXT,
    approvers=NAMES,
    quorum=st.integers(1, 9),
    remind_at=MOMENTS,
    remind=NAMES,
    escalate_at=MOMENTS,
    escalate=NAMES,
)
EVERY_EDIT = st.one_of(
    st.builds(AddHeader, TEXT, TEXT),
    st.builds(RemoveHeader, TEXT),
    st.builds(ReplaceHeader, TEXT, TEXT),
    st.builds(TagSubject, TEXT),
    st.builds(Banner, TEXT),
    st.builds(StripPart, TEXT, TEXT),
)
WORDS = st.text(min_size=1, max_size=9).filter(str.strip)
TERMS = st.builds(
    Terms,
    panels=st.lists(PANELS, max_size=2).map(tuple),
    end=st.sampled_from(["reject", "release", "delete"]),
    recipients=st.lists(st.builds(Recipient, TEXT, NAMES), max_size=2).map(tuple),
    edits=st.lists(EVERY_EDIT, max_size=3).map(tuple),
    text=st.none() | st.builds(Bilingual, vi=WORDS, en=WORDS),
)


@given(TERMS)
def test_round_trip(terms: Terms) -> None:
    assert terms_of(waiting(terms=written(terms))) == terms


def test_every_edit_can_be_written() -> None:
    assert set(EDITS.values()) == set(Edit.__args__)


def test_an_entry_without_terms_goes_on_as_it_came() -> None:
    held, other = waiting(quorum=2), waiting(kind=Kind.QUARANTINED, approvers=())
    panel = Panel(rule="many", approvers=("a@example.gov.vn", "b@example.gov.vn"), quorum=2)
    assert terms_of(held) == Terms(panels=(panel,), end="reject", recipients=held.envelope.recipients)
    assert terms_of(other) == Terms(end="delete", recipients=other.envelope.recipients)


@pytest.mark.parametrize("text", ["x", "[]", "{}", '{"panels": 1}'])
def test_what_is_no_terms_is_an_error(text: str) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        terms_of(waiting(terms=text))


def test_a_moment_keeps_its_zone() -> None:
    moment = datetime.fromisoformat("2026-11-24T09:00+07:00")
    panel = Panel(rule="a", approvers=("a",), remind_at=moment)
    assert terms_of(waiting(terms=written(Terms(panels=(panel,))))).panels[0].remind_at == moment
