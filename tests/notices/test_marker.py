from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mime.parse import parse
from gateway.notices.compose import compose
from gateway.notices.marker import KEY_SIZE, LIFETIME, is_own, mark, read_key
from gateway.notices.original import MARKER, Original
from tests.notices.conftest import KEY, LETTERHEAD, NOW, foreign, notices, original


def come_back() -> Original:
    """A notice of ours, as the gateway sees it when it comes by."""
    notice = notices(original())["kept-recipient"]
    marker = parse(compose(notice, LETTERHEAD)).header(MARKER) or ""
    return foreign(sender="", recipients=(notice.to,), marker=marker)


def test_a_notice_that_comes_back_is_known() -> None:
    assert is_own(come_back(), KEY)


OTHERS = {
    "no mark": {"marker": ""},
    "somebody else's mark": {"marker": mark(bytes(32), "a" * 40, "dung@example.gov.vn", NOW)},
    "a mark for another recipient": {"recipients": ("em@example.gov.vn",)},
    "a mark sent to more people": {"recipients": ("dung@example.gov.vn", "em@example.gov.vn")},
    "a sender": {"sender": "a@example.com"},
    "an old mark": {"received": NOW + LIFETIME + timedelta(seconds=1)},
    "a mark from the future": {"received": NOW - LIFETIME - timedelta(seconds=1)},
    "no number": {"marker": "a; t=٣; mac=b"},
    "an endless number": {"marker": f"a; t={'9' * 150}; mac=b"},
    "an endless mark": {"marker": "a" * 1_000_000},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS)
def test_nothing_else_is(changes: dict[str, object]) -> None:
    assert not is_own(replace(come_back(), **changes), KEY)  # type: ignore[arg-type]


@given(st.text(max_size=250))
def test_no_text_is_taken_for_a_mark(text: str) -> None:
    assert not is_own(replace(come_back(), marker=text), KEY)


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    key = read_key(tmp_path / "key")
    assert len(key) == KEY_SIZE
    assert read_key(tmp_path / "key") == key
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_damaged_key_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(ValueError):
        read_key(tmp_path / "key")
