"""What the end-to-end tests share."""

from __future__ import annotations

import uuid

import pytest


@pytest.fixture
def mark() -> str:
    """A word that only this test's messages have."""
    return f"mark-{uuid.uuid4().hex}"
