"""What went wrong between Postfix and filters elsewhere, one named case each, with a real Postfix.

`KNOWN` is the whole list, with the test of each, here or elsewhere. Sources: Postfix's SMTPD_PROXY_README,
XFORWARD_README, MILTER_README and HISTORY, and bug reports of filters.
"""

from __future__ import annotations

import asyncio
import re
import signal
import smtplib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar

import pytest
import pytest_asyncio

from tests.e2e.clients import send, swaks, talk
from tests.e2e.ports import free_port
from tests.e2e.postfix import PATIENCE, Postfix, with_ports
from tests.e2e.service import Service
from tests.e2e.ways import ONE_BY_ONE, Way, listener, snippets, stand
from tests.faults import FakeHop

TESTS = Path(__file__).parents[1]

KNOWN = {
    "parameters of DSN arrive although nobody offered them": "e2e/test_ways.py::test_delivery_status_parameters",
    "without 8BITMIME Postfix converts, and signatures break": "e2e/test_ways.py::test_what_is_behind_the_trace_fields",
    "lines of 998, 2048 and more octets": "e2e/test_gotchas.py::test_odd_content_arrives_as_it_was_sent",
    "header fields: leading space, folded, 8 bit, empty": "e2e/test_gotchas.py::header fields of every form",
    "a per cent sign in a milter's reply": "milter/test_session.py::test_a_recipient_is_refused_at_once_and_a_percent",
    "a milter's quarantine without a final answer": "milter/test_session.py::what is kept is discarded at the MTA",
    "no separator, no body, a body of dots": "e2e/test_gotchas.py::test_odd_content_arrives_as_it_was_sent",
    "null sender, quoted local part, bare postmaster": "e2e/test_gotchas.py::test_odd_addresses_pass",
    "internationalised addresses": "e2e/test_ways.py::test_internationalised_addresses_pass",
    "a thousand recipients": "e2e/test_ways.py::test_a_thousand_recipients",
    "RSET in a transaction, a second message in the session": "e2e/test_ways.py::test_what_was_reset",
    "ABORT and a new MAIL": "milter/test_session.py::test_a_clean_message_after_an_aborted_bad_one",
    "a client that is lost in DATA": "e2e/test_ways.py::test_a_client_that_is_lost_in_its_message",
    "the filter is killed in DATA": "e2e/test_gotchas.py::test_a_gateway_that_dies_in_a_message",
    "the next hop says 421, 4xx to some, 5xx at the dot": "e2e/test_next_hop.py::test_the_client_hears_it",
    "XFORWARD: [UNAVAILABLE], IPv6, xtext": "e2e/test_gotchas.py::test_a_client_without_a_name",
    "a bare CR or LF hides a second message": "e2e/test_ways.py::test_nothing_hides_behind_a_bare_line_feed",
    "speed_adjust on and off": "e2e/test_ways.py::TestBeforeQueueWithSpeedAdjust",
    "the size limit, and one octet more": "e2e/test_gotchas.py::test_a_message_of_the_greatest_size",
    "a milter's SKIP, no macros, version 2": "milter/test_session.py::test_every_version_is_spoken",
    "mail that goes round in a circle": "e2e/test_gotchas.py::told_as_a_loop",
    "our own notice comes by again": "notices/test_guard.py::def test",
    "a notice of ours to whoever was forged as the sender": "e2e/test_gotchas.py::test_who_was_forged_as_the_sender",
}


@pytest.mark.parametrize("where", KNOWN.values(), ids=KNOWN)
def test_every_known_gotcha_has_its_test(where: str) -> None:
    path, _, name = where.partition("::")
    assert name in (TESTS / path).read_text()


# All that Postfix would otherwise add itself.
HEAD = (
    "From: An <an@example.org>\r\nTo: Binh <binh@example.gov.vn>\r\nDate: Tue, 24 Nov 2026 09:00:00 +0700\r\n"
    "Message-ID: <{mark}@example.org>\r\nSubject: {mark}\r\n"
)
CONTENTS = {
    "lines as long as the standard allows, and longer": HEAD
    + "\r\n"
    + "".join(f"{'x' * length}\r\n" for length in (997, 998, 999, 2047, 2048, 2049, 4096, 20_000)),
    "a header field of one long line": HEAD + "X-Long: " + "y" * 3000 + "\r\n\r\nbody\r\n",
    "header fields of every form": HEAD
    + "X-Odd:   spaces\r\nX-Tight:none\r\nX-Empty:\r\nX-Blank: \r\n"
    + "X-Folded: a\r\n\tb\r\n  c\r\nX-Eight: Ủy ban\r\n\r\nbody\r\n",
    "no body and no line between": HEAD,
    "an empty body": HEAD + "\r\n",
    "a body that begins with dots": HEAD + "\r\n.\r\n..\r\n...three\r\n",
    "no header field at all": "\r\n{mark}\r\n",
    "text in the place of header fields": "{mark} is no header field\r\nbut text\r\n",
}
ADDRESSES = {
    "the null sender": ("", "binh@example.gov.vn"),
    "a quoted local part": ('"an b"@example.org', '"binh c"@example.gov.vn'),
    "signs that a shell would take": ("a'n&co+x=y@example.org", "b!nh$1{a}@example.gov.vn"),
    "postmaster without a domain": ("an@example.org", "postmaster"),
}


class Gotchas:
    """What must hold before the queue and as a milter."""

    NAME: ClassVar[str]

    @pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
    async def test_odd_content_arrives_as_it_was_sent(self, way: Way, mark: str, content: str) -> None:
        sent = content.format(mark=mark).encode()

        def conversation(client: smtplib.SMTP) -> bytes:
            client.mail("an@example.org", ["BODY=8BITMIME"])
            client.rcpt("binh@example.gov.vn")
            assert client.docmd("DATA")[0] == 354
            client.send(re.sub(rb"(?m)^\.", b"..", sent) + b".\r\n")
            return client.getreply()[1]

        assert (await talk(way.port, conversation)).startswith(b"2.")

        [taken] = await way.arrived(mark)
        # Postfix ends the header section of what has none, and breaks lines of more than 998 octets on its way out.
        arrived = taken.content.replace(b"\r\n ", b"").replace(b"\r\n\t", b"")
        expected = sent.replace(b"\r\n ", b"").replace(b"\r\n\t", b"")
        assert arrived.endswith((expected, expected + b"\r\n"))

    @pytest.mark.parametrize(("sender", "to"), ADDRESSES.values(), ids=ADDRESSES)
    async def test_odd_addresses_pass(self, way: Way, mark: str, sender: str, to: str) -> None:
        await send(way.port, f"Subject: {mark}\r\n\r\nHello.\r\n".encode(), sender=sender, to=[to])

        [taken] = await way.arrived(mark)
        assert taken.mail.startswith(f"MAIL FROM:<{sender}>".encode())
        assert taken.rcpts[0].startswith(f"RCPT TO:<{to}".encode())

    async def test_a_client_without_a_name_and_with_an_ipv6_address_is_known(self, way: Way, mark: str) -> None:
        def conversation(client: smtplib.SMTP) -> None:
            attributes = "NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::7 HELO=odd.example.org"
            assert client.docmd("XCLIENT", attributes)[0] == 220
            client.ehlo("odd.example.org")
            client.sendmail("v6@example.org", ["binh@example.gov.vn"], f"Subject: {mark}\r\n\r\nHello.\r\n")

        await talk(way.port, conversation)

        [taken] = await way.arrived(mark)
        line = await way.service.said("message", sender="v6@example.org")
        assert line["client"] == "2001:db8::7"
        assert b"UNAVAILABLE" not in taken.content.partition(b"(Mailwarden)")[0]

    async def test_a_message_of_the_greatest_size_is_taken_and_one_octet_more_is_not(self, way: Way) -> None:
        def conversation(client: smtplib.SMTP) -> list[int]:
            codes = []
            for size in (49_000_000, 49_000_001):
                codes.append(client.mail("an@example.org", [f"SIZE={size}"])[0])
                client.rset()
            return codes

        assert await talk(way.port, conversation) == [250, 552]

    async def test_who_was_forged_as_the_sender_hears_nothing(self, way: Way, mark: str, tmp_path: Path) -> None:
        program = tmp_path / "setup.exe"
        program.write_bytes(b"MZ" + bytes(200))
        attached = ("--attach-type", "application/octet-stream", "--attach-name", "setup.exe")

        replies = await swaks(way.port, *attached, "--attach", f"@{program}", sender="forged@example.org")
        await send(way.port, f"Subject: {mark}\r\n\r\nafter it\r\n".encode())

        await way.arrived(mark)
        assert replies[-2].startswith("550 5.7.1 ")
        assert not any(b"forged@example.org" in line for taken in way.hop.taken for line in taken.rcpts)

    async def test_a_gateway_that_dies_in_a_message_defers_it(self, way: Way, mark: str) -> None:
        """The last of the class: nothing answers after it."""
        begun, killed = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def conversation(client: smtplib.SMTP) -> int:
            client.mail("an@example.org")
            client.rcpt("binh@example.gov.vn")
            assert client.docmd("DATA")[0] == 354
            client.send(f"Subject: {mark}\r\n\r\n" + "half\r\n" * 100_000)
            loop.call_soon_threadsafe(begun.set)
            asyncio.run_coroutine_threadsafe(killed.wait(), loop).result(PATIENCE)
            client.send("the other half\r\n.\r\n")
            return client.getreply()[0]

        talking = asyncio.create_task(talk(way.port, conversation))
        await begun.wait()
        way.service.signal(signal.SIGKILL)
        await way.service.ended()
        killed.set()

        assert await talking == 451
        assert not way.with_mark(mark)


XCLIENT = "smtpd_authorized_xclient_hosts = 127.0.0.0/8\ninet_protocols = all\n"


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Way]:
    async with stand(request.cls.NAME, tmp_path_factory.mktemp("gateway"), XCLIENT) as standing:
        yield standing


@pytest.mark.asyncio(loop_scope="class")
class TestBeforeQueue(Gotchas):
    NAME = "before-queue"


@pytest.mark.asyncio(loop_scope="class")
class TestMilter(Gotchas):
    NAME = "milter"


async def test_a_port_that_hands_mail_back_to_the_gateway_passes_nothing(tmp_path: Path, mark: str) -> None:
    """Before the queue each recipient is asked for at the next hop, which asks us: no message ever comes so far."""
    limits = {"upstream_connections": 3, "upstream_connect": 1}
    front, inner, back = free_port(), free_port(), free_port()
    settings = {"listeners": [listener(inner, back)], "limits": limits}
    async with FakeHop(offers=ONE_BY_ONE) as hop, Service(tmp_path, settings) as service:
        main, master = snippets("before-queue")
        master = master.replace("-o smtpd_proxy_filter=\n", "-o smtpd_proxy_filter=127.0.0.1:10025\n")
        master = with_ports(master, {"smtp": front, "10026": back, "10025": inner})
        async with Postfix(main=main, master=master, hop=hop.address[1]):  # type: ignore[arg-type]
            replies = await swaks(front, "--header", f"Subject: {mark}")

        assert replies[-2].startswith("451 4.")
        assert not hop.taken
        assert (await service.page("/healthz"))[0] == 200


async def test_a_port_that_queues_mail_for_the_gateway_again_is_told_as_a_loop(tmp_path: Path, mark: str) -> None:
    front, inner, back = free_port(), free_port(), free_port()
    async with FakeHop(offers=ONE_BY_ONE) as hop, Service(tmp_path, {"listeners": [listener(inner, back)]}):
        main, master = snippets("after-queue")
        assert "    -o content_filter=\n" in master
        main = with_ports(main, {"10025": inner})
        master = with_ports(master.replace("    -o content_filter=\n", ""), {"smtp": front, "10026": back})
        async with Postfix(main=main, master=master, hop=hop.address[1]) as postfix:  # type: ignore[arg-type]
            await swaks(front, "--header", f"Subject: {mark}")
            await postfix.logged(r"554 5\.4\.6 ")

        assert all(taken.mail.startswith(b"MAIL FROM:<>") for taken in hop.taken)


def test_the_three_limits_of_size_are_each_above_the_one_before() -> None:
    main, master = snippets("before-queue")
    [port] = re.findall(r"-o message_size_limit=(\d+)", master)
    [queue] = re.findall(r"^message_size_limit = (\d+)", main, re.MULTILINE)
    assert int(port) < 50_000_000 < int(queue)
