"""What every AuditTrail promises."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from gateway.keeping import AuditRecord
from gateway.store.open import Stores
from tests.store.families import START, open_family, record

HANOI = timezone(timedelta(hours=7))
ODD = "\udce9\x00\r\n\u202e'\";DROP TABLE records;--"


async def found(stores: Stores, **asked: Any) -> list[AuditRecord]:
    """All that a search finds."""
    return [each async for each in stores.trail.search(**{"since": None, "until": None} | asked)]


async def test_what_was_appended_comes_back_after_a_restart(family: str, tmp_path: Path) -> None:
    records = [record(subject=ODD, nested={"a": [1, 2.5, None, True]}), record(sender=""), record(event="policy")]
    stores = await open_family(family, tmp_path)
    await stores.trail.append(records)
    await stores.trail.append([])
    await stores.close()
    stores = await open_family(family, tmp_path)
    assert await found(stores) == records
    assert await stores.trail.verify() == []
    await stores.close()


FIVE = [
    record(id="M0", sender="Mot@Example.com"),
    record(id="M1", moment=START + timedelta(minutes=1), action="accept", rules=[]),
    record(id="M2", moment=START + timedelta(minutes=2), direction="outbound", rules=["spam", "no-signup"]),
    record(id="M3", moment=START - timedelta(minutes=3), sender="", event="view", actor="officer"),
    record(id="M0", moment=START + timedelta(minutes=4), recipient="hai@example.gov.vn", note=ODD),
]

SEARCHES: dict[str, tuple[dict[str, Any], list[int]]] = {
    "nothing asked finds all, oldest first": ({}, [3, 0, 1, 2, 4]),
    "an id": ({"id": "M0"}, [0, 4]),
    "a sender in any case": ({"sender": "mot@EXAMPLE.com"}, [0]),
    "the null sender": ({"sender": ""}, [3]),
    "a recipient": ({"recipient": "hai@example.gov.vn"}, [4]),
    "an account": ({"account": "MOT@example.gov.vn"}, [3, 0, 1, 2, 4]),
    "an event": ({"event": "view"}, [3]),
    "an action": ({"action": "accept"}, [1]),
    "a direction": ({"direction": "outbound"}, [2]),
    "a rule, whether written as an id or with its result": ({"rule": "spam"}, [3, 0, 2, 4]),
    "a rule and a sender": ({"rule": "spam", "sender": ""}, [3]),
    "a fact without an index": ({"actor": "officer"}, [3]),
    "a fact with odd characters": ({"note": ODD}, [4]),
    "a fact with an odd name": ({"note'$.\"": "x"}, []),
    "several": ({"id": "M0", "action": "hold", "sender": "sender@example.com"}, [4]),
    "since includes": ({"since": START + timedelta(minutes=2)}, [2, 4]),
    "until excludes": ({"until": START + timedelta(minutes=2)}, [3, 0, 1]),
    "a span given in another zone": (
        {"since": datetime(2026, 3, 1, 15, 1, tzinfo=HANOI), "until": START + timedelta(hours=1)},
        [1, 2, 4],
    ),
    "a rule in a span": ({"rule": "spam", "since": START, "until": START + timedelta(minutes=3)}, [0, 2]),
    "nobody": ({"sender": "nobody@example.com"}, []),
}


@pytest.mark.parametrize(("asked", "numbers"), SEARCHES.values(), ids=SEARCHES)
async def test_search(stores: Stores, asked: dict[str, Any], numbers: list[int]) -> None:
    await stores.trail.append(FIVE)
    assert await found(stores, **asked) == [FIVE[number] for number in numbers]


async def test_search_streams_more_than_a_page_in_order(stores: Stores) -> None:
    records = [record(moment=START + timedelta(seconds=number // 7), number=number) for number in range(1201)]
    await stores.trail.append(records)
    assert [each.facts["number"] for each in await found(stores, sender="sender@example.com")] == list(range(1201))
    assert [each.facts["number"] for each in await found(stores, rule="spam")] == list(range(1201))


async def test_many_append_at_the_same_time(stores: Stores) -> None:
    await asyncio.gather(*(stores.trail.append([record(number=n), record(number=n)]) for n in range(150)))
    assert sorted(each.facts["number"] for each in await found(stores)) == sorted([*range(150)] * 2)
    assert await stores.trail.verify() == []


async def test_facts_that_are_not_json_are_the_callers_mistake_and_harm_nobody_else(stores: Stores) -> None:
    good = record()
    outcomes = await asyncio.gather(
        stores.trail.append([record(moment_seen=datetime.now(UTC))]),
        stores.trail.append([record(ratio=float("nan"))]),
        stores.trail.append([good]),
        return_exceptions=True,
    )
    assert [type(each) for each in outcomes] == [TypeError, ValueError, type(None)]
    assert await found(stores) == [good]


async def test_records_expire_by_class_and_the_chain_stays_whole(stores: Stores) -> None:
    old, new = START - timedelta(days=400), START - timedelta(days=200)
    records = [
        record(id="A", moment=old),
        record(id="B", moment=old, retention="evidence"),
        record(id="C", moment=old),
        record(id="D", moment=new),
    ]
    await stores.trail.append(records)
    assert await stores.trail.expire(START, {"decision": timedelta(days=366)}) == 2
    assert await found(stores, event="message") == [records[1], records[3]]
    assert await found(stores, rule="spam") == [records[1], records[3]]
    assert len(await found(stores, event="expired")) == 1
    assert await stores.trail.verify() == []
    assert await stores.trail.expire(START, {"decision": timedelta(days=366)}) == 0
    await stores.trail.append([record()])
    assert await stores.trail.expire(START, {"decision": timedelta(days=190), "evidence": timedelta(days=390)}) == 2
    assert [each.id for each in await found(stores, event="message")] != []
    assert await stores.trail.verify() == []


async def test_what_is_kept_has_no_end_unless_its_class_is_named(stores: Stores) -> None:
    await stores.trail.append([record(moment=START - timedelta(days=4000), retention="evidence")])
    assert await stores.trail.expire(START) == 0
    assert await stores.trail.expire(START, {}) == 0
    assert len(await found(stores)) == 1


@pytest.mark.parametrize("classes", [{"decision": timedelta(days=183)}, {"chain": timedelta(days=900)}])
async def test_nobody_may_clear_what_is_younger_than_six_months(stores: Stores, classes: dict[str, timedelta]) -> None:
    with pytest.raises(ValueError, match="least"):
        await stores.trail.expire(START, classes)


async def test_years_of_expiry_leave_a_short_chain(stores: Stores) -> None:
    for month in range(30):
        now = START + timedelta(days=30 * month)
        await stores.trail.append([record(moment=now, number=month, retention="decision") for _ in range(5)])
        await stores.trail.expire(now, {"decision": timedelta(days=190)})
        assert await stores.trail.verify() == []
    rows = [row async for row in stores.trail.rows()]
    assert {each.facts["number"] for each in await found(stores, event="message")} == set(range(23, 30))
    assert rows[-1].number == 30 * 5 + len(range(7, 30))
    assert len(rows) < 70


async def test_a_search_goes_on_while_records_are_appended(stores: Stores) -> None:
    await stores.trail.append([record(number=number) for number in range(700)])
    seen = []
    async for each in stores.trail.search(since=None, until=None, sender="sender@example.com"):
        if each.facts["number"] == 0:
            await stores.trail.append([record(number=700, moment=START + timedelta(hours=1))])
        seen.append(each.facts["number"])
    assert seen == list(range(701))
