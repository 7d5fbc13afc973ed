"""The filter `rate`: what counts, for whom, for how long; and that only mail that was taken counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters._rate.counting import counted, with_more
from filters.rate import Exceeded, Limit, Rate, Repeated, Surge
from gateway.mail import Client, Envelope, Mail, Recipient
from gateway.mime.parse import parse
from gateway.reply import OK, TROUBLE, Reply
from gateway.schema.scalars import Duration
from gateway.verdict import Finding

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TEXT = b"Subject: x\r\n\r\nThe invitation to the conference on water and land, with the programme.\r\n"


def mail(
    to: int = 1, *, after: float = 0.0, outside: bool = True, raw: bytes = b"Subject: x\r\n\r\nhi", **changes: Any
) -> Mail:
    domain = "example.org" if outside else "example.gov.vn"
    values: dict[str, Any] = {
        "id": "1",
        "listener": "x",
        "received": NOON + timedelta(seconds=after),
        "client": Client(address="10.0.0.1", login="an@example.gov.vn"),
        "envelope": Envelope("an@example.gov.vn", tuple(Recipient(f"r{n}@{domain}") for n in range(to))),
        "inside": True,
        "domains": frozenset({"example.gov.vn"}),
        "raw": raw,
        "root": parse(raw),
    }
    return Mail(**values | changes)


async def found(rate: Rate, message: Mail) -> list[Finding]:
    return [finding async for finding in rate.inspect(message)]


async def sent(rate: Rate, *messages: Mail, reply: Reply = OK) -> None:
    for message in messages:
        await rate.answered(message, reply, ())


def limited(**numbers: Any) -> Rate:
    return Rate(limits=(Limit(**{"of": "account", "per": Duration(600)} | numbers),))


STRANGER = Client(address="192.0.2.7")
OTHER_LOGIN = Client(address="10.0.0.1", login="binh@example.gov.vn")
LIMITS = {
    "the limit itself may be reached": (limited(messages=3), [mail(), mail()], mail(), None),
    "one more is too much": (limited(messages=3), [mail(), mail(), mail()], mail(), 4),
    "recipients are counted, not messages": (limited(recipients=10), [mail(6)], mail(5), 11),
    "one message alone may be too much": (limited(recipients=10), [], mail(11), 11),
    "inside recipients are not outside": (limited(outside=3), [mail(9, outside=False)], mail(3), None),
    "outside recipients are": (limited(outside=3), [mail(3)], mail(1), 4),
    "another account has its own count": (limited(messages=1), [mail(client=OTHER_LOGIN)], mail(), None),
    "letters of a login may be large": (
        limited(messages=1),
        [mail(client=replace(OTHER_LOGIN, login="An@Example.gov.vn"))],
        mail(),
        2,
    ),
    "what is older than the window is gone": (limited(messages=1), [mail()], mail(after=1200), None),
    "half of the window before counts half": (limited(messages=5), [mail()] * 10, mail(after=900), 6),
    "without a login the sender inside is the account": (
        limited(messages=1),
        [mail(client=Client(address="10.0.0.9"))],
        mail(client=Client(address="10.0.0.1")),
        2,
    ),
    "a stranger has no account": (limited(messages=1), [mail()], mail(client=STRANGER, inside=False), None),
    "a client is counted by its address": (
        limited(of="client", messages=1),
        [mail(client=STRANGER, inside=False)],
        mail(client=STRANGER, inside=False, envelope=Envelope("b@b.example", (Recipient("c@example.gov.vn"),))),
        2,
    ),
    "of IPv6 the network of 64 bits is one client": (
        limited(of="client", messages=1),
        [mail(client=Client(address="2001:db8::1"))],
        mail(client=Client(address="2001:db8::ffff:1")),
        2,
    ),
    "the sender's domain": (limited(of="domain", messages=1), [mail()], mail(), 2),
    "a null sender has no domain": (
        limited(of="domain", messages=1),
        [mail(envelope=Envelope("", (Recipient("a@b.example"),)))],
        mail(envelope=Envelope("", (Recipient("a@b.example"),))),
        None,
    ),
}


@pytest.mark.parametrize(("rate", "before", "now", "count"), LIMITS.values(), ids=LIMITS)
async def test_limits(rate: Rate, before: list[Mail], now: Mail, count: int | None) -> None:
    rate = replace(rate)
    await sent(rate, *before)
    exceeded = [each for each in await found(rate, now) if isinstance(each, Exceeded)]
    assert [each.count for each in exceeded] == ([] if count is None else [count])


async def test_several_limits_tell_one_step_from_the_next() -> None:
    rate = Rate(
        limits=(
            Limit(of="account", outside=50, per=Duration(600), name="warn"),
            Limit(of="account", outside=100, per=Duration(600), name="defer"),
        )
    )
    await sent(rate, mail(60))
    [exceeded] = await found(rate, mail(1))
    assert exceeded.code == "exceeded"
    assert exceeded.facts() == {
        "of": "account", "counted": "outside", "count": 61, "limit": 50, "per": 600.0, "name": "warn"
    }  # fmt: skip


@pytest.mark.parametrize("reply", [TROUBLE, Reply(550, "7.1", "no")], ids=["deferred", "refused"])
async def test_what_was_not_taken_does_not_count(reply: Reply) -> None:
    rate = limited(messages=1)
    await sent(rate, mail(), mail(), reply=reply)
    assert await found(rate, mail()) == []


async def test_looking_counts_nothing() -> None:
    rate = limited(messages=1)
    for _ in range(5):
        assert await found(rate, mail()) == []


HOURS = [mail(2, after=-3600.0 * hour) for hour in range(8, 0, -1)]


async def test_surge_against_the_own_history() -> None:
    rate = Rate(surge_least=30)
    await sent(rate, *HOURS, mail(10))
    [surge] = await found(rate, mail(25))
    assert isinstance(surge, Surge)
    assert (surge.code, surge.count, surge.ratio) == ("surge", 35, 17.5)


QUIET = {
    "little is no surge": (HOURS, 29),
    "what is usual is not known yet": (HOURS[:3], 100),
    "who always sends much": ([mail(100, after=-3600.0 * hour) for hour in range(8, 0, -1)], 300),
}


@pytest.mark.parametrize(("before", "now"), QUIET.values(), ids=QUIET)
async def test_no_surge(before: list[Mail], now: int) -> None:
    rate = Rate(surge_least=30)
    await sent(rate, *before)
    assert not [each for each in await found(rate, mail(now)) if isinstance(each, Surge)]


def text(body: bytes) -> bytes:
    return b"Subject: x\r\n\r\n" + body


SAME = {
    "the very same": (TEXT, TEXT, True),
    "another greeting by address and number": (
        text(b"Dear an@example.org, ticket 1741:\r\nplease come to the festival of the river villages, https://a.b/c?x=1"),
        text(b"Dear  bi@example.org, ticket 22:\r\nplease come to THE festival of the river villages https://a.b/c?x=2"),
        True,
    ),
    "another text": (TEXT, text(b"Minutes of the meeting of Monday with all decisions on water."), False),
    "so short that many write it": (text(b"Received, thank you."), text(b"Received, thank you."), False),
}


@pytest.mark.parametrize(("one", "other", "same"), SAME.values(), ids=SAME)
async def test_the_same_message(one: bytes, other: bytes, same: bool) -> None:
    rate = Rate()
    await sent(rate, *[mail(2, raw=one)] * 12)
    findings = await found(rate, mail(2, raw=other))
    assert findings == ([Repeated(messages=13, recipients=26, outside=26)] if same else [])
    assert all(each.code == "repeated" for each in findings)


async def test_same_attachment_under_another_name_is_the_same() -> None:
    def attached(name: bytes) -> bytes:
        head = b"Content-Type: application/pdf; name=" + name + b"\r\nContent-Transfer-Encoding: base64"
        return head + b"\r\n\r\nJVBERi0xLjQ=\r\n"

    rate = Rate()
    await sent(rate, mail(20, raw=attached(b"a.pdf")))
    assert [each.code for each in await found(rate, mail(1, raw=attached(b"b.pdf")))] == ["repeated"]


async def test_same_message_of_two_accounts_is_two() -> None:
    rate = Rate()
    await sent(rate, mail(30, raw=TEXT))
    assert await found(rate, mail(1, raw=TEXT, client=OTHER_LOGIN)) == []


async def test_counts_go_on_under_the_next_policy_and_after_a_restart(tmp_path: Path) -> None:
    rate = limited(messages=2)
    rate.keep_in(tmp_path)
    await sent(rate, mail(), mail())
    following = limited(messages=1)
    following.inherit(rate)
    assert [each.code for each in await found(following, mail())] == ["exceeded"]
    await sent(following, mail())
    rate.close()
    started = limited(messages=1)
    started.keep_in(tmp_path)
    [exceeded] = await found(started, mail())
    assert exceeded.facts()["count"] == 4
    assert b"example" not in b"".join(each.read_bytes() for each in tmp_path.iterdir())


WRONG: dict[str, dict[str, Any]] = {
    "needs": {},
    "at least 1": {"messages": 0},
    "window": {"messages": 1, "per": Duration(0.5)},
}


@pytest.mark.parametrize(("message", "numbers"), WRONG.items(), ids=WRONG)
def test_wrong_limits(message: str, numbers: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=message):
        limited(**numbers)


@given(st.binary(max_size=2000))
async def test_strangers_bytes_raise_nothing(raw: bytes) -> None:
    rate = limited(messages=1)
    await sent(rate, mail(raw=raw))
    await found(rate, mail(raw=raw))


@given(st.lists(st.tuples(st.floats(0, 10_000), st.integers(1, 9)), min_size=1, max_size=50))
def test_count_lies_between_what_is_in_this_window_and_what_is_in_two(hits: list[tuple[float, int]]) -> None:
    row = None
    hits = sorted(hits)
    for at, amount in hits:
        row = with_more(row, 60.0, at, amount)
    last = hits[-1][0]
    here = sum(amount for at, amount in hits if at // 60 == last // 60)
    two = sum(amount for at, amount in hits if at // 60 >= last // 60 - 1)
    assert here <= counted(row, 60.0, last) <= two
