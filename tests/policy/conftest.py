"""Policies from texts, with the filters of `tests/policy/filters`, and mails to ask them about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import ConfigurationError
from gateway.mail import Client, Envelope, Mail, Recipient
from gateway.mime.parse import parse
from gateway.policy.load import load
from gateway.policy.model import Policy

TODAY = date(2026, 11, 24)

LETTER = b"From: a@example.org\r\nSubject: Hello\r\nX-Flag: yes\r\n\r\nText.\r\n"


PLACES = ("tests.policy.filters",)


@pytest.fixture
def places() -> tuple[str, ...]:
    """Where the filters of these tests are found."""
    return PLACES


@pytest.fixture
def policy(tmp_path: Path) -> Callable[..., Policy]:
    """`policy(TEXT, **files)` loads a policy of this text; other files are written beside it by their name."""

    def of(text: str, *, today: date = TODAY, **files: str) -> Policy:
        for name, content in files.items():
            (tmp_path / f"{name}.yaml").write_text(content)
        (tmp_path / "policy.yaml").write_text(text if "version:" in text else f"version: 1\n{text}")
        return load(tmp_path / "policy.yaml", places=PLACES, today=today)

    return of


@pytest.fixture
def problems(policy: Callable[..., Policy], tmp_path: Path) -> Callable[..., list[str]]:
    """`problems(TEXT, **files)` are the lines that `check` would print, without the folder."""

    def of(text: str, **files: str) -> list[str]:
        try:
            policy(text, **files)
        except ConfigurationError as error:
            return [str(problem).replace(f"{tmp_path}/", "") for problem in error.problems]
        return []

    return of


def make_mail(**changes: Any) -> Mail:
    """A letter from outside to one of ours, with changes: `sender`, `to`, `client`, `raw` and fields of Mail."""
    sender, to = changes.pop("sender", "a@example.org"), changes.pop("to", ["b@example.gov.vn"])
    raw = changes.pop("raw", LETTER)
    values: dict[str, Any] = {
        "id": "1",
        "listener": "inbound",
        "received": datetime(2026, 11, 24, 2, 0, tzinfo=UTC),
        "client": Client(address="192.0.2.7", name="mx.example.org", helo="mx.example.org"),
        "envelope": Envelope(sender, tuple(Recipient(address) for address in to)),
        "inside": False,
        "domains": frozenset({"example.gov.vn"}),
        "accounts": {},
        "raw": raw,
        "root": parse(raw),
    }
    return Mail(**values | changes)


@pytest.fixture
def mail() -> Callable[..., Mail]:
    """Makes a mail."""
    return make_mail
