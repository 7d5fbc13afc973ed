"""A trail under pseudonyms holds no address and no subject, and answers questions about them all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.store.open import open_store
from gateway.store.pseudonyms import QUOTED, Pseudonyms
from tests.store.families import record

KEY = bytes(range(32))


async def test_a_trail_under_pseudonyms(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(KEY)
    stores = await open_store(tmp_path / "state", pseudonyms=Pseudonyms.from_file(tmp_path / "key"))
    mine = record(id="M1", sender="Nguoi.Gui@example.com", copies=["a@example.com", "b@example.com"], subject="Mật thư")
    await stores.trail.append([mine, record(id="M2", sender="")])

    async def ids(**asked: Any) -> list[str]:
        return [each.id async for each in stores.trail.search(**asked)]

    (found,) = [each async for each in stores.trail.search(sender="nguoi.gui@EXAMPLE.com")]
    assert found.id == "M1"
    assert await ids(sender=found.facts["sender"]) == ["M1"]
    assert await ids(subject="mật thư") == ["M1"]
    assert await ids(sender="") == ["M2"]
    assert await ids(sender="nobody@example.com") == []
    assert found.facts["action"] == "hold"
    assert await stores.trail.verify() == []
    await stores.close()
    written = b"".join(path.read_bytes() for path in (tmp_path / "state").glob("trail*"))
    for word in (b"nguoi", b"Nguoi", b"example.com", b"M\\u1eadt"):
        assert word not in written


def test_what_is_quoted_or_found_is_hidden_and_the_rest_can_be_read() -> None:
    facts = {
        "action": "kept",
        "comment": "no-signup: sender is 'a@example.com'",
        "answers": [{"rule": "one", "because": "header Subject is 'M\\'ật', \"nor 'this'\"; size is 3 octets"}],
        "findings": [
            {
                "code": "auth.spf",
                "fields": {"domain": "example.com", "text": "<a@example.com>, b@x", "many": ["c@x", 3], "score": 1.5},
            }
        ],
    }
    hidden = Pseudonyms(KEY).hide(facts)
    assert hidden["comment"] == "no-signup: sender is '…'"
    assert hidden["answers"] == [{"rule": "one", "because": "header Subject is '…', '…'; size is 3 octets"}]
    fields = hidden["findings"][0]["fields"]
    assert (fields["domain"], fields["score"], fields["many"][1]) == ("example.com", 1.5, 3)
    assert fields["text"] == f"<{Pseudonyms(KEY).of('a@example.com')}>, {Pseudonyms(KEY).of('b@x')}"
    assert Pseudonyms(KEY).hide({"action": "approved", "comment": "it's 'fine'"})["comment"] == "it's 'fine'"


@given(st.text(alphabet="'\"\\ab@.<> ", max_size=2_000))
def test_any_explanation_can_be_hidden(text: str) -> None:
    hidden = Pseudonyms(KEY).hide({"answers": [{"because": text}], "findings": [{"fields": {"x": text}}]})
    because = hidden["answers"][0]["because"]
    assert "@" not in "".join(QUOTED.findall(because))
    assert because.partition("'…'")[0] == text.partition("'")[0].partition('"')[0]


def test_a_value_that_was_cut_is_hidden_to_its_end() -> None:
    cut = {"answers": [{"because": "sender is 'a@exam"}]}
    assert Pseudonyms(KEY).hide(cut)["answers"] == [{"because": "sender is '…'"}]


def test_another_key_gives_another_pseudonym() -> None:
    assert Pseudonyms(KEY).of("a@example.com") != Pseudonyms(KEY[::-1]).of("a@example.com")
    assert Pseudonyms(KEY).of("A@Example.com") == Pseudonyms(KEY).of("a@example.com")


def test_what_looks_like_a_pseudonym_is_hidden_too() -> None:
    forged = Pseudonyms(KEY).of("a@example.com")
    assert Pseudonyms(KEY).hide({"sender": forged})["sender"] != forged


def test_a_short_key_is_refused_and_no_key_is_shown() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Pseudonyms(b"short")
    assert "x02" not in repr(Pseudonyms(KEY))
