"""The filter `spam` with a real rspamd and a real spamd, and with servers that break their protocols: only what an
engine said is a score, everything else is "could not look"."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from filters.spam import GTUBE, Score, Spam
from gateway.endpoint import HostPort
from gateway.errors import Unavailable
from gateway.mail import Client, Envelope, Mail, Recipient
from gateway.mime.parse import parse
from gateway.reading import Reading
from gateway.schema.scalars import Duration, Size
from gateway.verdict import Finding
from tests.engines.daemons import Running, rspamd, shipped_rspamd, spamd

HEAD = (
    b"From: a@b.vn\r\nTo: c@d.vn\r\nSubject: x\r\n"
    b"Date: Tue, 24 Nov 2026 08:00:00 +0700\r\nMessage-Id: <1@b.vn>\r\n\r\n"
)
TEST_LINE = GTUBE + b"\r\n"
SALE = b"khuyen mai soc hom nay\r\n"
KINDS = ["rspamd", "spamd"]


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    with rspamd(tmp_path_factory.mktemp("rspamd")) as first, spamd() as second:
        yield {"rspamd": first, "spamd": second}


def asking(kind: str, *ports: int, patience: float = 30) -> Spam:
    addresses = tuple(HostPort("127.0.0.1", port) for port in ports)
    return Spam(**{kind: addresses, "embedded": False, "patience": Duration(patience)})  # type: ignore[arg-type]


def mail(body: bytes) -> Mail:
    raw = HEAD + body
    return Mail(
        id="20261124-1",
        listener="x",
        received=datetime(2026, 11, 24, tzinfo=UTC),
        client=Client(address="198.51.100.7", name="mx.example.org", helo="helo.example.org", login="an"),
        envelope=Envelope("back@example.org", (Recipient("c@d.vn"), Recipient("e@d.vn"))),
        inside=False,
        raw=raw,
        root=parse(raw),
        opened=Reading(),
    )


async def found(spam: Spam, message: Mail) -> list[Finding]:
    return [finding async for finding in spam.inspect(message)]


async def only(spam: Spam, message: Mail) -> Score:
    [finding] = await found(spam, message)
    assert isinstance(finding, Score)
    return finding


@pytest.mark.parametrize("kind", KINDS)
async def test_test_line_is_spam_and_an_ordinary_letter_is_not(engines: dict[str, Running], kind: str) -> None:
    spam = asking(kind, engines[kind].port)
    caught, clean = await only(spam, mail(TEST_LINE)), await only(spam, mail(b"good morning\r\n"))
    assert caught.share >= 1
    assert caught.action == {"rspamd": "reject", "spamd": "spam"}[kind]
    assert "GTUBE" in caught.symbols
    assert (clean.share < 1, clean.engine) == (True, kind)
    assert clean.action in ("no action", "ham")
    spam.close()


async def test_rspamd_hears_of_the_whole_envelope(engines: dict[str, Running]) -> None:
    spam = asking("rspamd", engines["rspamd"].port)
    score = await only(spam, mail(SALE))
    assert (score.score, score.required, score.share, score.action) == (7.5, 6.0, 1.25, "add header")
    assert score.symbols == ("SALE",)
    assert score.detail == "SALE(7.5) [198.51.100.7, helo.example.org, mx.example.org, back@example.org, c@d.vn+e@d.vn]"
    spam.close()


async def test_shipped_settings_of_rspamd_work(tmp_path: Path) -> None:
    with shipped_rspamd(tmp_path) as running:
        spam = asking("rspamd", running.port, patience=60)
        assert (await only(spam, mail(TEST_LINE))).action == "reject"
        score = await only(spam, mail(b"good morning\r\n"))
        assert score.share < 1
        assert "MIME_GOOD" in score.symbols  # a test of the package
        spam.close()


async def test_rules_of_spamassassin_are_told(engines: dict[str, Running]) -> None:
    score = await only(asking("spamd", engines["spamd"].port), mail(SALE))
    assert (score.required, score.action, score.symbols[0]) == (5.0, "spam", "SALE")
    assert "SALE(7.5)" in score.detail


@pytest.mark.parametrize("kind", KINDS)
async def test_doctor_is_answered(engines: dict[str, Running], kind: str) -> None:
    assert f"{kind}-1: " in await asking(kind, engines[kind].port).ping()
    with pytest.raises(Unavailable, match=f"{kind}-1"):
        await asking(kind, 9).ping()


@pytest.mark.parametrize("kind", KINDS)
async def test_killed_paused_and_started_again(tmp_path: Path, kind: str) -> None:
    with rspamd(tmp_path) if kind == "rspamd" else spamd() as running:
        patient, hurried = asking(kind, running.port), asking(kind, running.port, patience=0.5)
        assert (await only(patient, mail(b"before\r\n"))).share < 1
        running.signal(signal.SIGSTOP)
        with pytest.raises(Unavailable, match="no answer in"):
            await found(hurried, mail(TEST_LINE))
        running.signal(signal.SIGCONT)
        assert (await only(patient, mail(TEST_LINE))).share >= 1
        running.kill()
        with pytest.raises(Unavailable):
            await found(patient, mail(TEST_LINE))
        running.start()
        assert (await only(patient, mail(TEST_LINE))).share >= 1
        patient.close()


async def test_second_engine_stands_in(engines: dict[str, Running]) -> None:
    spam = asking("rspamd", 9, engines["rspamd"].port)
    assert (await only(spam, mail(TEST_LINE))).share >= 1
    spam.close()


async def test_what_one_engine_found_counts_although_another_is_down(engines: dict[str, Running]) -> None:
    nobody, port = HostPort("127.0.0.1", 9), engines["rspamd"].port
    spam = Spam(rspamd=(HostPort("127.0.0.1", port),), spamd=(nobody,))
    findings: list[Finding] = []

    async def collect() -> None:
        async for finding in spam.inspect(mail(SALE)):
            findings.append(finding)

    with pytest.raises(Unavailable, match="spamd-1"):
        await collect()
    assert [finding.facts()["engine"] for finding in findings] == ["embedded", "rspamd"]
    spam.close()


async def test_large_mail_is_not_sent() -> None:
    spam = Spam(rspamd=(HostPort("127.0.0.1", 9),), embedded=False, largest=Size(100))
    with pytest.raises(Unavailable, match="larger than 100 bytes"):
        await found(spam, mail(b"x" * 200))


async def test_nothing_configured_cannot_look() -> None:
    with pytest.raises(Unavailable, match="no engine is configured"):
        await found(Spam(embedded=False), mail(b"x"))


JSON = b'{"score": 1.5, "action": "no action", "required_score": 15.0, "symbols": {}}'


def http(body: bytes, *fields: bytes, length: int | None = None, status: bytes = b"200 OK") -> bytes:
    head = [b"HTTP/1.1 " + status, b"Content-Length: %d" % (len(body) if length is None else length), *fields]
    return b"\r\n".join([*head, b"", body])


def chunked(*pieces: bytes) -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body


def report(body: bytes = b"", *, verdict: bytes = b"False ; 1.5 / 5.0", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return b"SPAMD/1.1 0 EX_OK\r\nContent-length: %d\r\nSpam: %s\r\n\r\n%s" % (size, verdict, body)


ANSWERS: dict[str, tuple[str, bytes]] = {
    "rspamd, with a length": ("rspamd", http(JSON)),
    "rspamd, in chunks": ("rspamd", chunked(JSON[:10], JSON[10:], b"")),
    "rspamd, connection closed afterwards": ("rspamd", http(JSON, b"Connection: close")),
    "spamd": ("spamd", report()),
}

FAULTS: dict[str, tuple[str, bytes]] = {
    "rspamd hangs": ("rspamd", b""),
    "rspamd is cut in its head": ("rspamd", http(JSON)[:30]),
    "rspamd is cut in its answer": ("rspamd", http(JSON, length=500)),
    "rspamd is cut between chunks": ("rspamd", chunked(JSON[:10])),
    "rspamd says a chunk is shorter than it is": ("rspamd", chunked(JSON, b"").replace(b"4c\r\n", b"40\r\n")),
    "rspamd says the answer is shorter": ("rspamd", http(JSON, length=20)),
    "rspamd says the answer is huge": ("rspamd", http(JSON, length=10**8)),
    "rspamd gives no length": ("rspamd", b"HTTP/1.1 200 OK\r\n\r\n" + JSON),
    "rspamd gives two lengths": ("rspamd", http(JSON, b"Content-Length: 5")),
    "rspamd gives length and chunks": ("rspamd", http(JSON, b"Transfer-Encoding: chunked")),
    "rspamd gives garbage": ("rspamd", b"\x00\xff" * 40 + b"\n"),
    "rspamd gives a line without an end": ("rspamd", b"HTTP/1.1 200 " + b"x" * 100_000),
    "rspamd gives endless fields": ("rspamd", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000),
    "rspamd refuses": ("rspamd", http(b"{}", status=b"403 Forbidden")),
    "rspamd has an error": ("rspamd", http(b'{"error": "out of memory"}')),
    "rspamd has skipped the mail": ("rspamd", http(JSON.replace(b"{", b'{"is_skipped": true, ', 1))),
    "rspamd gives no score": ("rspamd", http(JSON.replace(b"score", b"points", 1))),
    "rspamd gives a score that is no number": ("rspamd", http(JSON.replace(b"1.5", b"NaN"))),
    "rspamd gives no symbols": ("rspamd", http(JSON.replace(b"symbols", b"s"))),
    "rspamd gives JSON that is too deep": ("rspamd", http(b"[" * 100_000)),
    "spamd hangs": ("spamd", b""),
    "spamd is cut": ("spamd", report(b"report", length=100)),
    "spamd says more than its length": ("spamd", report(b"report", length=3)),
    "spamd says the answer is huge": ("spamd", report(length=10**8)),
    "spamd gives no length": ("spamd", report().replace(b"Content-length", b"X")),
    "spamd gives no verdict": ("spamd", report().replace(b"Spam:", b"X:")),
    "spamd gives half a verdict": ("spamd", report(verdict=b"False ; 1.5 /")),
    "spamd has an error": ("spamd", b"SPAMD/1.0 76 Bad header line: (EOF)\r\n"),
    "spamd times out": ("spamd", b"SPAMD/1.0 79 Timeout: 30 second timeout\r\n"),
    "spamd gives garbage": ("spamd", b"\x00\xff" * 40 + b"\n"),
    "spamd gives a line without an end": ("spamd", b"SPAMD/1.1 0 " + b"x" * 100_000),
    "spamd gives endless fields": ("spamd", b"SPAMD/1.1 0 EX_OK\r\n" + b"a: b\r\n" * 1000),
}

Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(answer: bytes, *, slowly: bool = False) -> AsyncIterator[int]:
    """Answers each connection with these bytes and closes it; with none it stays silent."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            for at in range(0, len(answer), 1 if slowly else max(len(answer), 1)):
                writer.write(answer[at : at + (1 if slowly else len(answer))])
                await writer.drain()
                await asyncio.sleep(0)
            if not answer:
                await reader.read()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


@pytest.mark.parametrize("slowly", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("kind", "answer"), ANSWERS.values(), ids=ANSWERS)
async def test_whole_answer_is_a_score(kind: str, answer: bytes, slowly: bool) -> None:
    async with server(answer, slowly=slowly) as port:
        score = await only(asking(kind, port), mail(b"x\r\n"))
        assert (score.score, score.share) == (1.5, 0.25 if kind == "rspamd" else 0.3)


@pytest.mark.parametrize(("kind", "answer"), FAULTS.values(), ids=FAULTS)
async def test_anything_else_is_could_not_look(kind: str, answer: bytes) -> None:
    async with server(answer) as port:
        with pytest.raises(Unavailable, match=f"{kind}-1"):
            await found(asking(kind, port, patience=0.5 if not answer else 5), mail(b"x\r\n"))


async def test_envelope_cannot_end_its_line() -> None:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(http(JSON))
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    message = mail(b"x\r\n")
    client = Client(helo="a\r\nSettings: {}")
    hostile = Mail.of(message, message.raw, message.root)
    object.__setattr__(hostile, "client", client)
    object.__setattr__(hostile, "opened", Reading())
    await only(asking("rspamd", listening.sockets[0].getsockname()[1]), hostile)
    assert b"\r\nHelo: a??Settings: {}\r\n" in heard[0]
    listening.close()


@pytest.mark.parametrize("most", [100, 1], ids=["kept", "closed by the server while idle"])
async def test_connection_is_used_again_while_it_is_open(most: int) -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        for _ in range(most):
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
            writer.write(http(JSON))
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    spam = asking("rspamd", listening.sockets[0].getsockname()[1])
    for _ in range(3):
        assert (await only(spam, mail(b"x\r\n"))).score == 1.5
    assert connections == (1 if most > 1 else 3)
    spam.close()
    listening.close()
