"""What every MailStore promises."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import StoreUnavailable
from gateway.keeping import KeptMail, Kind, Query, State
from gateway.mail import Envelope, Recipient
from gateway.store.open import Stores
from tests.store.families import START, content, kept, open_family, start, step

ODD = "\udce9\x00\r\n\u202e'\";DROP TABLE kept;--"


async def test_what_was_owned_comes_back_whole(stores: Stores) -> None:
    raw = content()
    mine = kept(raw)
    await stores.mail.own(mine, raw)
    assert await stores.mail.get(mine.id) == mine
    again = await stores.mail.raw(mine.id)
    assert again[0 : len(again)] == raw
    assert await stores.mail.steps(mine.id) == []


async def test_what_was_owned_is_there_after_a_restart(family: str, tmp_path: Path) -> None:
    raw = content(300_000)
    mine = kept(raw)
    stores = await open_family(family, tmp_path)
    await stores.mail.own(mine, raw)
    await stores.mail.note(mine.id, step("view"))
    assert await stores.mail.move(mine.id, before=State.WAITING, after=State.RELEASING, step=step())
    await stores.close()
    stores = await open_family(family, tmp_path)
    found = await stores.mail.get(mine.id)
    assert found is not None
    assert found.state is State.RELEASING
    assert [each.act for each in await stores.mail.steps(mine.id)] == ["view", "release"]
    assert (await stores.mail.raw(mine.id))[:] == raw
    await stores.close()


async def test_an_empty_message_and_strange_words_are_kept(stores: Stores) -> None:
    envelope = Envelope("", (Recipient(ODD, (ODD,)),), (ODD,))
    mine = kept(b"", envelope=envelope, subject=ODD, header_from=ODD, message_id=ODD, because=ODD, rules=(ODD,))
    await stores.mail.own(mine, b"")
    await stores.mail.note(mine.id, step(ODD, comment=ODD))
    assert await stores.mail.get(mine.id) == mine
    assert [each.comment for each in await stores.mail.steps(mine.id)] == [ODD]
    assert await stores.mail.find(Query(recipient=ODD, rule=ODD)) == [mine]


async def test_a_message_is_owned_once(stores: Stores) -> None:
    raw = content()
    mine = kept(raw)
    await stores.mail.own(mine, raw)
    with pytest.raises(StoreUnavailable):
        await stores.mail.own(kept(b"other", id=mine.id), b"other")
    assert (await stores.mail.raw(mine.id))[:] == raw
    assert await stores.mail.get(mine.id) == mine


@pytest.mark.parametrize("changes", [{"digest": "0" * 64}, {"size": 1}], ids=["other digest", "other size"])
async def test_bytes_that_are_not_what_the_entry_says_are_not_owned(stores: Stores, changes: dict[str, Any]) -> None:
    raw = content()
    mine = kept(raw, **changes)
    with pytest.raises(StoreUnavailable):
        await stores.mail.own(mine, raw)
    assert await stores.mail.get(mine.id) is None
    await stores.mail.own(kept(raw, id=mine.id), raw)


TRICKS = ["", "..", "../x", "a/b", "/etc/passwd", "a.b", "a\0b", "x" * 500, "á", "a b", "-rf", "A\n"]


@pytest.mark.parametrize("id", TRICKS, ids=repr)
async def test_an_id_that_could_lead_elsewhere_is_refused(stores: Stores, id: str) -> None:
    with pytest.raises(ValueError, match="is not an id"):
        await stores.mail.own(kept(b"x", id=id), b"x")
    assert await stores.mail.get(id) is None
    assert not await stores.mail.move(id, before=State.WAITING, after=State.RELEASED, step=step())
    assert await stores.mail.steps(id) == []
    await stores.mail.discard_content(id)
    with pytest.raises(StoreUnavailable):
        await stores.mail.raw(id)
    with pytest.raises(KeyError):
        await stores.mail.note(id, step())


async def test_a_move_happens_once_and_only_from_where_it_says(stores: Stores) -> None:
    mine = kept(b"x")
    await stores.mail.own(mine, b"x")
    move = {"before": State.WAITING, "after": State.RELEASING}
    tries = await asyncio.gather(*(stores.mail.move(mine.id, **move, step=step(str(n))) for n in range(20)))
    assert sorted(tries) == [False] * 19 + [True]
    winner = tries.index(True)
    assert [each.act for each in await stores.mail.steps(mine.id)] == [str(winner)]
    assert not await stores.mail.move(mine.id, before=State.WAITING, after=State.REJECTED, step=step())
    assert await stores.mail.move(mine.id, before=State.RELEASING, after=State.RELEASED, step=step())
    assert not await stores.mail.move("01NOBODY", before=State.WAITING, after=State.RELEASED, step=step())


def move_all(family: str, place: Path, ids: list[str], name: str, pipe: Connection) -> None:
    """In a process of its own: say when ready, wait for the word, move every message, tell which moves won."""

    async def work() -> list[str]:
        stores = await open_family(family, place)
        pipe.send("ready")
        pipe.recv()
        moves = (stores.mail.move(id, before=State.WAITING, after=State.RELEASING, step=step(actor=name)) for id in ids)
        won = await asyncio.gather(*moves)
        await stores.close()
        return [id for id, mine in zip(ids, won, strict=True) if mine]

    pipe.send(asyncio.run(work()))


async def test_two_processes_that_move_the_same_message_do_not_both_win(family: str, tmp_path: Path) -> None:
    stores = await open_family(family, tmp_path)
    mails = [kept(b"x") for _ in range(30)]
    for mine in mails:
        await stores.mail.own(mine, b"x")
    ids = [each.id for each in mails]
    others = [(name, *start(move_all, family, tmp_path, ids, name)) for name in ("one", "two", "three")]
    for _, _, pipe in others:
        assert await asyncio.to_thread(pipe.recv) == "ready"
    for _, _, pipe in others:
        pipe.send("go")
    won = {name: await asyncio.to_thread(pipe.recv) for name, _, pipe in others}
    for _, process, _ in others:
        await asyncio.to_thread(process.join)
    assert sorted(id for theirs in won.values() for id in theirs) == sorted(each.id for each in mails)
    for name, theirs in won.items():
        for id in theirs:
            assert [each.actor for each in await stores.mail.steps(id)] == [name]
    await stores.close()


async def test_content_is_destroyed_when_the_way_is_over_and_the_entry_stays(stores: Stores) -> None:
    mine = kept(b"x")
    await stores.mail.own(mine, b"x")
    with pytest.raises(ValueError, match="still needed"):
        await stores.mail.discard_content(mine.id)
    await stores.mail.move(mine.id, before=State.WAITING, after=State.DELETED, step=step("delete"))
    await stores.mail.discard_content(mine.id)
    await stores.mail.discard_content(mine.id)
    with pytest.raises(StoreUnavailable):
        await stores.mail.raw(mine.id)
    found = await stores.mail.get(mine.id)
    assert found is not None
    assert found.state is State.DELETED
    assert [each.act for each in await stores.mail.steps(mine.id)] == ["delete"]


FOUR = [
    kept(b"0", received=START),
    kept(b"1", received=START + timedelta(hours=1), kind=Kind.QUARANTINED, rules=("spam",)),
    kept(b"2", received=START + timedelta(hours=2), subject="Đơn xin NGHỈ phép 100%_a", message_id="<two@host>"),
    kept(
        b"3",
        received=START + timedelta(hours=3),
        envelope=Envelope("", (Recipient("Ba@Example.gov.vn"),)),
        header_from="who@example.net",
        state=State.EXPIRED,
    ),
]

QUERIES = {
    "nothing asked finds all, newest first": (Query(), [3, 2, 1, 0]),
    "a kind": (Query(kind=Kind.QUARANTINED), [1]),
    "a state": (Query(states=(State.EXPIRED,)), [3]),
    "one of two states": (Query(states=(State.EXPIRED, State.WAITING)), [3, 2, 1, 0]),
    "a sender in any case": (Query(sender="sender@EXAMPLE.com"), [2, 1, 0]),
    "a recipient in any case": (Query(recipient="ba@example.GOV.vn"), [3]),
    "the second of two recipients": (Query(recipient="hai@example.gov.vn"), [2, 1, 0]),
    "a rule": (Query(rule="spam"), [1]),
    "a rule is not a part of a rule": (Query(rule="spa"), []),
    "text in the subject, any case, any form of its accents": (Query(text="nghi\u0309 PHE\u0301P"), [2]),
    "text in an address": (Query(text="who@"), [3]),
    "text in the message's own id": (Query(text="TWO@host"), [2]),
    "text in our id": (Query(text=FOUR[1].id.lower()), [1]),
    "what LIKE would read as a wildcard is a character": (Query(text="100%_"), [2]),
    "a wildcard alone finds itself": (Query(text="_"), [2]),
    "since includes": (Query(since=START + timedelta(hours=2)), [3, 2]),
    "until excludes": (Query(until=START + timedelta(hours=2)), [1, 0]),
    "all at once": (Query(kind=Kind.HELD, states=(State.WAITING,), sender="sender@example.com", text="nghỉ"), [2]),
    "a page": (Query(limit=2, offset=1), [2, 1]),
    "a page beyond the end": (Query(offset=9), []),
    "no page at all": (Query(limit=0), []),
    "an odd question": (Query(text=ODD, sender="'", rule="\udcff"), []),
}


@pytest.mark.parametrize(("query", "numbers"), QUERIES.values(), ids=QUERIES)
async def test_find(stores: Stores, query: Query, numbers: list[int]) -> None:
    await own_all(stores, FOUR)
    assert await stores.mail.find(query) == [FOUR[number] for number in numbers]


async def test_find_sees_the_state_of_now(stores: Stores) -> None:
    await own_all(stores, FOUR[:1])
    await stores.mail.move(FOUR[0].id, before=State.WAITING, after=State.REJECTED, step=step())
    assert await stores.mail.find(Query(states=(State.WAITING,))) == []
    assert [each.state for each in await stores.mail.find(Query(states=(State.REJECTED,)))] == [State.REJECTED]


async def own_all(stores: Stores, mails: Iterable[KeptMail]) -> None:
    """Keep each; the bytes of these are their number."""
    for number, mine in enumerate(mails):
        await stores.mail.own(mine, str(number).encode())


async def test_only_what_is_over_is_forgotten_and_then_altogether(family: str, tmp_path: Path) -> None:
    stores = await open_family(family, tmp_path)
    over, waiting = kept(b"x"), kept(b"x")
    for mine in (over, waiting):
        await stores.mail.own(mine, b"x")
    for state in (State.WAITING, State.RELEASING):
        with pytest.raises(ValueError, match="needed"):
            await stores.mail.forget(waiting.id)
        await stores.mail.move(waiting.id, before=state, after=State.RELEASING, step=step())
    await stores.mail.move(over.id, before=State.WAITING, after=State.DELETED, step=step())
    await stores.mail.forget(over.id)
    await stores.mail.forget(over.id)
    for _ in range(2):
        assert await stores.mail.get(over.id) is None
        assert await stores.mail.steps(over.id) == []
        assert [each.id for each in await stores.mail.find(Query(rule=over.rules[0]))] == [waiting.id]
        with pytest.raises(StoreUnavailable):
            await stores.mail.raw(over.id)
        await stores.close()
        stores = await open_family(family, tmp_path)
    await stores.mail.own(over, b"x")
    await stores.close()


async def test_many_keep_mail_at_the_same_time(stores: Stores) -> None:
    mails = [(kept(raw), raw) for raw in (content(2000, str(number)) for number in range(60))]
    await asyncio.gather(*(stores.mail.own(mine, raw) for mine, raw in mails))
    assert {each.id for each in await stores.mail.find(Query())} == {mine.id for mine, _ in mails}
    for mine, raw in mails:
        assert (await stores.mail.raw(mine.id))[:] == raw


@pytest.mark.parametrize("turns", [0, 1, 2, 5])
async def test_a_caller_who_goes_away_leaves_nothing_owned(family: str, tmp_path: Path, turns: int) -> None:
    stores = await open_family(family, tmp_path)
    mine = kept(b"x")
    owning = asyncio.create_task(stores.mail.own(mine, b"x"))
    for _ in range(turns):
        await asyncio.sleep(0)
    owning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await owning
    await stores.close()
    stores = await open_family(family, tmp_path)
    assert await stores.mail.get(mine.id) is None
    await stores.mail.own(mine, b"x")
    await stores.close()
