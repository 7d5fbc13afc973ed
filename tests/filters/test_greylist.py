"""The filter `greylist`: who is new, who comes again, who is known, and who is never asked to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from filters.greylist import Greylist, New
from gateway.mail import Client, Envelope, Mail, Recipient
from gateway.mime.parse import parse
from gateway.reply import OK, TROUBLE, Reply
from gateway.schema.scalars import Duration

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE, DAY = 60.0, 86_400.0
REFUSED = Reply(550, "7.1", "no")


def mail(
    after: float = 0.0, *to: str, sender: str = "a@example.org", inside: bool = False, **client: Any
) -> Mail:
    raw = b"Subject: x\r\n\r\nhi"
    return Mail(
        id="1",
        listener="x",
        received=NOON + timedelta(seconds=after),
        client=Client(**{"address": "192.0.2.7"} | client),
        envelope=Envelope(sender, tuple(Recipient(each) for each in to or ("an@example.gov.vn",))),
        inside=inside,
        domains=frozenset({"example.gov.vn"}),
        raw=raw,
        root=parse(raw),
    )


async def wait(greylist: Greylist, message: Mail) -> int:
    """Seconds that the client is asked to wait, 0 where nothing is found."""
    findings = [finding async for finding in greylist.inspect(message)]
    assert all(finding.code == "new" for finding in findings)
    return findings[0].seconds if findings and isinstance(findings[0], New) else 0


Answers = list[tuple[Mail, Reply]]
TRIED: Answers = [(mail(), TROUBLE)]
PASSED: Answers = [*TRIED, (mail(5 * MINUTE), OK)]
PROVEN: Answers = [
    (mail(6 * MINUTE * n, f"r{n}@example.gov.vn", sender=f"s{n}@example.org"), OK) for n in range(5)
]
QUICK: Answers = [(mail(n, f"r{n}@example.gov.vn", sender=f"s{n}@example.org"), OK) for n in range(9)]

CASES: dict[str, tuple[Answers, Mail, int]] = {
    "new": ([], mail(), 300),
    "too early": (TRIED, mail(2 * MINUTE), 180),
    "again after the delay": (TRIED, mail(5 * MINUTE), 0),
    "again from a neighbour of the client": (TRIED, mail(5 * MINUTE, address="192.0.2.99"), 0),
    "again from another network": (TRIED, mail(5 * MINUTE, address="198.51.100.7"), 300),
    "another sender": (TRIED, mail(5 * MINUTE, sender="b@example.org"), 300),
    "another recipient": (TRIED, mail(5 * MINUTE, "binh@example.gov.vn"), 300),
    "letters of addresses may be large": (TRIED, mail(5 * MINUTE, "AN@example.gov.vn", sender="A@example.org"), 0),
    "a second try does not begin anew": ([*TRIED, (mail(MINUTE), TROUBLE)], mail(5 * MINUTE), 0),
    "after two days all begins anew": (TRIED, mail(3 * DAY), 300),
    "refused for good is no try": ([(mail(), REFUSED)], mail(5 * MINUTE), 300),
    "known": (PASSED, mail(30 * DAY), 0),
    "not any more": (PASSED, mail(40 * DAY), 300),
    "one of two recipients is new": (PASSED, mail(DAY, "an@example.gov.vn", "binh@example.gov.vn"), 300),
    "a domain that has passed often enough": (PROVEN, mail(DAY, sender="new@example.org"), 0),
    "not from elsewhere": (PROVEN, mail(DAY, sender="new@example.org", address="198.51.100.7"), 300),
    "not another domain": (PROVEN, mail(DAY, sender="new@example.net"), 300),
    "not for ever": (PROVEN, mail(40 * DAY, sender="new@example.org"), 300),
    "many at one time prove nothing": (QUICK, mail(DAY, sender="new@example.org"), 300),
    "a null sender": ([], mail(sender=""), 300),
    "IPv6 by its /64": ([(mail(address="2001:db8::1"), TROUBLE)], mail(5 * MINUTE, address="2001:db8::2:1"), 0),
    "mail of our own": ([], mail(inside=True), 0),
    "who logged in": ([], mail(login="an@example.gov.vn"), 0),
    "a client nobody knows": ([], mail(address=""), 0),
    "a partner's network": ([], mail(address="203.0.113.9"), 0),
    "a service that comes from anywhere": ([], mail(name="mail-x1.big.example"), 0),
    "a mailbox that cannot wait": ([], mail(0, "duong-day-nong@example.gov.vn"), 0),
}


def greylist() -> Greylist:
    return Greylist(
        never_networks=(ip_network("203.0.113.0/24"),),
        never_clients=frozenset({"big.example"}),
        never_recipients=frozenset({"duong-day-nong@example.gov.vn"}),
    )


@pytest.mark.parametrize(("before", "now", "seconds"), CASES.values(), ids=CASES)
async def test_who_waits(before: Answers, now: Mail, seconds: int) -> None:
    filter_ = greylist()
    for message, reply in before:
        await filter_.answered(message, reply, ())
    assert await wait(filter_, now) == seconds


async def test_looking_teaches_nothing() -> None:
    filter_ = greylist()
    assert [await wait(filter_, mail(minutes * MINUTE)) for minutes in (0, 5, 10)] == [300, 300, 300]


async def test_what_is_known_goes_on_under_the_next_policy_and_after_a_restart(tmp_path: Path) -> None:
    first = Greylist()
    first.keep_in(tmp_path)
    await first.answered(mail(), TROUBLE, ())
    following = Greylist(delay=Duration(120))
    following.inherit(first)
    assert await wait(following, mail(MINUTE)) == 60
    await following.save()
    started = Greylist()
    started.keep_in(tmp_path)
    assert await wait(started, mail(5 * MINUTE)) == 0
    assert b"example" not in (tmp_path / "tried.sqlite").read_bytes()


@pytest.mark.parametrize("options", [{"delay": 0}, {"retry_within": 10}, {"passes": 0}], ids=str)
def test_options_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Greylist(**options)
