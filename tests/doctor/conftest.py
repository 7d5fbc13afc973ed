"""A gateway to look at: its settings and policy in a folder, written as an operator writes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.config import load_settings
from gateway.doctor.model import Check, Line, Patient
from gateway.extract.opener import Opener
from gateway.limits import FileReading
from gateway.policy.load import load

POLICY = """
version: 1
organisation: {domains: [example.gov.vn], directory: accounts.csv}
rules: []
"""
NOW = datetime(2026, 3, 10, 5, tzinfo=UTC)

Made = Callable[..., Patient]


@pytest.fixture
def patient(tmp_path: Path) -> Made:
    """`patient(policy=TEXT, upstream=..., listener={...}, **settings)`."""

    def made(
        policy: str = POLICY, upstream: str = "maildir:maildir", listener: dict[str, Any] | None = None, **settings: Any
    ) -> Patient:
        (tmp_path / "accounts.csv").write_text("address,state\nchi@example.gov.vn,locked\nan@example.gov.vn,active\n")
        (tmp_path / "policy.yaml").write_text(policy)
        document = {
            "listeners": [{"name": "inbound", "smtp": "127.0.0.1:1", "upstream": upstream, **(listener or {})}],
            "policy": "policy.yaml",
            "state": "state",
            "hostname": "mx.example.gov.vn",
            **settings,
        }
        (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(document))
        read = load_settings(tmp_path / "gateway.yaml")
        opener = Opener(FileReading())  # starts nothing before a file is to be read
        return Patient(settings=read, policy=load(read.policy), now=NOW, open_mail=opener.open)

    return made


async def lines(check: Check, patient: Patient) -> list[Line]:
    """All that a check says."""
    return [line async for line in check(patient)]
