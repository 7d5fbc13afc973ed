"""Each test of the contract runs for each family of stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.store.open import Stores
from tests.store.families import FAMILIES, open_family


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    """The family's name."""
    return str(request.param)


@pytest.fixture
async def stores(family: str, tmp_path: Path) -> AsyncIterator[Stores]:
    """Its stores, open and empty."""
    opened = await open_family(family, tmp_path)
    yield opened
    await opened.close()
