"""Mail through a real Postfix with the gateway as its milter, and the same mail through both front ends."""

from __future__ import annotations

import os
import re
import smtplib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar

import pytest
import pytest_asyncio

from tests.e2e.clients import swaks, talk
from tests.e2e.postfix import AS_ROOT, run
from tests.e2e.test_ways import Scenarios
from tests.e2e.ways import Way, stand


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Way]:
    async with stand(request.cls.NAME, tmp_path_factory.mktemp("gateway")) as standing:
        yield standing


@pytest.mark.asyncio(loop_scope="class")
class TestMilter(Scenarios):
    """What holds for every way, and what differs: the message makes no hop, so it has no Received field of ours."""

    NAME: ClassVar[str] = "milter"

    async def test_a_letter_from_swaks_arrives(self, way: Way, mark: str) -> None:
        replies = await swaks(way.port, "--header", f"Subject: {mark}")

        [taken] = await way.arrived(mark)
        assert replies[-2].startswith("250 2.")
        assert taken.content.startswith(b"X-Mailwarden: action=accept; policy=")
        assert b"(Mailwarden)" not in taken.content

    async def test_the_true_client_is_known_behind_postfix(self, way: Way, mark: str) -> None:
        await swaks(way.port, "--header", f"Subject: {mark}", sender="client@example.org")

        line = await way.service.said("message", sender="client@example.org")
        assert (line["client"], line["helo"], line["local"]) == ("127.0.0.1", "client.example.org", False)
        assert re.fullmatch("[0-9A-Za-z]+", line["queue"])

    async def test_mail_that_a_program_hands_in_is_local(self, way: Way, mark: str) -> None:
        assert way.postfix
        text = f"From: cron@example.gov.vn\nTo: binh@example.gov.vn\nSubject: {mark}\n\nlocal\n"
        source = way.postfix.folder / "letter"
        source.write_text(text)
        etc = way.postfix.folder / "etc"
        await run(*AS_ROOT, "sh", "-c", f"sendmail -C {etc} -f cron@example.gov.vn binh@example.gov.vn < {source}")

        [taken] = await way.arrived(mark)
        line = await way.service.said("message", sender="cron@example.gov.vn")
        assert (line["local"], line["direction"]) == (True, "internal")
        assert b"X-Mailwarden: action=accept;" in taken.content


MESSAGES = int(os.environ.get("MAILWARDEN_DIFFERENTIAL", "40"))
"""How many messages go both ways; as many as one likes, each different from the others."""


def sample(number: int, mark: str) -> tuple[str, list[str], bytes]:
    """The message of that number: sender, recipients, content."""
    kind = number % 10
    head = [f"From: An <an{number}@example.org>", f"To: b{number}@example.gov.vn", f"Message-ID: <{mark}@example.org>"]
    head += ["Date: Tue, 24 Nov 2026 09:00:00 +0700", f"Subject: {mark}"]
    head += ["X-Folded: one" + " " * (number % 5) + "\r\n\ttwo\r\n three", "X-Tight:none", "X-Empty:", "X-Blank:  "]
    body = "plain text\r\n" * (1 + number)
    to = [f"b{number}@example.gov.vn"]
    sender = f"an{number}@example.org"
    boundary = f"b{number}"
    mixed = ["MIME-Version: 1.0", f"Content-Type: multipart/mixed; boundary={boundary}"]
    text = f"--{boundary}\r\nContent-Type: text/plain\r\n\r\nsee there\r\n"
    if kind == 1:
        head.append("X-Ask-For-Mark: yes")
    elif kind == 2:
        head += mixed
        program = "Content-Type: application/octet-stream; name=a.exe\r\n\r\nMZ\r\n"
        body = f"{text}--{boundary}\r\n{program}--{boundary}--\r\n"
    elif kind == 3:
        to += ["closed@example.gov.vn", f"c{number}@example.gov.vn"]
    elif kind == 4:
        sender = ""
    elif kind == 5:
        body = ".\r\n..\r\n.dot\r\nFrom here\r\n\r\n \r\n" + "x" * (990 + number) + "\r\n"
    elif kind == 6:
        head += ["X-Ask-For-Mark: yes", "X-Ask-For-Mark: again", *mixed]
        body = text + f"--{boundary}\r\nContent-Type: text/html\r\n\r\n<p>hi\r\n--{boundary}--\r\n"
    elif kind == 7:
        body = "" if number % 20 == 7 else "\r\n"
    elif kind == 8:
        to = ["closed@example.gov.vn"]
    elif kind == 9:
        body = ("y" * 76 + "\r\n") * 4000
    return sender, to, ("\r\n".join(head) + "\r\n\r\n" + body).encode()


def heard(sender: str, to: list[str], message: bytes, client: smtplib.SMTP) -> list[tuple[int, str]]:
    """Code and enhanced code of each answer, to MAIL, each RCPT and the message."""
    answers = [client.mail(sender), *[client.rcpt(each) for each in to]]
    if any(code == 250 for code, _ in answers[1:]):
        answers.append(client.data(message))
    client.rset()
    words = [(code, text.split(b" ")[0].decode()) for code, text in answers]
    return [(code, word[:1] if code == 250 else word) for code, word in words]  # a 250 is in the server's own words


def relevant(content: bytes) -> bytes:
    """The message without what servers write on top of it, which names ports and ids of their own."""
    head, _, body = content.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", head)
    return b"\r\n".join(each for each in fields if not each.startswith(b"Received:")) + b"\r\n\r\n" + body


async def test_both_front_ends_do_the_same(tmp_path: Path, mark: str) -> None:
    async with stand("before-queue", tmp_path / "proxy") as proxy, stand("milter", tmp_path / "milter") as milter:
        for number in range(MESSAGES):
            own = f"{mark}-{number}-"
            sender, to, message = sample(number, own)
            outcomes = []
            for way in (proxy, milter):
                answers = await talk(way.port, lambda client: heard(sender, to, message, client))  # noqa: B023
                arrived = await way.arrived(own) if answers[-1][0] == 250 else way.with_mark(own)
                line = await way.service.said("message", 1 if sender else number // 10 + 1, sender=sender)
                outcomes.append(
                    (
                        answers,
                        line["action"],
                        line["direction"],
                        line["rules"],
                        [relevant(each.content) for each in arrived],
                        [rcpt.split(b">")[0] for each in arrived for rcpt in each.rcpts],
                    )
                )
            assert outcomes[0] == outcomes[1], number


async def test_a_gateway_that_is_gone_defers_mail_and_lets_none_pass(tmp_path: Path, mark: str) -> None:
    async with stand("milter", tmp_path) as way:
        await way.service.__aexit__()
        replies = await swaks(way.port, "--header", f"Subject: {mark}")
        assert any(reply.startswith("451 4.7.1 ") for reply in replies)
        assert not way.with_mark(mark)
