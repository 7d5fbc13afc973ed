"""Any family's codes: remembered, found, used once, forgotten."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from gateway.keeping import Code
from gateway.store.open import Stores
from tests.store.families import START, open_family

CODE = Code(
    digest="ab" * 32,
    message="06ES4D1KQ2Z7N8XYAB",
    acts=("approve", "reject"),
    person="a@example.gov.vn",
    expires=START + timedelta(days=3),
)


async def test_a_code_is_what_was_put_also_after_a_restart(family: str, tmp_path: Path) -> None:
    stores = await open_family(family, tmp_path)
    await stores.codes.put([CODE, replace(CODE, digest="cd" * 32, person="b@example.gov.vn")])
    await stores.codes.put([])
    await stores.close()
    stores = await open_family(family, tmp_path)
    assert await stores.codes.peek(CODE.digest) == CODE
    assert await stores.codes.peek("ef" * 32) is None
    await stores.close()


async def test_it_is_used_once_whoever_comes(stores: Stores, family: str, tmp_path: Path) -> None:
    await stores.codes.put([CODE])
    other = await open_family(family, tmp_path)
    redeemed = await asyncio.gather(
        *(each.codes.redeem(CODE.digest, START + timedelta(hours=1)) for each in (stores, other) * 10)
    )
    await other.close()
    assert sorted(redeemed) == [False] * 19 + [True]
    assert await stores.codes.peek(CODE.digest) == replace(CODE, used=START + timedelta(hours=1))
    assert not await stores.codes.redeem("ef" * 32, START)


async def test_what_has_expired_is_forgotten(stores: Stores) -> None:
    await stores.codes.put([CODE, replace(CODE, digest="cd" * 32, expires=START)])
    assert await stores.codes.forget(START + timedelta(seconds=1)) == 1
    assert await stores.codes.peek("cd" * 32) is None
    assert await stores.codes.peek(CODE.digest) == CODE
