"""What every MailStore says of how much there is."""

from __future__ import annotations

from datetime import timedelta

from gateway.keeping import Kind, State
from gateway.store.open import Stores
from tests.store.families import START, content, kept, step


async def test_an_empty_store_has_nothing(stores: Stores) -> None:
    tally = await stores.mail.tally()
    assert (dict(tally.held), dict(tally.quarantined), tally.oldest) == ({}, {}, None)


async def test_what_has_not_ended_is_counted(stores: Stores) -> None:
    raw = content()
    for age, state in ((1, State.WAITING), (3, State.WAITING), (5, State.RELEASING), (9, State.REJECTED)):
        await stores.mail.own(kept(raw, state=state, received=START - timedelta(hours=age)), raw)
    for retention, state in (("quarantine", State.WAITING), ("malware", State.WAITING), ("malware", State.RELEASED)):
        own = kept(raw, kind=Kind.QUARANTINED, state=state, retention=retention, received=START - timedelta(days=9))
        await stores.mail.own(own, raw)
    tally = await stores.mail.tally()
    assert tally.held == {State.WAITING: 2, State.RELEASING: 1}
    assert tally.quarantined == {"quarantine": 1, "malware": 1}
    assert tally.oldest == START - timedelta(hours=3)


async def test_what_moves_is_counted_where_it_is(stores: Stores) -> None:
    raw = content()
    mine = kept(raw)
    await stores.mail.own(mine, raw)
    assert await stores.mail.move(mine.id, before=State.WAITING, after=State.RELEASING, step=step())
    assert (await stores.mail.tally()).held == {State.RELEASING: 1}
    assert await stores.mail.move(mine.id, before=State.RELEASING, after=State.RELEASED, step=step())
    assert (await stores.mail.tally()).held == {}
