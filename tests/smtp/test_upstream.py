"""Deliveries to next hops good and bad: what they get, and what our client would be told."""

from __future__ import annotations

import asyncio
import mmap
import socket
import ssl
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
import uvloop

from gateway.errors import HopError
from gateway.mail import Client, Envelope, Recipient, Span, Transaction
from gateway.reply import HOP_REFUSES_UTF8, NEEDS_UTF8, Reply
from gateway.smtp.hop import HopSettings, NextHop
from gateway.smtp.upstream import SmtpHop
from tests.faults import FAULTS, OFFERS, STAGES, FakeHop

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
"""Tests with a `loop` run on both: the service runs on uvloop, whose transports differ in their details."""


def run_on(loop: str, conversation: Coroutine[None, None, None]) -> None:
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(asyncio.wait_for(conversation, 20))  # a test that hangs is a failure, not a wait


SMALL = b"Subject: a\r\n\r\n.body\r\n"
LARGE = SMALL + b"x" * 78 * 100_000 + b"\r\n"
LOST = {"hang": "timeout", "close": "closed", "reset": "closed", "421": "closed"}


def settings(hop: FakeHop, **changes: object) -> HopSettings:
    return HopSettings(**{"address": hop.address, "helo": "gw.example", **changes})  # type: ignore[arg-type]


def hasty(hop: FakeHop, **changes: object) -> HopSettings:
    """For hops that hang: short waits."""
    return settings(hop, **{"reply_timeout": 0.2, "final_timeout": 0.2, "connect_timeout": 0.2, **changes})


def transaction(sender: str = "s@a.example", *parameters: str) -> Transaction:
    return Transaction(
        id="id7",
        listener="in",
        received=datetime.now(UTC),
        client=Client(address="192.0.2.7", name="mx.example"),
        envelope=Envelope(sender, (), parameters),
        inside=False,
    )


async def deliver(
    hop: NextHop, message: bytes = SMALL, to: Sequence[str] = ("r@b.example",), mail: Transaction | None = None
) -> tuple[Reply, str]:
    """What our client is told in the end, and the kind of the trouble ("" where the hop answered)."""
    delivery = hop.begin(mail or transaction())
    try:
        for reply in await delivery.add([Recipient(address) for address in to]):
            if not reply.accepted:
                return reply, ""
        return await delivery.send(message, [Span(0, len(message))]), ""
    except HopError as error:
        return error.reply, error.kind
    finally:
        await delivery.abandon()


ENVELOPE_AND_END = ("mail", "rcpt", "data", "eod")


def expected(stage: str, fault: str) -> tuple[str, str]:
    """Class of the reply to our client and kind of trouble, by the rule: 2xx only if taken, 5xx only from a 5xx."""
    answers = stage in ENVELOPE_AND_END or stage == "reuse"
    if stage == "xforward" and fault in ("4xx", "5xx"):
        return "2", ""
    if fault in ("4xx", "5xx") and answers:
        return fault[0], ""
    if stage in ("greeting", "ehlo") and fault in ("4xx", "5xx"):
        return "4", "refused"
    if stage == "body" and fault not in ("hang", "close", "reset"):
        return "4", "garbage"  # whatever it says there, nobody asked
    return "4", LOST.get(fault, "garbage")


TABLE = [(stage, fault) for stage in STAGES for fault in FAULTS if stage != "reuse"]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("offers", [OFFERS, OFFERS[1:]], ids=["pipelined", "in turn"])
@pytest.mark.parametrize(("stage", "fault"), TABLE, ids=[f"{stage} {fault}" for stage, fault in TABLE])
def test_the_client_is_told_the_truth(loop: str, stage: str, fault: str, offers: tuple[str, ...]) -> None:
    async def conversation() -> None:
        async with FakeHop({stage: fault}, offers=offers) as fake:
            hop = SmtpHop(hasty(fake) if fault == "hang" else settings(fake))
            # A large message, so that the body phase is one: a small one is sent in the same write as its end.
            reply, kind = await deliver(hop, LARGE if stage == "body" else SMALL)
            assert (str(reply.code)[0], kind) == expected(stage, fault)
            assert reply.accepted == (len(fake.taken) == 1)
            assert fake.connections == 1
            await hop.close()

    run_on(loop, conversation())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_connection_gone_stale_is_tried_again_once(loop: str, fault: str) -> None:
    async def conversation() -> None:
        async with FakeHop({"reuse": fault}, faulty=1) as fake:
            hop = SmtpHop(hasty(fake) if fault == "hang" else settings(fake))
            assert (await deliver(hop))[0].accepted
            reply, kind = await deliver(hop)
            if fault in ("421", "close", "reset"):
                assert (reply.code, kind) == (250, "")
                assert fake.connections == 2
            else:
                assert (str(reply.code)[0], kind) == expected("reuse", fault)
                assert fake.connections == 1
            assert len(fake.taken) == 1 + reply.accepted
            await hop.close()

    run_on(loop, conversation())


async def test_a_second_stale_connection_in_a_row_is_the_clients_to_hear() -> None:
    async with FakeHop({}) as fake:
        hop = SmtpHop(settings(fake))
        await deliver(hop)
        fake.faults = {"mail": "close"}
        fake.hang_up()
        await fake.until_open(0)
        reply, kind = await deliver(hop)
        assert (reply.code, kind) == (451, "closed")
        assert len(fake.taken) == 1
        await hop.close()


EARLY = ["early-250", "glued-250"]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("fault", EARLY)
def test_an_answer_in_the_body_phase_is_none(loop: str, fault: str) -> None:
    async def conversation() -> None:
        async with FakeHop({"body": fault}) as fake:
            reply, kind = await deliver(SmtpHop(settings(fake)), LARGE)
            assert (reply.code, kind) == (451, "garbage")
            assert not fake.taken

    run_on(loop, conversation())


async def test_an_answer_glued_to_354_is_none_for_a_small_message_either() -> None:
    async with FakeHop({"body": "glued-250"}) as fake:
        reply, kind = await deliver(SmtpHop(settings(fake)))
        assert (reply.code, kind) == (451, "garbage")
        assert not fake.taken


async def test_a_hop_that_stops_reading_is_a_timeout() -> None:
    async with FakeHop({"body": "stop-reading"}) as fake:
        reply, kind = await deliver(SmtpHop(hasty(fake)), LARGE)
        assert (reply.code, kind) == (451, "timeout")


async def test_taken_and_gone_before_the_answer_is_temporary_and_not_repeated() -> None:
    async with FakeHop({"eod": "taken-then-close"}) as fake:
        reply, kind = await deliver(SmtpHop(settings(fake)))
        assert (reply.code, kind) == (451, "closed")
        assert len(fake.taken) == 1
        assert fake.connections == 1


async def test_a_final_250_counts_though_the_hop_leaves_right_behind_it() -> None:
    async with FakeHop(finals=(b"250 2.0.0 taken\r\n421 4.3.2 bye\r\n",)) as fake:
        hop = SmtpHop(settings(fake))
        assert (await deliver(hop))[0].code == 250
        assert (await deliver(hop))[0].code == 250
        assert fake.connections == 2
        await hop.close()


async def test_a_port_where_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        hop = SmtpHop(HopSettings(address=taken.getsockname()))
        reply, kind = await deliver(hop)
    assert (reply.code, kind) == (451, "unreachable")


async def test_a_port_that_does_not_answer() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        hop = SmtpHop(HopSettings(address=listener.getsockname(), connect_timeout=0.2))
        reply, kind = await deliver(hop)
        for filler in fillers:
            filler.close()
    assert (reply.code, kind) == (451, "timeout")


NASTY = {
    "leading dots": b".\r\n..\r\n.a\r\n\r\n.\r\n",
    "no final line ending": b"Subject: a\r\n\r\nlast",
    "empty": b"",
    "headers only": b"Subject: a\r\n",
    "a line of a megabyte": b"x" * 1_000_000 + b"\r\n",
    "8-bit bytes": bytes(range(128, 256)) + b"\r\n",
    "dots around the borders of blocks": (b"x" * 1022 + b"\r\n.") * 1024 + b"\r\n",
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("message", NASTY.values(), ids=NASTY)
def test_the_message_arrives_byte_for_byte(loop: str, message: bytes) -> None:
    async def conversation() -> None:
        async with FakeHop() as fake:
            hop = SmtpHop(settings(fake))
            await deliver(hop, message)
            assert fake.taken[0].content == (message if message.endswith(b"\r\n") or not message else message + b"\r\n")
            await hop.close()

    run_on(loop, conversation())


async def test_pieces_of_a_mapped_message_and_new_bytes_arrive_in_order() -> None:
    async with FakeHop() as fake:
        hop = SmtpHop(settings(fake))
        with mmap.mmap(-1, len(LARGE)) as raw:
            raw.write(LARGE)
            delivery = hop.begin(transaction())
            await delivery.add([Recipient("r@b")])
            pieces = [b"X-New: 1\r\n", Span(0, 14), b".dot\r\n", Span(14, len(LARGE))]
            assert (await delivery.send(raw, pieces)).accepted
        assert fake.taken[0].content == b"X-New: 1\r\n" + LARGE[:14] + b".dot\r\n" + LARGE[14:]
        await hop.close()


async def test_mail_and_rcpts_go_in_one_write_and_a_small_message_with_its_end_in_another() -> None:
    async with FakeHop() as fake:
        hop = SmtpHop(settings(fake))
        await deliver(hop, SMALL, ["r1@b", "r2@b"])
        assert fake.batches[1:] == [
            b"XFORWARD NAME=mx.example ADDR=192.0.2.7\r\nMAIL FROM:<s@a.example>\r\nRCPT TO:<r1@b>\r\n"
            b"RCPT TO:<r2@b>\r\n",
            b"DATA\r\n",
            b"Subject: a\r\n\r\n..body\r\n.\r\n",
        ]
        await hop.close()


async def test_each_recipient_gets_the_hops_own_reply() -> None:
    answers = {"no@b": b"550 5.1.1 unknown\r\n", "later@b": b"452 4.2.2 full\r\n"}
    async with FakeHop(answers=answers) as fake:
        hop = SmtpHop(settings(fake))
        delivery = hop.begin(transaction())
        addresses = ["yes@b", "no@b", "later@b", "người@b", "a\r\nDATA@b"]
        replies = await delivery.add([Recipient(address) for address in addresses])
        assert [str(reply) for reply in replies] == [
            "250 2.1.5 recipient ok",
            "550 5.1.1 unknown",
            "452 4.2.2 full",
            str(NEEDS_UTF8),
            "553 5.1.3 Address not understood",
        ]
        assert await delivery.add([Recipient("more@b")]) == [Reply(250, "1.5", "recipient ok")]
        assert delivery.accepted == (Recipient("yes@b"), Recipient("more@b"))
        assert (await delivery.send(SMALL, [Span(0, len(SMALL))])).code == 250
        assert fake.taken[0].rcpts == [b"RCPT TO:<yes@b>", b"RCPT TO:<more@b>"]
        await hop.close()


@pytest.mark.parametrize("offers", [OFFERS, OFFERS[1:]], ids=["pipelined", "in turn"])
async def test_a_refused_mail_is_the_reply_of_each_recipient(offers: tuple[str, ...]) -> None:
    async with FakeHop({"mail": "5xx"}, offers=offers) as fake:
        hop = SmtpHop(settings(fake))
        delivery = hop.begin(transaction())
        refusal = Reply(554, "3.5", "fault 5xx")
        assert await delivery.add([Recipient(f"r{number}@b") for number in range(300)]) == [refusal] * 300
        assert await delivery.add([Recipient("more@b")]) == [refusal]
        with pytest.raises(ValueError):
            await delivery.send(SMALL, [])
        await delivery.abandon()
        assert sum(line.startswith(b"RCPT") for line in fake.commands) == (100 if offers is OFFERS else 0)
        assert b"DATA" not in fake.commands
        await hop.close()


@pytest.mark.parametrize("offers", [OFFERS, OFFERS[1:]], ids=["pipelined", "in turn"])
async def test_a_thousand_recipients(offers: tuple[str, ...]) -> None:
    async with FakeHop(offers=offers) as fake:
        hop = SmtpHop(settings(fake))
        reply, _ = await deliver(hop, SMALL, [f"r{number}@b.example" for number in range(1000)])
        assert reply.accepted
        assert len(fake.taken[0].rcpts) == 1000
        await hop.close()


async def test_a_refused_message_leaves_a_connection_that_is_used_again() -> None:
    async with FakeHop({"data": "5xx"}) as fake:
        hop = SmtpHop(settings(fake))
        assert (await deliver(hop))[0] == Reply(554, "3.5", "fault 5xx")
        assert (await deliver(hop))[0] == Reply(554, "3.5", "fault 5xx")
        assert fake.connections == 1
        assert fake.commands.count(b"RSET") == 2
        await hop.close()


async def test_smtputf8_passes_to_a_hop_that_offers_it() -> None:
    async with FakeHop() as fake:
        hop = SmtpHop(settings(fake))
        mail = transaction("người@ví.example", "SMTPUTF8", "BODY=8BITMIME")
        assert (await deliver(hop, SMALL, ["nhận@b"], mail))[0].accepted
        assert fake.taken[0].mail == "MAIL FROM:<người@ví.example> SMTPUTF8 BODY=8BITMIME".encode()
        await hop.close()


async def test_smtputf8_is_refused_for_a_hop_without_it_and_the_connection_is_kept() -> None:
    async with FakeHop(offers=("PIPELINING",)) as fake:
        hop = SmtpHop(settings(fake))
        mail = transaction("người@ví.example", "SMTPUTF8")
        assert (await deliver(hop, SMALL, ["nhận@b"], mail))[0] == HOP_REFUSES_UTF8
        assert (await deliver(hop))[0].accepted
        assert fake.connections == 1
        assert not [line for line in fake.commands if not line.isascii()]
        await hop.close()


async def test_a_refused_ehlo_is_followed_by_helo() -> None:
    async with FakeHop({"ehlo": "5xx"}) as fake:
        assert (await deliver(SmtpHop(settings(fake))))[1] == "refused"
        assert fake.commands == [b"EHLO gw.example", b"HELO gw.example"]


async def test_a_hop_that_knows_helo_only_gets_plain_commands() -> None:
    async with FakeHop(without_ehlo="always") as fake:
        hop = SmtpHop(settings(fake))
        assert (await deliver(hop, mail=transaction("s@a", "SIZE=5", "RET=FULL")))[0].accepted
        assert fake.commands == [
            b"EHLO gw.example",
            b"HELO gw.example",
            b"MAIL FROM:<s@a>",
            b"RCPT TO:<r@b.example>",
            b"DATA",
        ]
        await hop.close()


async def test_what_was_offered_in_the_clear_is_forgotten_behind_starttls(authority: trustme.CA) -> None:
    async with FakeHop(tls=server_side(authority, "127.0.0.1"), without_ehlo="in-tls") as fake:
        hop = SmtpHop(settings(fake, tls="may"))
        assert (await deliver(hop, mail=transaction("s@a", "SIZE=5")))[0].accepted
        assert fake.taken[0].mail == b"MAIL FROM:<s@a>"
        assert not fake.taken[0].xforward
        await hop.close()


TOOK, LATER, NEVER = b"250 2.0.0 took\r\n", b"452 4.2.2 later\r\n", b"550 5.7.1 never\r\n"
LMTP = {
    "all took it": ((TOOK, TOOK, TOOK), 250),
    "one may later": ((TOOK, LATER, NEVER), 452),
    "one never": ((TOOK, NEVER, TOOK), 550),
    "one never, one may later": ((TOOK, NEVER, LATER), 452),
    "none": ((NEVER, NEVER, NEVER), 550),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("socket_kind", ["tcp", "unix"])
@pytest.mark.parametrize(("finals", "code"), LMTP.values(), ids=LMTP)
def test_lmtp_says_taken_only_if_all_took_it(
    loop: str, finals: tuple[bytes, ...], code: int, socket_kind: str, tmp_path: Path
) -> None:
    async def conversation() -> None:
        unix = str(tmp_path / "lmtp") if socket_kind == "unix" else ""
        async with FakeHop(lmtp=True, finals=finals, unix=unix) as fake:
            hop = SmtpHop(settings(fake, protocol="lmtp"))
            for _ in range(2):
                assert (await deliver(hop, SMALL, ["r1@b", "r2@b", "r3@b"]))[0].code == code
            assert fake.connections == 1
            assert fake.commands[0] == b"LHLO gw.example"
            await hop.close()

    run_on(loop, conversation())


async def test_lmtp_that_answers_for_some_recipients_only_is_lost() -> None:
    async with FakeHop(lmtp=True, finals=(TOOK,)) as fake:
        reply, kind = await deliver(SmtpHop(hasty(fake, protocol="lmtp")), SMALL, ["r1@b", "r2@b"])
        assert (reply.code, kind) == (451, "timeout")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_side(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


CERTIFICATES = {
    "off, though offered": ("off", "127.0.0.1", True, ""),
    "may, with a good certificate": ("may", "127.0.0.1", True, ""),
    "may, with any certificate": ("may", "other.example", False, ""),
    "require, with a good certificate": ("require", "127.0.0.1", True, ""),
    "require, for another host": ("require", "other.example", True, "tls"),
    "require, from another authority": ("require", "127.0.0.1", False, "tls"),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(("tls", "name", "known", "kind"), CERTIFICATES.values(), ids=CERTIFICATES)
def test_certificates(
    loop: str, tls: str, name: str, known: bool, kind: str, authority: trustme.CA, tmp_path: Path
) -> None:
    async def conversation() -> None:
        ca = tmp_path / "ca.pem"
        (authority if known else trustme.CA()).cert_pem.write_to_path(str(ca))
        async with FakeHop(tls=server_side(authority, name)) as fake:
            hop = SmtpHop(settings(fake, tls=tls, ca=str(ca)))
            reply, trouble = await deliver(hop, LARGE)
            assert (reply.code, trouble) == ((451, kind) if kind else (250, ""))
            assert (b"STARTTLS" in fake.commands) == (tls != "off")
            assert fake.commands.count(b"EHLO gw.example") == (1 if kind or tls == "off" else 2)
            assert len(fake.taken) == (not kind)
            if not kind:
                assert (await deliver(hop))[0].accepted
                assert fake.connections == 1
            await hop.close()

    run_on(loop, conversation())


@pytest.mark.parametrize(("tls", "code"), [("may", 250), ("require", 451)])
async def test_a_hop_without_starttls(tls: str, code: int) -> None:
    async with FakeHop() as fake:
        hop = SmtpHop(settings(fake, tls=tls))
        assert (await deliver(hop))[0].code == code
        assert len(fake.taken) == (code == 250)
        await hop.close()


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("tls", ["may", "require"])
def test_plaintext_behind_the_220_of_starttls_is_not_believed(loop: str, tls: str, authority: trustme.CA) -> None:
    async def conversation() -> None:
        async with FakeHop(tls=server_side(authority, "127.0.0.1"), injected=b"250 SIZE 1\r\n") as fake:
            reply, kind = await deliver(SmtpHop(settings(fake, tls=tls)))
            assert (reply.code, kind) == (451, "tls")
            assert not fake.taken

    run_on(loop, conversation())


STUCK = ["greeting", "ehlo", "mail", "data", "body", "eod"]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("stage", STUCK)
def test_a_cancelled_delivery_closes_its_connection(loop: str, stage: str) -> None:
    async def conversation() -> None:
        async with FakeHop({stage: "hang"}, faulty=1) as fake:
            hop = SmtpHop(settings(fake, connections=1))
            delivery = hop.begin(transaction())

            async def stuck() -> None:
                await delivery.add([Recipient("r@b")])
                await delivery.send(LARGE, [Span(0, len(LARGE))])

            with pytest.raises(TimeoutError):
                await asyncio.wait_for(stuck(), 0.2)
            await fake.until_open(0)  # at once, before anybody abandons it
            await delivery.abandon()
            assert (await deliver(hop))[0].accepted
            assert fake.connections == 2
            assert len(fake.taken) == 1
            await hop.close()

    run_on(loop, conversation())


async def test_an_abandoned_delivery_sends_nothing_more_and_gives_its_connection_back() -> None:
    async with FakeHop() as fake:
        hop = SmtpHop(settings(fake))
        delivery = hop.begin(transaction())
        await delivery.abandon()
        assert fake.connections == 0
        delivery = hop.begin(transaction())
        await delivery.add([Recipient("r@b")])
        await delivery.abandon()
        await delivery.abandon()
        with pytest.raises(HopError):
            await delivery.add([Recipient("r@b")])
        assert (await deliver(hop))[0].accepted
        assert fake.connections == 1
        assert [taken.rcpts for taken in fake.taken] == [[b"RCPT TO:<r@b.example>"]]
        await hop.close()


async def test_what_the_hop_wrote_reaches_the_client_as_printable_text() -> None:
    async with FakeHop(finals=(b"550-5.7.1 \x1b[31mno\r\n550 5.7.1 \xe2\x80\xaenever 100%\r\n",)) as fake:
        reply, _ = await deliver(SmtpHop(settings(fake)))
        assert reply == Reply(550, "7.1", "[31mno\n?never 100%")


async def test_a_hop_named_by_host() -> None:
    async with FakeHop() as fake:
        hop = SmtpHop(settings(fake, address=("localhost", fake.address[1])))
        assert (await deliver(hop))[0].accepted
        await hop.close()
