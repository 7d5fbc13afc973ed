"""An entry survives its file, and a file that was touched is not an entry."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.keeping import State
from gateway.mail import Client, Envelope, Recipient
from gateway.store.entry import BrokenEntry, file_bytes, file_content, kept_json, kept_of
from gateway.store.text import folded, storable
from tests.store.families import kept, step

texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
parameters = st.lists(texts, max_size=3).map(tuple)
entries = st.builds(
    lambda **changes: replace(kept(b"x"), **changes),
    state=st.sampled_from(State),
    client=st.builds(Client, address=texts, port=st.integers(0, 65535), name=texts, login=texts, tls=st.booleans()),
    envelope=st.builds(
        Envelope, texts, st.lists(st.builds(Recipient, texts, parameters), max_size=3).map(tuple), parameters
    ),
    subject=texts,
    rules=parameters,
    received=st.datetimes(timezones=st.just(UTC)),
)


@given(entries, st.lists(st.builds(lambda act, comment: step(act, comment=comment), texts, texts), max_size=3))
def test_an_entry_comes_back(mine: Any, steps: Any) -> None:
    assert kept_of(kept_json(mine), mine.state) == mine
    assert file_content(file_bytes(mine, steps)) == (mine, tuple(steps))


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_seen_or_changes_nothing(place: int, difference: int) -> None:
    mine = kept(b"x")
    written = bytearray(file_bytes(mine, [step()]))
    written[place % len(written)] ^= difference
    with suppress(BrokenEntry):
        assert file_content(bytes(written)) == (mine, (step(),))


@given(st.binary(max_size=200))
def test_strange_bytes_are_not_an_entry(written: bytes) -> None:
    with pytest.raises(BrokenEntry):
        file_content(written)


@given(texts)
def test_stored_text_is_storable_and_folding_twice_is_folding_once(text: str) -> None:
    storable(text).encode()
    folded(text).encode()
    assert len(folded(text)) <= 512
