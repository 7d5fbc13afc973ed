"""Subscription bombing: many services, one mailbox, an hour; from the count to what its owner is told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters._signup.bombing import EACH, MAILBOXES, MOST_RECIPIENTS, Recent, number_of
from filters.signup import Bombing, Signup
from gateway.keeping import Kind, Query
from gateway.mail import Envelope, Mail, Recipient
from gateway.notices.gathering import Gathering
from gateway.reply import OK, REFUSED, TROUBLE, Reply
from gateway.schema.scalars import Duration
from gateway.verdict import Finding
from tests.conftest import Start
from tests.faults import FakeHop
from tests.filters.test_signup import TOKEN, mail, written
from tests.test_app import send

NOON = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
OWNER = "b@example.gov.vn"


def registration(service: str = "a.example") -> bytes:
    text = f"Vui lòng xác nhận địa chỉ email: https://{service}/verify?token={TOKEN}"
    return written(f"Shop <no-reply@{service}>", "Xác nhận email", text)


def newsletter(service: str = "a.example") -> bytes:
    text = "Ưu đãi cuối tuần. Mua ngay! Hủy đăng ký nhận tin."
    return written(f"Shop <no-reply@{service}>", "[QC] Giảm giá 50%", text, List_Unsubscribe=f"<https://{service}/u>")


def sign_in(service: str = "a.example") -> bytes:
    return written(f"Hub <a@{service}>", "Your login code", "To sign in to your account, enter the login code: 482913")


def letter(service: str = "a.example") -> bytes:
    return written(f"An <an@{service}>", "Báo cáo quý III", "Kính gửi Sở, xin gửi báo cáo quý III.")


def at(raw: bytes, minutes: float = 0.0, *to: str) -> Mail:
    recipients = tuple(Recipient(address) for address in to or (OWNER,))
    envelope = Envelope("sender@example.net", recipients)
    return replace(mail(raw), received=NOON + timedelta(minutes=minutes), envelope=envelope)


async def taken(signup: Signup, *mails: Mail, reply: Reply = OK) -> None:
    for each in mails:
        await signup.answered(each, reply, list(signup.inspect(each)))


def bombings(signup: Signup, asked: Mail) -> list[tuple[str, int]]:
    found: Iterable[Finding] = signup.inspect(asked)
    return [(each.recipient, each.services) for each in found if isinstance(each, Bombing)]


def services(count: int, start: int = 0) -> list[str]:
    return [f"s{number}.example" for number in range(start, start + count)]


BOMBED = [at(registration(service), number) for number, service in enumerate(services(9))]
TENTH = registration("tenth.example")
CASES: dict[str, tuple[list[Mail], Mail, int | None]] = {
    "nine services in nine minutes": (BOMBED[:8], at(TENTH, 10), None),
    "the tenth": (BOMBED, at(TENTH, 10), 10),
    "the tenth when the hour of the first is over": (BOMBED, at(TENTH, 60), None),
    "the tenth within the last minute": (BOMBED, at(TENTH, 59), 10),
    "one service that writes again and again": (
        [at(registration("s.example"), minute) for minute in range(30)],
        at(registration("s.example"), 31),
        None,
    ),
    "subdomains of one service": (
        [at(registration(f"m{number}.shop.vn"), number) for number in range(15)],
        at(registration("x.shop.vn"), 20),
        None,
    ),
    "one of the ten again": (BOMBED, at(registration("s3.example"), 10), None),
    "a dozen newsletters in the morning": (
        [at(newsletter(service)) for service in services(12)],
        at(newsletter("x.example")),
        None,
    ),
    "thirty newsletters": ([at(newsletter(service)) for service in services(29)], at(newsletter("x.example")), 30),
    "a newsletter among registrations": (
        [*BOMBED, *(at(newsletter(each), 9) for each in services(2, start=20))],
        at(newsletter("x.example"), 10),
        12,
    ),
    "registrations of services whose newsletters came before count once": (
        [at(newsletter(each)) for each in services(9)] + BOMBED,
        at(TENTH, 10),
        10,
    ),
    "an address with a tag leads to the same mailbox": (
        [at(registration(each), 0, f"B+{each}@Example.gov.vn") for each in services(9)],
        at(TENTH, 10),
        10,
    ),
    "another mailbox": (BOMBED, at(TENTH, 10, "c@example.gov.vn"), None),
    "a code to sign in is let be": ([*BOMBED, at(TENTH, 10)], at(sign_in("x.example"), 11), None),
    "a letter is let be": ([*BOMBED, at(TENTH, 10)], at(letter("x.example"), 11), None),
    "the next registration is not": ([*BOMBED, at(TENTH, 10)], at(registration("x.example"), 11), 11),
}


@pytest.mark.parametrize(("before", "now", "count"), CASES.values(), ids=CASES)
async def test_who_is_bombed(before: list[Mail], now: Mail, count: int | None) -> None:
    signup = Signup()
    await taken(signup, *before)
    assert [services for _, services in bombings(signup, now)] == ([] if count is None else [count])
    assert [services for _, services in bombings(signup, now)] == ([] if count is None else [count])  # asking is free


async def test_each_recipient_has_its_own_count() -> None:
    signup = Signup()
    await taken(signup, *BOMBED)
    asked = at(TENTH, 10, "a@example.gov.vn", OWNER, "x@elsewhere.example")
    assert bombings(signup, asked) == [(OWNER, 10)]
    await taken(signup, *(at(registration(each), 10, "a@example.gov.vn", OWNER) for each in services(9, start=30)))
    assert bombings(signup, asked) == [("a@example.gov.vn", 10), (OWNER, 19)]


async def test_mail_to_very_many_is_no_answer_to_a_form() -> None:
    signup = Signup()
    everybody = [f"u{number}@example.gov.vn" for number in range(MOST_RECIPIENTS + 1)]
    await taken(signup, *(at(registration(each), 0, *everybody) for each in services(12)))
    assert bombings(signup, at(TENTH, 1, everybody[0])) == []


@pytest.mark.parametrize("reply", [REFUSED, TROUBLE], ids=["refused", "deferred"])
async def test_what_was_not_taken_does_not_count(reply: Reply) -> None:
    signup = Signup()
    await taken(signup, *BOMBED, reply=reply)
    assert bombings(signup, at(TENTH, 10)) == []


async def test_memory_outlives_a_policy_and_a_restart(tmp_path: Path) -> None:
    first = Signup()
    first.keep_in(tmp_path)
    await taken(first, *BOMBED)
    second = Signup(bombing_services=12)
    second.inherit(first)
    assert bombings(second, at(TENTH, 10)) == []
    await first.save()
    third = Signup()
    third.keep_in(tmp_path)
    assert bombings(third, at(TENTH, 10)) == [(OWNER, 10)]
    assert b"example" not in (tmp_path / "mailboxes.sqlite").read_bytes()


async def test_workers_that_share_the_mail_share_the_count() -> None:
    here, there = Signup(), Signup()
    for number, each in enumerate(BOMBED):
        worker, other = (here, there) if number % 2 else (there, here)
        lesson = await worker.answered(each, OK, list(worker.inspect(each)))
        assert lesson is not None
        other.heed(json.loads(json.dumps(lesson)))
    assert bombings(here, at(TENTH, 10)) == bombings(there, at(TENTH, 10)) == [(OWNER, 10)]
    assert await here.answered(at(letter()), OK, list(here.inspect(at(letter())))) is None


async def test_a_row_has_bounds() -> None:
    signup = Signup()
    for service in services(100):
        await taken(signup, at(registration(service)), at(newsletter(f"n{service}")))
    [row] = signup._mailboxes.rows.values()
    assert len(row) == 4 * EACH
    assert signup._mailboxes.most == MAILBOXES
    assert bombings(signup, at(TENTH, 1)) == [(OWNER, 2 * EACH + 1)]


WRONG = {
    "too few": {"bombing_services": 1},
    "too many": {"bombing_services": EACH + 1},
    "no time": {"bombing_within": 0},
}


@pytest.mark.parametrize("options", WRONG.values(), ids=WRONG)
def test_what_cannot_be_asked_for(options: dict[str, int]) -> None:
    written = {name: Duration(value) if name == "bombing_within" else value for name, value in options.items()}
    with pytest.raises(ValueError, match="bombing"):
        Signup(**written)  # type: ignore[arg-type]


@given(st.lists(st.floats()), st.text(), st.floats(0, 1e10))
def test_any_row_may_be_in_the_file(row: list[float], service: str, now: float) -> None:
    recent = Recent.at(tuple(row), 3600.0, now).after("registration", number_of(service), now)
    assert Recent.at(recent.row, 3600.0, now).services >= 1
    assert recent.weight <= recent.services


POLICY = """
version: 1
extends: [{pack}]
organisation: {{domains: [example.gov.vn], officers: [officer@example.gov.vn]}}
rules: []
"""
PACK = Path(__file__).parents[2] / "policies" / "packs" / "acceptable-use.yaml"


async def test_the_owner_and_the_officer_hear_of_a_bombing_once(start: Start, tmp_path: Path) -> None:
    notices = {"mailbox": "mailwarden@example.gov.vn"}
    async with FakeHop() as hop, start(hop.address, policy=POLICY.format(pack=PACK), notices=notices) as gateway:
        for each in services(13):
            assert (await send(gateway, registration(each).decode(), OWNER)).startswith("250")
        assert (await send(gateway, letter().decode(), OWNER)).startswith("250")
        assert (await send(gateway, sign_in().decode(), OWNER)).startswith("250")
        kept = {kind: await gateway.office.stores.mail.find(Query(kind=kind)) for kind in Kind}
        assert len(kept[Kind.HELD]) == 9
        assert {each.rules for each in kept[Kind.QUARANTINED]} == {("signup-bombing",)}
        await hop.until_taken(2 + 2 * 9)
        told = [each for each in hop.taken if b"X-Mailwarden-Notice" in each.content]
        assert len(told) == 18  # nine to the owner, nine requests to the officer; none of the four
    in_an_hour = datetime.now(UTC) + timedelta(hours=1, minutes=1)
    found = await Gathering(tmp_path / "state" / "gathered.sqlite").over(in_an_hour)
    owner, officer = sorted(found, key=lambda each: each.to)
    assert [(each.to, each.total) for each in (owner, officer)] == [(OWNER, 4), ("officer@example.gov.vn", 4)]
    assert {name for name, _ in owner.sources} == set(services(4, start=9))
    assert officer.recipients == (OWNER,)
    assert owner.text is not None

