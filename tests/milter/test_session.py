"""Milter sessions over real sockets: an MTA's side in the test, a whole gateway on the other."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from gateway.keeping import Query
from gateway.milter import session
from gateway.milter.flags import Steps
from tests.conftest import Start
from tests.milter.client import ALL_STEPS, Mta, changed, connect, strings

POLICY = """
version: 1
organisation: {domains: [example.gov.vn]}
rules:
  - id: closed
    when: {recipient: closed@example.gov.vn}
    then: reject
    with: {reply: {code: 550, status: 5.2.1}, text: {vi: Đóng, en: 100% closed}}
  - id: banned
    when: {sender: evil@example.org}
    then: reject
  - id: later
    when: {header: {name: X-Ask, contains: later}}
    then: defer
  - id: no
    when: {header: {name: X-Ask, contains: refuse}}
    then: reject
    with: {text: {vi: Không, en: Not this}}
  - id: drop
    when: {header: {name: X-Ask, contains: drop}}
    then: discard
  - id: keep
    when: {header: {name: X-Ask, contains: keep}}
    then: quarantine
  - id: keep-for-one
    when: {all: [{header: {name: X-Ask, contains: one}}, {recipient: one@example.gov.vn}]}
    then: quarantine
  - id: mark
    when: {header: {name: X-Ask, contains: mark}}
    then: tag
    with: {subject: "[Mark]", headers: {X-Marked: "yes"}, banner: {vi: Cảnh báo, en: Take care}}
  - id: elsewhere
    when: {header: {name: X-Ask, contains: elsewhere}}
    then: tag
    with: {redirect: desk@example.gov.vn, bcc: [copy@example.gov.vn]}
"""

LETTER = (
    b"From: An <an@example.org>\r\n"
    b"To: Binh <binh@example.gov.vn>\r\n"
    b"Subject: Letter\r\n"
    b"X-Ask: %b\r\n"
    b"X-Odd:   spaces \t and a folded\r\n\tline  \r\n"
    b"X-Tight:no space\r\n"
    b"X-Empty:\r\n"
    b"\r\n"
    b".dot\r\n..dots\r\nlast line\r\n"
)


TCP = {"name": "milter", "milter": "127.0.0.1:0"}
NEVER = "smtp://127.0.0.1:9"


def letter(ask: bytes = b"nothing") -> bytes:
    return LETTER % ask


@pytest_asyncio.fixture
async def gateway(start: Start) -> AsyncIterator[Any]:
    async with start(NEVER, policy=POLICY, listeners=[TCP]) as running:
        yield running


@pytest_asyncio.fixture
async def mta(gateway: Any) -> AsyncIterator[Mta]:
    async with Mta(gateway.addresses["milter"]) as client:
        await client.greet()
        yield client


VERSIONS = {
    "version 2, which waits for every answer": (2, 0x7F),
    "version 3, without steps that need no answer": (3, 0x1FF),
    "version 4": (4, 0x3FF),
    "version 6 with nothing on offer": (6, 0),
    "version 6 with everything": (6, ALL_STEPS),
    "a version of the future": (9, ALL_STEPS),
}


@pytest.mark.parametrize(("version", "steps"), VERSIONS.values(), ids=VERSIONS)
async def test_every_version_is_spoken(gateway: Any, version: int, steps: int) -> None:
    with capture_logs() as logs:
        async with Mta(gateway.addresses["milter"], version=version, steps=steps) as mta:
            await mta.greet()
            assert mta.version == min(version, 6)
            assert not mta.steps & ~steps
            clean = await mta.send(letter())
            refused = await mta.send(letter(b"refuse"))
    assert (clean.final, refused.final) == (b"a", b"y")
    assert next(line["size"] for line in logs if line["event"] == "message") == len(letter()) + (
        0 if Steps.LEADING_SPACE & steps else 2  # without it nobody knows of the two fields that had no space
    )


async def test_a_version_that_is_too_old_is_hung_up_on(gateway: Any) -> None:
    with pytest.raises(asyncio.IncompleteReadError):
        async with Mta(gateway.addresses["milter"], version=1):
            pass


async def test_the_message_is_rebuilt_byte_for_byte(gateway: Any, mta: Mta) -> None:
    await mta.send(letter(b"keep"))

    [kept] = await gateway.office.stores.mail.find(Query())
    raw = await gateway.office.stores.mail.raw(kept.id)
    assert bytes(raw[:]) == letter(b"keep")


async def test_clean_mail_is_accepted_with_one_field_on_top(mta: Mta) -> None:
    answered = await mta.send(letter())

    assert answered.final == b"a"
    assert answered.changes == [(b"i", answered.changes[0][1])]
    assert changed(letter(), answered) == b"X-Mailwarden: action=accept; " + changed(letter(), answered).split(
        b"action=accept; "
    )[1]
    assert changed(letter(), answered).endswith(letter())


ENDS = {
    "a refusal has the codes and the id, with the text of the rule": (b"refuse", b"y", b"550 5.7.1 "),
    "what waits is deferred": (b"later", b"y", b"451 4.7.1 "),
    "what is thrown away is discarded": (b"drop", b"d", b""),
    "what is kept is discarded at the MTA": (b"keep", b"d", b""),
}


@pytest.mark.parametrize(("ask", "final", "text"), ENDS.values(), ids=ENDS)
async def test_ends(mta: Mta, ask: bytes, final: bytes, text: bytes) -> None:
    answered = await mta.send(letter(ask))
    assert answered.final == final
    assert answered.text.startswith(text)
    assert answered.changes == []


async def test_a_recipient_is_refused_at_once_and_a_percent_sign_is_doubled(mta: Mta) -> None:
    assert await mta.mail() == (b"c", b"")
    assert await mta.rcpt() == (b"c", b"")
    code, text = await mta.rcpt(b"<closed@example.gov.vn>")
    answered = await mta.content(letter())

    assert code == b"y"
    assert text.startswith(b"550 5.2.1 ")
    assert b"100%% closed" in text
    assert text.endswith(b"\0")
    assert answered.final == b"a"
    assert answered.of(b"-") == []


async def test_a_sender_is_refused_at_once_and_nothing_of_him_is_left(mta: Mta) -> None:
    code, text = await mta.mail(b"<evil@example.org>")
    assert (code, text[:10]) == (b"y", b"550 5.7.1 ")
    assert (await mta.send(letter())).final == b"a"


async def test_a_tag_changes_subject_head_and_body(mta: Mta) -> None:
    answered = await mta.send(letter(b"mark"))

    new = changed(letter(b"mark"), answered)
    assert answered.final == b"a"
    assert b"\r\nSubject: [Mark] Letter\r\n" in new
    assert new.count(b"Subject:") == 1
    assert b"X-Marked: yes\r\n" in new
    text = message_from_bytes(new).get_payload(decode=True)
    assert text.startswith("Cảnh báo\r\nTake care".encode())
    assert text.endswith(b".dot\r\n..dots\r\nlast line\r\n")
    codes = [code for code, _ in answered.changes]
    assert codes.index(b"b") > max(at for at, code in enumerate(codes) if code != b"b")


async def test_a_redirected_message_goes_to_others(mta: Mta) -> None:
    answered = await mta.send(letter(b"elsewhere"), b"<binh@example.gov.vn>", b"<Chi@example.gov.vn>")

    assert answered.of(b"+") == [b"<desk@example.gov.vn>\0", b"<copy@example.gov.vn>\0"]
    assert answered.of(b"-") == [b"<binh@example.gov.vn>\0", b"<Chi@example.gov.vn>\0"]


async def test_kept_for_one_and_delivered_to_the_other(gateway: Any, mta: Mta) -> None:
    answered = await mta.send(letter(b"one"), b"<one@example.gov.vn>", b"<two@example.gov.vn>")

    assert answered.final == b"a"
    assert answered.of(b"-") == [b"<one@example.gov.vn>\0"]
    [kept] = await gateway.office.stores.mail.find(Query())
    assert [each.address for each in kept.envelope.recipients] == ["one@example.gov.vn"]


async def test_a_clean_message_after_an_aborted_bad_one_is_clean(mta: Mta) -> None:
    await mta.mail(b"<an@example.org>")
    await mta.rcpt(b"<one@example.gov.vn>")
    mta.tell(b"L", strings(b"X-Ask", b" refuse"))
    mta.tell(b"N")
    mta.tell(b"B", b"half a message")
    mta.tell(b"A")

    answered = await mta.send(letter(), b"<two@example.gov.vn>")

    assert answered.final == b"a"
    assert changed(letter(), answered).endswith(letter())


async def test_messages_of_one_session_do_not_mix(mta: Mta) -> None:
    finals = [(await mta.send(letter(ask))).final for ask in (b"refuse", b"", b"drop", b"", b"later", b"mark", b"")]
    assert finals == [b"y", b"a", b"d", b"a", b"y", b"a", b"a"]


async def test_another_client_on_the_same_connection_is_another_client(mta: Mta) -> None:
    with capture_logs() as logs:
        await mta.send(letter())
        mta.tell(b"K")
        await mta.greet(address=b"203.0.113.9", host=b"other.example.net")
        await mta.send(letter())
    assert [line["client"] for line in logs if line["event"] == "message"] == ["198.51.100.7", "203.0.113.9"]


async def test_login_tls_and_queue_id_come_from_macros(mta: Mta) -> None:
    with capture_logs() as logs:
        await mta.mail(b"<an@example.gov.vn>", b"SIZE=100", auth_authen=b"an", tls_version=b"TLSv1.3")
        await mta.rcpt(b"<x@example.org>")
        mta.tell(b"D", b"E" + strings(b"i", b"4XyZ"))
        await mta.content(letter())
        await mta.send(letter())
    first, second = (line for line in logs if line["event"] == "message")
    assert (first["login"], first["queue"], first["direction"]) == ("an", "4XyZ", "outbound")
    assert (second["login"], second["queue"], second["direction"]) == ("", "", "inbound")


async def test_local_mail_hears_nothing_before_its_end(gateway: Any) -> None:
    async with Mta(gateway.addresses["milter"]) as mta:
        await mta.ask(b"C", connect(b"localhost", b"127.0.0.1", 0), unanswered=Steps.NO_REPLY_CONNECT)
        with capture_logs() as logs:
            assert (await mta.mail(b"<evil@example.org>"))[0] == b"c"
            assert (await mta.rcpt(b"<closed@example.gov.vn>"))[0] == b"c"
            answered = await mta.content(letter())
    assert answered.final == b"y"
    assert [(line["local"], line["direction"]) for line in logs if line["event"] == "message"] == [(True, "internal")]


async def test_a_recipient_that_the_mta_refuses_is_not_one(mta: Mta) -> None:
    with capture_logs() as logs:
        await mta.mail()
        await mta.rcpt(
            b"<nobody@example.gov.vn>", rcpt_mailer=b"error", rcpt_host=b"5.1.1", rcpt_addr=b"User unknown in table"
        )
        await mta.rcpt(b"<binh@example.gov.vn>", rcpt_mailer=b"smtp")
        await mta.content(letter())
    [line] = [line for line in logs if line["event"] == "message"]
    assert line["recipients"] == ["binh@example.gov.vn"]
    assert line["refused"] == [("nobody@example.gov.vn", 550, ())]


async def test_a_message_that_is_too_big_is_refused_and_skipped(start: Start) -> None:
    limits = {"message_size": 64_000}
    async with start(NEVER, listeners=[TCP], limits=limits) as gateway, Mta(
        gateway.addresses["milter"], steps=Steps.SKIP | Steps.LEADING_SPACE
    ) as mta:
        await mta.greet()
        assert (await mta.mail(b"<an@example.org>", b"SIZE=64001"))[1].startswith(b"552 5.3.4 ")
        big = await mta.send(b"Subject: big\r\n\r\n" + bytes(64_000))
        fits = await mta.send(b"A: b\r\n\r\n" + b"x" * (64_000 - 8))
        over = await mta.send(b"A: b\r\n\r\n" + b"x" * (64_000 - 7))
    assert (big.final, big.text[:10]) == (b"y", b"552 5.3.4 ")
    assert (fits.final, over.final) == (b"a", b"y")


async def test_progress_is_told_while_the_message_is_looked_at(
    mta: Mta, gateway: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "PROGRESS", 0.01)
    async with gateway._large:  # one of two places for large messages
        await mta.mail()
        await mta.rcpt()
        async with gateway._large:
            working = asyncio.ensure_future(mta.content(b"A: b\r\n\r\n" + bytes(300_000)))
            await asyncio.wait({working}, timeout=0.2)
            assert not working.done()
        answered = await working
    assert answered.final == b"a"
    assert answered.progress > 1


async def test_two_clients_are_one_too_many(start: Start) -> None:
    async with start(NEVER, listeners=[TCP], limits={"sessions": 1}) as gateway:
        address = gateway.addresses["milter"]
        async with Mta(address) as first, Mta(address) as second:
            await first.greet()
            code, text = await second.ask(b"C", connect())
            assert (code, text[:10]) == (b"y", b"421 4.3.2 ")
            assert (await first.send(letter())).final == b"a"


async def test_a_stop_brings_a_message_under_way_to_its_end(start: Start) -> None:
    async with start(NEVER, listeners=[TCP]) as gateway:
        idle, busy = Mta(gateway.addresses["milter"]), Mta(gateway.addresses["milter"])
        async with idle, busy:
            await busy.greet()
            await busy.mail()
            await busy.rcpt()
            stopping = asyncio.ensure_future(gateway.milters.empty(10))
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await idle.hear()
            assert (await busy.content(letter())).final == b"a"
            await stopping
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await busy.hear()


async def test_a_unix_socket_has_the_mode_of_the_settings(start: Start, tmp_path: Path) -> None:
    listener = {"name": "milter", "milter": "unix:milter.sock", "socket_mode": "0600"}
    (tmp_path / "elsewhere").mkdir()
    async with start(NEVER, listeners=[listener]), Mta(str(tmp_path / "milter.sock")) as mta:
        assert stat.S_IMODE((tmp_path / "milter.sock").stat().st_mode) == 0o600
        await mta.greet()
        assert (await mta.send(letter())).final == b"a"


BROKEN = {
    "a packet without a length": b"\0\0\0\0",
    "a packet without an end": b"\xff\xff\xff\xffB",
    "an unknown command": b"\0\0\0\1z",
    "content without a sender": b"\0\0\0\1E",
    "a recipient without a sender": b"\0\0\0\x04R<>\0",
    "a sender without an end": b"\0\0\0\3M<>",
    "SMTP": b"EHLO client\r\n",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
async def test_who_breaks_the_protocol_is_hung_up_on_and_nobody_else(gateway: Any, mta: Mta, data: bytes) -> None:
    async with Mta(gateway.addresses["milter"]) as broken:
        broken._writer.write(data)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await broken.hear()
    assert (await mta.send(letter())).final == b"a"


async def test_a_lost_mta_leaves_nothing(gateway: Any) -> None:
    async with Mta(gateway.addresses["milter"]) as lost:
        await lost.greet()
        await lost.mail()
        await lost.rcpt()
        lost.tell(b"L", strings(b"Subject", b" half"))
    await gateway.milters.empty(10)
    assert len(gateway.milters) == 0
    assert (gateway._spool.in_memory, gateway._spool.on_disk) == (0, 0)


async def test_another_implementation_of_an_mta_is_content(gateway: Any) -> None:
    script = Path(__file__).with_name("session.lua")
    arguments = ("-D", f"port={gateway.addresses['milter'][1]}", "-s", str(script))
    process = await asyncio.create_subprocess_exec(
        "miltertest", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(20):
        output, _ = await process.communicate()
    assert (process.returncode, output.decode()) == (0, "")
