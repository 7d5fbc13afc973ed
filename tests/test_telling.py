"""The service tells people what its rules ask for, once it is known what became of the message."""

from __future__ import annotations

import asyncio
import hashlib
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from gateway.store.open import open_store
from tests.conftest import Start
from tests.faults import FakeHop, Taken
from tests.test_app import last_line, send, value

POLICY = """
version: 1
organisation: {domains: [example.gov.vn], officers: [officer@example.gov.vn]}
rules:
  - id: gone
    cite: test/1
    when: {recipient: gone@example.gov.vn}
    then: reject
    with: {notify: [officer], text: {vi: Hộp thư đã đóng, en: Mailbox closed}}
  - id: marked
    cite: test/2
    when: {direction: inbound, header: {name: Subject, contains: marked}}
    then: tag
    with: {subject: "[x] ", notify: [recipient], text: {vi: Có ghi chú, en: Marked}}
  - id: secret
    cite: test/3
    when: {direction: inbound, header: {name: Subject, contains: secret}}
    then: reject
    with: {store: never, notify: [officer], text: {vi: Bí mật, en: Secret}}
  - id: stopped
    cite: test/4
    when: {direction: inbound, header: {name: Subject, contains: stopped}}
    then: quarantine
    with: {notify: [recipient], text: {vi: Giữ lại, en: Kept}}
"""
NOTICES = {"mailbox": "mailwarden@example.gov.vn"}


def told(taken: list[Taken]) -> list[EmailMessage]:
    """The notices among what the next hop took."""
    read = [message_from_bytes(each.content, policy=policy.default) for each in taken]
    return [each for each in read if isinstance(each, EmailMessage) and each["X-Mailwarden-Notice"]]


def text_of(notice: EmailMessage) -> str:
    part = notice.get_body(("plain",))
    assert isinstance(part, EmailMessage)
    return str(part.get_content())


def id_in(answer: str) -> str:
    """The message's id in the answer to it."""
    return answer.partition("[id ")[2].partition("]")[0]


CASES = {
    "a tagged message: its recipient": ("marked", "250", 2, "b@example.gov.vn", "Có ghi chú"),
    "a quarantined message: its recipient": ("stopped", "250", 1, "b@example.gov.vn", "Giữ lại"),
    "a message of which nothing may be stored: the officer": ("secret", "550", 1, "officer@example.gov.vn", "Bí mật"),
}


@pytest.mark.parametrize(("subject", "reply", "taken", "to", "text"), CASES.values(), ids=CASES)
async def test_people_are_told(start: Start, subject: str, reply: str, taken: int, to: str, text: str) -> None:
    async with FakeHop() as hop, start(hop.address, policy=POLICY, notices=NOTICES) as gateway:
        answer = await send(gateway, f"Subject: {subject} so-and-so\n\nx\n")
        assert answer.startswith(reply)
        await hop.until_taken(taken)
        [notice] = told(hop.taken)
        assert notice["To"] == to
        assert text in text_of(notice)
        assert ("so-and-so" in notice.as_string() + text_of(notice)) is (subject != "secret")
    stores = await open_store(gateway.settings.state / "store")
    try:
        records = [record async for record in stores.trail.search(id=id_in(answer), event="notice")]
    finally:
        await stores.close()
    assert [record.facts["recipient"] for record in records] == [to]
    for result in ("queued", "sent"):
        kind = records[0].facts["action"]
        assert value(gateway.metrics.registry, "mailwarden_notices_total", kind=kind, result=result) == 1


async def begin(gateway: Any, *recipients: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, list[str]]:
    """A transaction up to its recipients, and the answers to them."""
    reader, writer = await asyncio.open_connection(*gateway.addresses["inbound"])
    await reader.readline()
    commands = ["EHLO c", "MAIL FROM:<a@example.org>", *(f"RCPT TO:<{address}>" for address in recipients)]
    answers = []
    for command in commands:
        writer.write(command.encode() + b"\r\n")
        answers.append((await last_line(reader))[:3])
    return reader, writer, answers[2:]


async def test_the_officer_hears_of_a_recipient_that_was_refused_when_the_client_leaves(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address, policy=POLICY, notices=NOTICES) as gateway:
        reader, writer, answers = await begin(gateway, "gone@example.gov.vn", "gone@example.gov.vn")
        assert answers == ["550", "550"]
        writer.write(b"QUIT\r\n")
        await last_line(reader)
        await hop.until_taken(1)
        [notice] = told(hop.taken)
        assert notice["To"] == "officer@example.gov.vn"
        assert "gone@example.gov.vn" in text_of(notice)
        writer.close()


async def test_a_message_that_meets_rules_before_and_after_its_content_is_told_of_once(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address, policy=POLICY, notices=NOTICES) as gateway:
        reader, writer, answers = await begin(gateway, "gone@example.gov.vn", "b@example.gov.vn")
        assert answers == ["550", "250"]
        writer.write(b"DATA\r\n")
        await last_line(reader)
        writer.write(b"Subject: marked\r\n\r\nx\r\n.\r\nQUIT\r\n")
        assert (await last_line(reader)).startswith("250")
        await hop.until_taken(3)
        assert sorted(str(notice["To"]) for notice in told(hop.taken)) == [
            "b@example.gov.vn",
            "officer@example.gov.vn",
        ]
        writer.close()


async def test_nobody_is_told_of_what_the_next_hop_did_not_take(start: Start) -> None:
    async with FakeHop({"eod": "4xx"}) as hop, start(hop.address, policy=POLICY, notices=NOTICES) as gateway:
        assert (await send(gateway, "Subject: marked\n\nx\n")).startswith("451")
    assert hop.taken == []
    assert not list((gateway.settings.state / "outbox/waiting").iterdir())


async def test_the_digest_of_a_large_message_that_is_not_stored_is_that_of_its_bytes(start: Start) -> None:
    message = "Subject: secret\n\n" + "a line of sixty characters and more, so that it is not short.\n" * 20_000
    async with FakeHop() as hop, start(hop.address, policy=POLICY, notices=NOTICES) as gateway:
        id = id_in(await send(gateway, message))
        [record] = [record async for record in gateway.office.stores.trail.search(id=id, event="unstored")]
    sent = message.replace("\n", "\r\n").encode() + b"\r\n"
    assert record.facts["size"] == len(sent)
    assert record.facts["digest"] == hashlib.sha256(sent).hexdigest()


async def test_digests_come_as_often_as_the_policy_in_force_says(start: Start, tmp_path: Path) -> None:
    hourly = POLICY.replace("officers:", "digests: hourly, officers:")
    async with FakeHop() as hop, start(hop.address, policy=hourly, notices=NOTICES) as gateway:
        digesting = gateway.office.digesting
        await digesting.look()
        told = [record.facts["action"] async for record in gateway.office.stores.trail.search(event="digest")]
        assert set(told) == {"hourly"}
        (tmp_path / "policy.yaml").write_text(POLICY)
        assert await gateway.reload()
        assert digesting.period() is None
