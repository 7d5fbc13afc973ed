"""Mail through every way of placing the gateway: real clients, real Postfix, and a next hop that keeps what it gets."""

from __future__ import annotations

import re
import smtplib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar

import pytest
import pytest_asyncio

from tests.e2e.clients import send, smtp_source, swaks, talk
from tests.e2e.ways import Way, stand

LETTER = (
    "From: An <an@example.org>\r\n"
    "To: Binh <binh@example.gov.vn>\r\n"
    "Subject: {mark}\r\n"
    "Date: Tue, 24 Nov 2026 09:00:00 +0700\r\n"
    "Message-ID: <{mark}@example.org>\r\n"
    "X-Odd:   spaces \t and a folded\r\n"
    "\tline  \r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\n"
    "\r\n"
    "Kính gửi: Ủy ban nhân dân\r\n"
    ".\r\n"
    "..two dots, trailing blanks   \r\n"
    "From here a line that mbox would quote\r\n"
    "\r\n"
    "\r\n"
)


def letter(mark: str) -> bytes:
    return LETTER.format(mark=mark).encode()


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Way]:
    async with stand(request.cls.NAME, tmp_path_factory.mktemp("gateway")) as standing:
        yield standing


class Scenarios:
    """What must hold whichever way the gateway stands in the stream; the classes below name the way."""

    NAME: ClassVar[str]

    async def test_a_letter_from_swaks_arrives(self, way: Way, mark: str) -> None:
        replies = await swaks(way.port, "--header", f"Subject: {mark}")

        [taken] = await way.arrived(mark)
        assert replies[-2].startswith("250 2.")
        assert taken.mail.startswith(b"MAIL FROM:<an@example.org>")
        assert b"by gate.example.gov.vn (Mailwarden) with ESMTP id " in taken.content

    async def test_letters_from_smtp_source_arrive_each_once(self, way: Way, mark: str) -> None:
        await smtp_source(way.port, "-m", "20", "-s", "4", "-l", "5000", "-S", mark)

        assert len(await way.arrived(mark, 20)) == 20

    async def test_what_is_behind_the_trace_fields_is_byte_for_byte_what_was_sent(self, way: Way, mark: str) -> None:
        sent = letter(mark)
        await send(way.port, sent, mail=["BODY=8BITMIME"])

        [taken] = await way.arrived(mark)
        assert taken.content.endswith(sent)
        head = taken.content.removesuffix(sent).decode()
        fields = re.findall(r"^([A-Za-z-]+):", head, re.MULTILINE)
        assert set(fields) == {"Received", "X-Mailwarden"}
        assert fields.count("X-Mailwarden") == 1
        assert "BODY=8BITMIME" in taken.mail.decode()

    async def test_a_large_message_arrives_whole(self, way: Way, mark: str) -> None:
        sent = letter(mark) + b"0123456789abcdef" * 4 + b"\r\n"
        sent += (b"x" * 76 + b"\r\n") * 130_000  # 10 MB: beyond what the gateway keeps in memory

        await send(way.port, sent)

        [taken] = await way.arrived(mark)
        assert taken.content.endswith(sent)

    async def test_the_true_client_is_known_behind_postfix(self, way: Way, mark: str) -> None:
        await swaks(way.port, "--header", f"Subject: {mark}", sender="client@example.org")

        [taken] = await way.arrived(mark)
        line = await way.service.said("message", sender="client@example.org")
        assert line["client"] == "127.0.0.1"
        assert line["helo"] == "client.example.org"
        assert b"from client.example.org" in taken.content.partition(b"(Mailwarden)")[0]

    async def test_a_program_is_refused_by_the_rule(self, way: Way, mark: str, tmp_path: Path) -> None:
        program = tmp_path / "setup.exe"
        program.write_bytes(b"MZ" + bytes(200))
        arguments = ("--header", f"Subject: {mark}", "--attach-type", "application/octet-stream")

        replies = await swaks(way.port, *arguments, "--attach-name", "setup.exe", "--attach", f"@{program}")

        if way.inline:
            assert re.match(r"550 5\.7\.1 .*No programs by mail.*no-executables.*\[id [0-9A-Z]{18}\]", replies[-2])
            assert not way.with_mark(mark)
        else:
            assert replies[-2].startswith("250 2.")
            [bounce] = await way.arrived(mark)
            assert bounce.mail.startswith(b"MAIL FROM:<>")
            assert b"RCPT TO:<an@example.org>" in bounce.rcpts[0]
            assert b"550 5.7.1" in bounce.content

    async def test_a_recipient_is_refused_before_the_content_is_sent(self, way: Way, mark: str) -> None:
        replies = await swaks(way.port, "--header", f"Subject: {mark}", to="closed@example.gov.vn")

        if way.inline:
            assert replies[-2].startswith("550 5.2.1 ")
            assert not way.with_mark(mark)
        else:
            [bounce] = await way.arrived("closed@example.gov.vn")
            assert b"550 5.2.1" in bounce.content

    async def test_of_two_recipients_the_good_one_gets_the_message(self, way: Way, mark: str) -> None:
        def conversation(client: smtplib.SMTP) -> tuple[list[int], int]:
            assert client.mail("two@example.org")[0] == 250
            to = ("binh@example.gov.vn", "closed@example.gov.vn")
            return [client.rcpt(address)[0] for address in to], client.data(letter(mark))[0]

        codes, final = await talk(way.port, conversation)

        if way.name == "before-queue-speed-adjust":  # Postfix has one answer for all by then; it tells the truth
            assert (codes, final) == ([250, 250], 550)
            assert not way.with_mark(mark)
            return
        [taken] = [taken for taken in await way.arrived(mark) if b"<two@example.org>" in taken.mail]
        assert [line.split(b">")[0] for line in taken.rcpts] == [b"RCPT TO:<binh@example.gov.vn"]
        assert (codes, final) == ([250, 550 if way.inline else 250], 250)

    async def test_a_mark_is_put_on_the_subject(self, way: Way, mark: str) -> None:
        await swaks(way.port, "--header", f"Subject: {mark}", "--add-header", "X-Ask-For-Mark: yes")

        [taken] = await way.arrived(mark)
        assert re.search(rb"^Subject: =\?utf-8\?[bq]\?.*\r\n", taken.content, re.MULTILINE | re.IGNORECASE)
        assert b"X-Mailwarden: action=tag;" in taken.content

    async def test_delivery_status_parameters_reach_the_next_hop_with_their_case(self, way: Way, mark: str) -> None:
        await send(
            way.port,
            letter(mark),
            mail=["RET=HDRS", "ENVID=QQ+2B314159-aBc"],
            rcpt=["NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;Binh.Nguyen+2Bx@Example.Gov.VN"],
        )

        [taken] = await way.arrived(mark)
        assert {"RET=HDRS", "ENVID=QQ+2B314159-aBc"} <= set(taken.mail.decode().split())
        parameters = dict(word.split("=", 1) for word in taken.rcpts[0].decode().split()[2:])
        assert set(parameters["NOTIFY"].split(",")) == {"SUCCESS", "DELAY"}
        assert parameters["ORCPT"] == "rfc822;Binh.Nguyen+2Bx@Example.Gov.VN"

    async def test_internationalised_addresses_pass(self, way: Way, mark: str) -> None:
        await send(
            way.port,
            letter(mark),
            sender="hòa@việt.example",
            to=["người.dùng@example.gov.vn"],
            mail=["SMTPUTF8", "BODY=8BITMIME"],
        )

        [taken] = await way.arrived(mark)
        assert "MAIL FROM:<hòa@việt.example>" in taken.mail.decode()
        assert "SMTPUTF8" in taken.mail.decode().split()
        assert taken.rcpts[0].decode().startswith("RCPT TO:<người.dùng@example.gov.vn>")

    async def test_a_thousand_recipients_get_it_once_each(self, way: Way, mark: str) -> None:
        await smtp_source(way.port, "-m", "1", "-r", "1000", "-S", mark)

        got: list[bytes] = []
        while len(got) < 1000:
            taken = await way.arrived(mark, len(way.with_mark(mark)) or 1)
            got = [line for each in taken for line in each.rcpts]
            if len(got) < 1000:
                await way.hop.until_taken(len(way.hop.taken) + 1)
        assert len(got) == len(set(got)) == 1000

    async def test_pipelined_commands_are_answered_in_order(self, way: Way, mark: str) -> None:
        to = "a@example.gov.vn,b@example.gov.vn"
        replies = await swaks(way.port, "--pipeline", "--header", f"Subject: {mark}", to=to)

        [taken] = await way.arrived(mark)
        assert [reply[:3] for reply in replies] == ["220", "250", "250", "250", "250", "354", "250", "221"]
        assert len(taken.rcpts) == 2

    async def test_what_was_reset_does_not_come_back(self, way: Way, mark: str) -> None:
        def conversation(client: smtplib.SMTP) -> None:
            assert client.mail("dropped@example.org")[0] == 250
            assert client.rcpt("dropped@example.gov.vn")[0] == 250
            assert client.rset()[0] == 250
            client.sendmail("an@example.org", ["binh@example.gov.vn"], letter(mark))
            client.sendmail("an@example.org", ["binh@example.gov.vn"], letter(mark))

        await talk(way.port, conversation)

        for taken in await way.arrived(mark, 2):
            assert taken.mail.startswith(b"MAIL FROM:<an@example.org>")
            assert [line.split(b">")[0] for line in taken.rcpts] == [b"RCPT TO:<binh@example.gov.vn"]

    async def test_a_client_that_is_lost_in_its_message_leaves_nothing(self, way: Way, mark: str) -> None:
        def conversation(client: smtplib.SMTP) -> None:
            client.mail("an@example.org")
            client.rcpt("binh@example.gov.vn")
            assert client.docmd("DATA")[0] == 354
            client.send(f"Subject: {mark}-lost\r\n\r\nhalf a sent")
            assert client.sock
            client.sock.shutdown(socket.SHUT_RDWR)
            client.close()

        await talk(way.port, conversation)
        await send(way.port, letter(mark))

        [taken] = await way.arrived(mark)
        assert f"{mark}-lost".encode() not in taken.content

    async def test_nothing_hides_behind_a_bare_line_feed(self, way: Way, mark: str) -> None:
        hidden = "MAIL FROM:<evil@example.org>\r\nRCPT TO:<binh@example.gov.vn>\r\nDATA\r\nSubject: evil\r\n\r\n.\r\n"

        def conversation(client: smtplib.SMTP) -> int:
            client.mail("an@example.org")
            client.rcpt("binh@example.gov.vn")
            assert client.docmd("DATA")[0] == 354
            client.send(f"Subject: {mark}\r\n\r\nend\n.\r\n{hidden}")
            return client.getreply()[0]

        code = await talk(way.port, conversation)

        # Postfix in front makes a line's end of it, and all is one message; the gateway itself refuses.
        if way.postfix:
            assert code == 250
            [taken] = await way.arrived(mark)
            assert b"evil" not in taken.mail
        else:
            assert code == 550
            assert not way.with_mark(mark)


@pytest.mark.asyncio(loop_scope="class")
class TestBeforeQueue(Scenarios):
    NAME = "before-queue"


@pytest.mark.asyncio(loop_scope="class")
class TestBeforeQueueWithSpeedAdjust(Scenarios):
    NAME = "before-queue-speed-adjust"


@pytest.mark.asyncio(loop_scope="class")
class TestAfterQueue(Scenarios):
    NAME = "after-queue"


@pytest.mark.asyncio(loop_scope="class")
class TestStandAlone(Scenarios):
    NAME = "stand-alone"
