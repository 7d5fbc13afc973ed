"""What an MTA must not do, done to a running milter: whoever breaks the protocol is hung up on, all others get on with
their work, and the clean message that follows is clean."""

from __future__ import annotations

import asyncio
import gc
import itertools
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from structlog.testing import capture_logs

from gateway.app import Gateway
from gateway.config import load_settings
from gateway.milter import session
from gateway.milter.commands import LINE_LIMIT, STRINGS_LIMIT
from gateway.milter.flags import Steps
from gateway.milter.incoming import FIELDS_LIMIT, PATH_LIMIT, Incoming
from gateway.milter.wire import PACKET_LIMIT
from gateway.policy.load import load
from tests.conftest import Start
from tests.milter.client import ALL_ACTIONS, ALL_STEPS, PATIENCE, Mta, changed, connect, strings, wire
from tests.milter.test_session import NEVER, POLICY, TCP, letter
from tests.milter.test_wire import MALFORMED

BAD = b"refuse"
OPEN, CLOSED = True, False
"""Whether the session lives on."""


def negotiation(version: int = 6, actions: int = ALL_ACTIONS, steps: int = ALL_STEPS, rest: bytes = b"") -> bytes:
    return wire(b"O", struct.pack("!III", version, actions, steps) + rest)


def mail(sender: bytes = b"<an@example.org>", *parameters: bytes) -> bytes:
    return wire(b"M", strings(sender, *parameters))


def rcpt(to: bytes = b"<one@example.gov.vn>", *parameters: bytes) -> bytes:
    return wire(b"R", strings(to, *parameters))


def field(name: bytes = b"X-Ask", value: bytes = b" " + BAD) -> bytes:
    return wire(b"L", strings(name, value))


def macros(command: bytes, *words: bytes) -> bytes:
    return wire(b"D", command + strings(*words))


HELO = wire(b"H", strings(b"client.example.org"))
GREETED = wire(b"C", connect()) + HELO
HEAD_END, END, ABORT, QUIT = wire(b"N"), wire(b"E"), wire(b"A"), wire(b"Q")
BODY = wire(b"B", b"text\r\n")
ENVELOPE = mail() + rcpt()
CLEAN = ENVELOPE + field(value=b" nothing") + HEAD_END + BODY + END
REFUSED = ENVELOPE + field() + HEAD_END + BODY + END

Sent = tuple[bytes, bytes, bool]
"""What is sent, the codes of all that is answered, and what becomes of the session."""

FIRST_WORDS: dict[str, Sent] = {
    "nothing but the end": (b"", b"", CLOSED),
    "version 0": (negotiation(0), b"", CLOSED),
    "version 1": (negotiation(1), b"", CLOSED),
    "the greatest version": (negotiation(0xFFFFFFFF), b"O", OPEN),
    "no version at all": (wire(b"O"), b"", CLOSED),
    "a negotiation cut within its actions": (wire(b"O", bytes(7)), b"", CLOSED),
    "no action on offer": (negotiation(actions=0), b"", CLOSED),
    "all actions but a new body": (negotiation(actions=ALL_ACTIONS & ~2), b"", CLOSED),
    "all actions but other recipients": (negotiation(actions=ALL_ACTIONS & ~0xC), b"", CLOSED),
    "bits that nobody knows": (negotiation(actions=0xFFFFFFFF, steps=0xFFFFFFFF), b"O", OPEN),
    "lists of macros, which are for filters": (negotiation(rest=struct.pack("!I", 2) + strings(b"i")), b"O", OPEN),
    "macros of a stage that is none": (negotiation(rest=struct.pack("!I", 99) + strings(b"i")), b"", CLOSED),
    "a list of macros cut off": (negotiation(rest=struct.pack("!I", 2) + b"i"), b"", CLOSED),
    "two negotiations": (negotiation() * 2, b"O", CLOSED),
    "a negotiation within a message": (negotiation() + GREETED + ENVELOPE + negotiation(), b"Occc", CLOSED),
    "a client before the negotiation": (GREETED, b"", CLOSED),
    "macros before the negotiation": (macros(b"C", b"j", b"mx"), b"", CLOSED),
    "a message before the negotiation": (CLEAN, b"", CLOSED),
    "a farewell before the negotiation": (QUIT, b"", CLOSED),
    "SMTP": (b"EHLO client.example.org\r\n", b"", CLOSED),
    "HTTP": (b"GET / HTTP/1.1\r\nHost: milter\r\n\r\n", b"", CLOSED),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"", CLOSED),
}

BROKEN_FRAMES: dict[str, Sent] = {
    "a packet without a command": (struct.pack("!I", 0), b"", CLOSED),
    "a packet one octet too long": (struct.pack("!I", PACKET_LIMIT + 1) + b"B", b"", CLOSED),
    "a packet of 2 GiB": (struct.pack("!I", 1 << 31) + b"B", b"", CLOSED),
    "a packet of 4 GiB": (b"\xff\xff\xff\xffB" + bytes(70_000), b"", CLOSED),
    "a broken packet behind good ones": (ENVELOPE + bytes(4), b"cc", CLOSED),
    "a broken packet within a message": (ENVELOPE + field() + bytes(4), b"cc", CLOSED),
    "an answer in the place of a command": (wire(b"a"), b"", CLOSED),
    "the command NUL": (wire(b"\0"), b"", CLOSED),
    "the command 0xFF": (wire(b"\xff", b"x" * 1000), b"", CLOSED),
} | {f"malformed: {name}": (wire(code, data), b"", CLOSED) for name, (code, data) in MALFORMED.items()}

WRONG_ORDER: dict[str, Sent] = {
    "a recipient without a sender": (rcpt(), b"", CLOSED),
    "a field without a sender": (field(), b"", CLOSED),
    "the end of a head without a sender": (HEAD_END, b"", CLOSED),
    "a body without a sender": (BODY, b"", CLOSED),
    "an end without a sender": (END, b"", CLOSED),
    "content for a sender that was refused": (mail(b"<evil@example.org>") + field(), b"y", CLOSED),
    "content for nobody": (mail() + field() + HEAD_END + END, b"cy", OPEN),
    "a recipient behind a field": (ENVELOPE + field() + rcpt(), b"cc", CLOSED),
    "a recipient behind the body": (ENVELOPE + HEAD_END + BODY + rcpt(), b"cc", CLOSED),
    "a body before the end of the head": (ENVELOPE + field() + BODY, b"cc", CLOSED),
    "an end before the end of the head": (ENVELOPE + field() + END, b"cc", CLOSED),
    "a field behind the end of the head": (ENVELOPE + HEAD_END + field(), b"cc", CLOSED),
    "a field behind the body": (ENVELOPE + HEAD_END + BODY + field(), b"cc", CLOSED),
    "two ends of the head": (ENVELOPE + HEAD_END * 2, b"cc", CLOSED),
    "two ends of the message": (REFUSED + END, b"ccy", CLOSED),
    "a body behind the end of the message": (REFUSED + BODY, b"ccy", CLOSED),
    "a recipient behind the end of the message": (REFUSED + rcpt(), b"ccy", CLOSED),
    "a second sender": (mail(b"<other@example.org>") + ENVELOPE + ABORT, b"ccc", OPEN),
    "a sender within a body": (ENVELOPE + field() + HEAD_END + BODY + mail() + ABORT, b"ccc", OPEN),
    "a greeting within a message": (ENVELOPE + field() + HELO + ABORT, b"cc", OPEN),
    "DATA before a sender": (wire(b"T"), b"c", OPEN),
    "DATA within a body": (ENVELOPE + field() + HEAD_END + wire(b"T") + ABORT, b"ccc", OPEN),
    "a strange SMTP command within a body": (
        ENVELOPE + HEAD_END + BODY + wire(b"U", strings(b"XEXPLODE")) + ABORT, b"ccc", OPEN,
    ),
    "a farewell within a message": (ENVELOPE + field() + QUIT, b"cc", CLOSED),
}  # fmt: skip

ABORTED: dict[str, Sent] = {
    "nothing": (ABORT, b"", OPEN),
    "nothing, a thousand times": (ABORT * 1000, b"", OPEN),
    "behind the sender": (mail(b"<other@example.org>", b"SIZE=100") + ABORT, b"c", OPEN),
    "behind a sender that was refused": (mail(b"<evil@example.org>") + ABORT, b"y", OPEN),
    "behind the recipient": (ENVELOPE + ABORT, b"cc", OPEN),
    "behind a recipient that was refused": (mail() + rcpt(b"<closed@example.gov.vn>") + ABORT, b"cy", OPEN),
    "within the head": (ENVELOPE + field() + ABORT, b"cc", OPEN),
    "behind the head": (ENVELOPE + field() + HEAD_END + ABORT, b"cc", OPEN),
    "within the body": (ENVELOPE + field() + HEAD_END + BODY * 3 + ABORT, b"cc", OPEN),
    "within a body that is on disk": (
        ENVELOPE + field() + HEAD_END + wire(b"B", bytes(65_535)) * 20 + ABORT, b"cc", OPEN,
    ),
    "behind the end": (REFUSED + ABORT, b"ccy", OPEN),
    "one bad message behind the other": ((REFUSED[: -len(END)] + ABORT) * 50, b"cc" * 50, OPEN),
    "with the macros of another": (
        macros(b"M", b"{auth_authen}", b"somebody", b"i", b"4STRANGE") + ENVELOPE + macros(b"E", b"i", b"4STRANGE")
        + field() + ABORT, b"cc", OPEN,
    ),
}  # fmt: skip

HUGE: dict[str, Sent] = {
    "a greeting of a megabyte": (wire(b"H", strings(bytes(PACKET_LIMIT - 2).replace(b"\0", b"h"))), b"", CLOSED),
    "a client's name of a megabyte": (wire(b"C", connect(host=b"c" * 1_000_000)), b"", CLOSED),
    "a sender of a megabyte": (mail(b"<" + b"s" * 1_000_000 + b">"), b"", CLOSED),
    "a sender one octet too long": (mail(b"<" + b"s" * (PATH_LIMIT - 1) + b">"), b"y", OPEN),
    "a recipient one octet too long": (mail() + rcpt(b"<" + b"r" * (PATH_LIMIT - 1) + b">") + ABORT, b"cy", OPEN),
    "a line one octet too long": (wire(b"H", strings(b"h" * LINE_LIMIT)), b"", CLOSED),
    "a million parameters": (mail(b"<>", *[b""] * 900_000), b"", CLOSED),
    "one parameter too many": (mail(b"<>", *[b"X"] * STRINGS_LIMIT), b"", CLOSED),
    "a sender that declares 10^19 octets": (mail(b"<>", b"SIZE=9999999999999999999"), b"y", OPEN),
    "a sender that declares a novel": (mail(b"<>", b"SIZE=" + b"9" * 10_000) + ABORT, b"c", OPEN),
    "half a million macros": (macros(b"M", *[b"i", b""] * 250_000), b"", CLOSED),
    "macros for every octet that is not the next command": (
        b"".join(macros(bytes([code]), b"{auth_authen}", b"a" * 100_000) for code in {*range(256)} - {*b"CHM"}),
        b"", OPEN,
    ),
    "a field of a megabyte": (ENVELOPE + field(b"X", b"v" * 1_000_000) + ABORT, b"cc", OPEN),
    "a field's name of a megabyte": (ENVELOPE + field(b"X" * 1_000_000, b"v") + ABORT, b"cc", OPEN),
    "one field too many": (ENVELOPE + field(b"X", b"") * (FIELDS_LIMIT + 1) + HEAD_END + END, b"ccy", OPEN),
    "a piece of the body of a megabyte": (
        ENVELOPE + HEAD_END + wire(b"B", bytes(PACKET_LIMIT - 1)) + ABORT, b"cc", OPEN,
    ),
    "more than a message may have": (
        ENVELOPE + HEAD_END + wire(b"B", bytes(65_535)) * 31 + END, b"ccy", OPEN,
    ),
    "recipients without an end": (
        mail() + b"".join(rcpt(b"<r%d@example.gov.vn>" % number) for number in range(110)) + ABORT,
        b"c" + b"c" * 100 + b"y" * 10, OPEN,
    ),
    "recipients that the MTA refuses, without an end": (
        mail() + (macros(b"R", b"{rcpt_mailer}", b"error", b"{rcpt_addr}", b"x" * 5000) + rcpt()) * 200 + ABORT,
        b"c" + b"c" * 200, OPEN,
    ),
}  # fmt: skip

STRANGE: dict[str, Sent] = {
    "macros that nobody asked for": (macros(b"C", b"{what}", b"ever", b"", b"", b"{", b"}"), b"", OPEN),
    "macros for a command that never comes": (macros(b"U", b"i", b"4STRANGE") + macros(b"Z", b"i", b"4"), b"", OPEN),
    "a login with lines of its own": (
        macros(b"M", b"{auth_authen}", b"an\r\nX-Evil: \x1b[31m\xff") + ENVELOPE + ABORT, b"cc", OPEN,
    ),
    "a client at an address that is none": (
        wire(b"C", strings(b"h") + b"4\0\1" + strings(b"999.1.2.3; drop")) + ENVELOPE + ABORT, b"ccc", OPEN,
    ),
    "a client of IPv6 at an address of IPv4": (
        wire(b"C", strings(b"h") + b"6\0\1" + strings(b"198.51.100.7")) + ENVELOPE + ABORT, b"ccc", OPEN,
    ),
    "a client by no family": (wire(b"C", strings(b"h") + b"U") + ENVELOPE + ABORT, b"ccc", OPEN),
    "a client whose macros are nonsense": (
        wire(b"C", strings(b"h") + b"U") + macros(b"M", b"{client_addr}", b"::::", b"{client_port}", b"-1")
        + ENVELOPE + ABORT, b"ccc", OPEN,
    ),
    "a refusal by the MTA for no reason at all": (
        mail() + macros(b"R", b"{rcpt_mailer}", b"error", b"{rcpt_host}", b"9.\xff") + rcpt() + ABORT, b"cc", OPEN,
    ),
    "a sender that is not UTF-8": (mail(b"<\xc0\xae@example.org>") + ABORT, b"y", OPEN),
    "a sender with a line end": (mail(b"<a\r\nRCPT TO:<x>@example.org>") + ABORT, b"y", OPEN),
    "a recipient without brackets": (mail() + rcpt(b"one@example.gov.vn") + ABORT, b"cc", OPEN),
    "a recipient of nothing": (mail() + rcpt(b"") + ABORT, b"cc", OPEN),
    "a field that is two": (ENVELOPE + field(b"X", b" a\r\nX-Ask: refuse") + HEAD_END + END, b"ccy", OPEN),
    "a field whose name is a line": (ENVELOPE + field(b"Y: \r\nX-Ask", b" refuse") + HEAD_END + END, b"ccy", OPEN),
    "a message of nothing": (ENVELOPE + HEAD_END + END + ABORT, b"ccia", OPEN),
    "empty pieces of a body": (ENVELOPE + HEAD_END + wire(b"B") * 1000 + END, b"ccia", OPEN),
    "another client without a farewell": (wire(b"K") * 3 + GREETED, b"c", OPEN),
    "another client within a message": (ENVELOPE + field() + wire(b"K") + GREETED, b"ccc", OPEN),
}  # fmt: skip

AFTER_NEGOTIATION = BROKEN_FRAMES | WRONG_ORDER | HUGE | STRANGE | {f"aborted: {n}": c for n, c in ABORTED.items()}
FACTS = ("client", "sender", "recipients", "refused", "login", "queue", "size", "action", "rules", "findings")


async def assert_clean_is_clean(mta: Mta) -> None:
    """A clean message by this session is seen as what it is, with no fact of anything that was before."""
    await mta.greet()
    with capture_logs() as logs:
        answered = await mta.send(letter(), b"<two@example.gov.vn>", sender=b"<binh@example.org>")
    assert answered.final == b"a"
    assert [code for code, _ in answered.changes] == [b"i"]
    assert changed(letter(), answered).endswith(b"\r\n" + letter())
    [line] = [line for line in logs if line["event"] == "message"]
    wanted = ("198.51.100.7", "binh@example.org", ["two@example.gov.vn"], [], "", "", len(letter()), "accept", [], [])
    assert tuple(line[name] for name in FACTS) == wanted


async def heard(mta: Mta, count: int) -> bytes:
    """The codes of so many packets."""
    return b"".join([(await mta.hear())[0] for _ in range(count)])


async def assert_hung_up(mta: Mta) -> None:
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await mta.hear()


async def until_hung_up(mta: Mta) -> None:
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            await mta.hear()


async def until_alone(gateway: Any, sessions: int) -> None:
    """Waits until so many sessions are there."""
    async with asyncio.timeout(PATIENCE):
        while len(gateway.milters) > sessions:
            await asyncio.sleep(0.01)


async def assert_nothing_is_left(gateway: Any) -> None:
    await until_alone(gateway, 0)
    assert (gateway._spool.in_memory, gateway._spool.on_disk) == (0, 0)
    assert gateway.milters.under_way == 0


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    folder = tmp_path_factory.mktemp("milter")
    (folder / "policy.yaml").write_text(POLICY)
    document = {
        "listeners": [TCP | {"upstream": NEVER}],
        "policy": "policy.yaml",
        "state": "state",
        "hostname": "mx.example.gov.vn",
        "drain": 5,
        "limits": {"message_size": 2_000_000, "recipients": 100},
    }
    (folder / "gateway.yaml").write_text(yaml.safe_dump(document))
    settings = load_settings(folder / "gateway.yaml")
    running = Gateway(settings, load(settings.policy))
    async with running.running():
        yield running


class Raw(Mta):
    """An MTA that negotiates by itself, or not at all."""

    async def __aenter__(self) -> Raw:
        await self.connect()
        return self

    async def agreed(self) -> None:
        """The answer to its negotiation."""
        code, data = await self.hear()
        assert code == b"O"
        self.steps = Steps(struct.unpack_from("!III", data)[2])


@pytest.mark.asyncio(loop_scope="class")
class TestAbuse:
    """One gateway for all of it: what a case leaves behind would show in the next."""

    @pytest.mark.parametrize(("sent", "codes", "alive"), FIRST_WORDS.values(), ids=FIRST_WORDS)
    async def test_first_words(self, gateway: Any, sent: bytes, codes: bytes, alive: bool) -> None:
        async with Raw(gateway.addresses["milter"]) as mta, Mta(gateway.addresses["milter"]) as other:
            mta.write(sent, last=not sent)
            if codes:
                await mta.agreed()
                assert await heard(mta, len(codes) - 1) == codes[1:]
            if alive:
                await assert_clean_is_clean(mta)
            else:
                await assert_hung_up(mta)
            await assert_clean_is_clean(other)
        await assert_nothing_is_left(gateway)

    @pytest.mark.parametrize(("sent", "codes", "alive"), AFTER_NEGOTIATION.values(), ids=AFTER_NEGOTIATION)
    async def test_after_the_negotiation(self, gateway: Any, sent: bytes, codes: bytes, alive: bool) -> None:
        async with Mta(gateway.addresses["milter"]) as mta, Mta(gateway.addresses["milter"]) as other:
            await mta.greet()
            mta.write(sent)
            assert await heard(mta, len(codes)) == codes
            if alive:
                await assert_clean_is_clean(mta)
            else:
                await assert_hung_up(mta)
            await assert_clean_is_clean(other)
        await assert_nothing_is_left(gateway)

    @pytest.mark.parametrize("cut", [1, 3, 4, 5, 20, len(REFUSED) - 1])
    async def test_an_mta_that_is_gone_within_a_packet_or_a_message(self, gateway: Any, cut: int) -> None:
        async with Mta(gateway.addresses["milter"]) as mta, Mta(gateway.addresses["milter"]) as other:
            await mta.greet()
            mta.write(REFUSED[:cut], last=True)
            await until_hung_up(mta)
            await assert_clean_is_clean(other)
        await assert_nothing_is_left(gateway)

    async def test_a_session_byte_by_byte(self, gateway: Any) -> None:
        async with Mta(gateway.addresses["milter"]) as mta:
            for octet in GREETED + REFUSED + CLEAN:
                mta.write(bytes([octet]))
                await asyncio.sleep(0)  # each is a packet of the network's, as TCP has no delay here
            assert await heard(mta, 8) == b"cccyccia"
            await assert_clean_is_clean(mta)

    async def test_a_session_in_one_piece(self, gateway: Any) -> None:
        async with Mta(gateway.addresses["milter"]) as mta:
            mta.write(GREETED + (REFUSED + CLEAN + CLEAN[: -len(END)] + ABORT) * 30)
            assert await heard(mta, 1 + 9 * 30) == b"c" + b"ccycciacc" * 30
            await assert_clean_is_clean(mta)

    async def test_a_hundred_messages_of_every_kind_on_one_connection_leave_nothing(self, gateway: Any) -> None:
        kinds = {b"refuse": b"y", b"": b"a", b"drop": b"d", b"later": b"y", b"mark": b"a", b"elsewhere": b"a"}
        async with Mta(gateway.addresses["milter"]) as mta:
            await mta.greet()
            for ask, final in itertools.islice(itertools.cycle(kinds.items()), 100):
                assert (await mta.send(letter(ask))).final == final
            await assert_clean_is_clean(mta)
            gc.collect()
            assert [each for each in gc.get_objects() if isinstance(each, Incoming)] == []
            assert (gateway._spool.in_memory, gateway._spool.on_disk) == (0, 0)
        await assert_nothing_is_left(gateway)


SOON = {"command_timeout": "200ms", "transfer_grace": "200ms", "session_timeout": "10s"}

SILENT: dict[str, bytes] = {
    "who says nothing at all": b"",
    "who says half a length": b"\0\0",
    "who says half a negotiation": negotiation()[:9],
    "who says half a packet": negotiation() + GREETED + ENVELOPE[:9],
    "who stops within a head": negotiation() + GREETED + ENVELOPE + field(),
    "who stops within a body": negotiation() + GREETED + ENVELOPE + HEAD_END + BODY,
}


@pytest.mark.parametrize("said", SILENT.values(), ids=SILENT)
async def test_who_falls_silent_is_hung_up_on(start: Start, said: bytes) -> None:
    async with start(NEVER, policy=POLICY, listeners=[TCP], limits=SOON) as gateway:
        async with Raw(gateway.addresses["milter"]) as mta, Mta(gateway.addresses["milter"]) as other:
            mta.write(said)
            await until_hung_up(mta)
            await assert_clean_is_clean(other)  # which has been silent for as long: between two messages it may
        await assert_nothing_is_left(gateway)


SLOW: dict[str, tuple[bytes, bytes]] = {
    "with an octet of a packet now and then": (b"", struct.pack("!I", 100_000) + b"B" + bytes(100_000)),
    "with an octet of its negotiation now and then": (b"", negotiation()),
    "with an octet of a message now and then": (negotiation() + GREETED + ENVELOPE, field() + HEAD_END + BODY * 1000),
}


@pytest.mark.parametrize(("first", "then"), SLOW.values(), ids=SLOW)
async def test_who_is_slow_on_purpose_is_hung_up_on(start: Start, first: bytes, then: bytes) -> None:
    async with start(NEVER, policy=POLICY, listeners=[TCP], limits=SOON) as gateway:
        async with Raw(gateway.addresses["milter"]) as mta:
            mta.write(first)
            over = asyncio.ensure_future(until_hung_up(mta))
            for octet in then:
                mta.write(bytes([octet]))
                if (await asyncio.wait({over}, timeout=0.05))[0]:
                    break
            else:
                pytest.fail("it is let go on for ever")
        await assert_nothing_is_left(gateway)


async def test_who_does_not_read_is_hung_up_on(start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(session, "WRITING", 0.2)
    listener = {"name": "milter", "milter": "unix:milter.sock", "socket_mode": "0600"}
    async with start(NEVER, policy=POLICY, listeners=[listener]) as gateway:
        async with Raw(str(tmp_path / "milter.sock")) as deaf, Mta(str(tmp_path / "milter.sock")) as other:
            body = wire(b"B", b"text\r\n" * 9000) * 30  # a banner means that all of it is sent back
            with capture_logs() as logs:
                deaf.write(negotiation() + GREETED + ENVELOPE + field(value=b" mark") + HEAD_END + body + END)
                await until_alone(gateway, 1)
            assert [line["action"] for line in logs if line["event"] == "message"] == ["tag"]
            await assert_clean_is_clean(other)
        await until_alone(gateway, 0)
