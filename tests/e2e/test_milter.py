"""Mail through a real Postfix with the gateway as its milter, and the same mail through both front ends."""

from __future__ import annotations

import json
import os
import re
import smtplib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import pytest_asyncio

from gateway.verdict import Action
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

EVERY_ACTION = Path(__file__).with_name("every_action.yaml")


@dataclass(frozen=True)
class Sample:
    """A message, and how many copies of it reach the next hop."""

    sender: str
    to: tuple[str, ...]
    head: tuple[str, ...] = ()
    body: str = "plain text\r\n"
    copies: int = 1


def parts(number: int, *more: str) -> tuple[tuple[str, ...], str]:
    """Fields and body of a message with a text and further parts."""
    boundary = f"b{number}"
    text = "Content-Type: text/plain\r\n\r\nsee there\r\n"
    body = "".join(f"--{boundary}\r\n{part}" for part in (text, *more)) + f"--{boundary}--\r\n"
    return ("MIME-Version: 1.0", f"Content-Type: multipart/mixed; boundary={boundary}"), body


HTML = "Content-Type: text/html\r\n\r\n<p>hi\r\n"
PROGRAM = "Content-Type: application/octet-stream; name=a.exe\r\n\r\nMZ\r\n"
SCRIPT = "Content-Type: application/octet-stream; name=a.js\r\n\r\nvar a = 1;\r\n"


def samples(number: int) -> dict[str, Sample]:
    """The kinds of messages, each in the variant of that number."""
    an, one = f"an{number}@example.org", "one@example.gov.vn"
    b, c = f"b{number}@example.gov.vn", f"c{number}@example.gov.vn"
    plain = "plain text\r\n" * (1 + number)
    html, html_body = parts(number, HTML)
    program, program_body = parts(number, PROGRAM)
    script, script_body = parts(number, HTML, SCRIPT)
    dots = ".\r\n..\r\n.dot\r\nFrom here\r\n\r\n \r\n" + "x" * (990 + number) + "\r\n"
    everything = ("X-Ask: everything", "X-Tight: a second one")

    def asks(word: str, *to: str, copies: int = 1) -> Sample:
        return Sample(an, to or (b, c), (f"X-Ask: {word}",), plain, copies)

    return {
        "plain": Sample(an, (b,), (), plain),
        "marked": Sample(an, (b,), ("X-Ask-For-Mark: yes",), plain),
        "a program": Sample(an, (b,), program, program_body, 0),
        "one of three closed": Sample(an, (b, "closed@example.gov.vn", c), (), plain),
        "a bounce": Sample("", (b,), (), plain),
        "dots and long lines": Sample(an, (b,), (), dots),
        "marked, of parts": Sample(an, (b,), ("X-Ask-For-Mark: yes", "X-Ask-For-Mark: again", *html), html_body),
        "empty": Sample(an, (b,), (), "" if number % 2 else "\r\n"),
        "all closed": Sample(an, ("closed@example.gov.vn",), (), plain, 0),
        "large": Sample(an, (b,), (), ("y" * 76 + "\r\n") * 4000),
        "held": asks("hold", copies=0),
        "quarantined": asks("quarantine", copies=0),
        "quarantined for one": asks("one", b, one),
        "refused for one": asks("mixed", one, b),
        "held and quarantined": asks("hold and one", one, b, copies=0),
        "refused and kept nowhere": asks("secret", copies=0),
        "stripped": Sample(an, (b, c), script, script_body),
        "redirected": asks("redirect"),
        "redirected with a copy": asks("redirect, copy"),
        "a copy": asks("copy"),
        "everything put on": Sample(an, (b,), everything, plain),
        "everything put on parts": Sample(an, (b,), (*everything, *script), script_body),
        "everything, redirected, with a copy": asks("everything, redirect, copy"),
        "discarded": asks("discard", copies=0),
        "deferred": asks("defer", copies=0),
        "deferred and refused": asks("defer, secret", copies=0),
    }


def written(sample: Sample, number: int, mark: str) -> bytes:
    """The message of a sample."""
    head = [f"From: An <an{number}@example.org>", f"To: b{number}@example.gov.vn", f"Message-ID: <{mark}@example.org>"]
    head += ["Date: Tue, 24 Nov 2026 09:00:00 +0700", f"Subject: {mark}"]
    head += ["X-Folded: one" + " " * (number % 5) + "\r\n\ttwo\r\n three", "X-Tight:none", "X-Empty:", "X-Blank:  "]
    return ("\r\n".join([*head, *sample.head]) + "\r\n\r\n" + sample.body).encode()


def heard(sample: Sample, message: bytes, client: smtplib.SMTP) -> list[tuple[int, str]]:
    """Code and enhanced code of each answer, to MAIL, each RCPT and the message."""
    answers = [client.mail(sample.sender), *[client.rcpt(each) for each in sample.to]]
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


OWN_TO_EACH = {"id", "received", "expires", "size", "digest", "listener"}
"""What a store's entry has that two gateways cannot have in common: times, and Received fields within the content."""


def kept(way: Way, id: str) -> list[tuple[dict[str, Any], bytes]]:
    """The store's entry of a message, and its content: as files, which are the truth."""
    entries = []
    for path in way.service.state.rglob(f"{id}.json"):
        stored = json.loads(path.read_text())["body"]["entry"]
        entry = {key: value for key, value in stored.items() if key not in OWN_TO_EACH}
        entry["client"].pop("port")
        entries.append((entry, relevant(path.with_suffix(".eml").read_bytes())))
    return entries


async def outcome(way: Way, sample: Sample, message: bytes, mark: str, count: int) -> dict[str, Any]:
    """All that can be seen of one message that went one way; the `count`th of its sender."""
    answers = await talk(way.port, lambda client: heard(sample, message, client))
    own = f"Message-ID: <{mark}@example.org>"  # a notice about the message has another
    arrived = await way.arrived(own, sample.copies) if sample.copies else way.with_mark(own)
    line = await way.service.said("message", count, sender=sample.sender)
    told = ("action", "direction", "rules", "findings", "recipients", "refused", "client", "helo", "login")
    return {
        "answers": answers,
        "log": {key: line[key] for key in told},
        "messages": sorted(relevant(each.content) for each in arrived),
        "senders": {each.mail.split(b">")[0] for each in arrived},
        "recipients": sorted(rcpt.split(b">")[0] for each in arrived for rcpt in each.rcpts),
        "kept": kept(way, line["id"]),
    }


async def test_both_front_ends_do_the_same(tmp_path: Path, mark: str) -> None:
    async with (
        stand("before-queue", tmp_path / "proxy", policy=EVERY_ACTION) as proxy,
        stand("milter", tmp_path / "milter", policy=EVERY_ACTION) as milter,
    ):
        seen: Counter[str] = Counter()
        actions = set()
        for number in range(MESSAGES):
            kinds = samples(number)
            name = list(kinds)[number % len(kinds)]
            sample, own = kinds[name], f"{mark}-{number}-"
            message = written(sample, number, own)
            seen[sample.sender] += 1
            by_proxy, by_milter = [
                await outcome(way, sample, message, own, seen[sample.sender]) for way in (proxy, milter)
            ]
            assert by_proxy == by_milter, name
            assert len(by_proxy["messages"]) == sample.copies, name
            actions.add(by_proxy["log"]["action"])
            assert bool(by_proxy["kept"]) == (name.startswith(("held", "quarantined", "refused for"))), name
        assert actions == {action.word for action in Action}


async def test_a_gateway_that_is_gone_defers_mail_and_lets_none_pass(tmp_path: Path, mark: str) -> None:
    async with stand("milter", tmp_path) as way:
        await way.service.__aexit__()
        replies = await swaks(way.port, "--header", f"Subject: {mark}")
        assert any(reply.startswith("451 4.7.1 ") for reply in replies)
        assert not way.with_mark(mark)
