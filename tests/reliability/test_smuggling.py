"""Promise 4: one message in is one message out, and what leaves us can be misread by nobody.

Only `<CRLF>.<CRLF>` ends the data (RFC 5321 section 4.1.1.4); the other forms are those of CVE-2023-51764 and its kin.
"""

from __future__ import annotations

import asyncio
import re
from itertools import product

import pytest

from gateway.smtp.data import DataDecoder
from tests.conftest import Start
from tests.faults import FakeHop, Taken
from tests.reliability.client import Talk

BREAKS = {
    "LF": b"\n",
    "CR": b"\r",
    "CRLF": b"\r\n",
    "CRCRLF": b"\r\r\n",
    "LFCR": b"\n\r",
    "CRLFLF": b"\r\n\n",
    "LFCRLF": b"\n\r\n",
    "NUL": b"\0",
    "CRLFNUL": b"\r\n\0",
    "CRNULLF": b"\r\0\n",
    "NULCRLF": b"\0\r\n",
    "LFNUL": b"\n\0",
    "VT": b"\v",
    "FF": b"\f",
    "NEL": b"\xc2\x85",
    "LS": b"\xe2\x80\xa8",
    "SPCRLF": b" \r\n",
    "none": b"",
}
DOTS = {"dot": b".", "two dots": b"..", "dot NUL": b".\0", "NUL dot": b"\0.", "dot CR": b".\r"}
SECOND = (
    b"MAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.gov.vn>\r\nDATA\r\nSubject: smuggled\r\n\r\nsecond\r\n"
)
NOT_CRLF = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")

LINE_ENDINGS = ("refuse", "normalise")

LENGTHS = sorted(
    {
        base + offset
        for base in (512, 998, 1000, 1024, 2048, 4096, 8192, 65536, 131072, 262144)
        for offset in (-3, -2, -1, 0, 1, 2)
    }
)


def check_wire(taken: Taken) -> None:
    """Nothing of what was relayed ends the data for a lenient reader before its end."""
    assert not NOT_CRLF.search(taken.wire), "a bare CR, LF or NUL left us"
    assert not taken.wire.startswith(b".\r\n")
    assert taken.wire.index(b"\r\n.\r\n") == len(taken.wire) - 5, "a lone dot line left us"


def ends_data(left: bytes, dot: bytes, right: bytes) -> bool:
    """True for what is an end of data by the book."""
    return b"\r\n.\r\n" in left + dot + right


@pytest.mark.parametrize("line_endings", LINE_ENDINGS)
@pytest.mark.parametrize("dot", DOTS.values(), ids=DOTS)
async def test_nothing_else_ends_the_data(dot: bytes, line_endings: str, start: Start) -> None:
    async with FakeHop() as hop, start(hop.address, listener={"line_endings": line_endings}) as gateway:
        for left, right in product(BREAKS, repeat=2):
            if ends_data(BREAKS[left], dot, BREAKS[right]):
                continue
            hop.taken.clear()
            async with Talk(gateway.addresses["inbound"]) as talk:
                await talk.envelope()
                talk.say(b"Subject: first\r\n\r\nfirst" + BREAKS[left] + dot + BREAKS[right] + SECOND + b".\r\n")
                answer = await talk.heard()
                assert answer.code in (250, 550), (left, right, answer)
                assert (await talk.ask("QUIT")).code == 221, (left, right)
            assert len(hop.taken) == (answer.code == 250), (left, right)
            for taken in hop.taken:
                assert b"evil" not in taken.mail
                assert b"second" in taken.content
                check_wire(taken)


@pytest.mark.parametrize("line_endings", LINE_ENDINGS)
async def test_no_line_is_cut_so_that_a_dot_remains(line_endings: str, start: Start) -> None:
    async with (
        FakeHop() as hop,
        start(hop.address, listener={"line_endings": line_endings}) as gateway,
        Talk(gateway.addresses["inbound"]) as talk,
    ):
        await talk.hello()
        for length in LENGTHS:
            hop.taken.clear()
            content = b"Subject: long\r\n\r\n" + b"A" * length + b".\r\n" + SECOND
            assert (await talk.send(content)).code == 250
            [taken] = hop.taken
            check_wire(taken)
            assert taken.content.endswith(content)


async def test_any_two_segments_around_the_end_are_as_one(start: Start) -> None:
    content = b"Subject: cut\r\n\r\n..first\r\n..\r\n..second\r\n.\r\nNOOP\r\nQUIT\r\n"
    async with FakeHop() as hop, start(hop.address) as gateway:
        for cut in range(len(content)):
            async with Talk(gateway.addresses["inbound"]) as talk:
                await talk.envelope()
                talk.say(content[:cut])
                await asyncio.sleep(0.002)  # a segment of its own; where it is not, a case is tried twice
                talk.say(content[cut:])
                assert [(await talk.heard()).code for _ in range(3)] == [250, 250, 221]
    assert len(hop.taken) == len(content)
    assert {taken.content[taken.content.index(b"Subject") :] for taken in hop.taken} == {
        b"Subject: cut\r\n\r\n.first\r\n.\r\n.second\r\n"
    }


@pytest.mark.parametrize("strict", [True, False])
def test_the_decoder_gives_the_same_whatever_the_chunks(strict: bool) -> None:
    def decoded(*chunks: bytes) -> tuple[bytes, bytes, bool]:
        decoder = DataDecoder(strict=strict)
        content = b"".join(decoder.feed(chunk) for chunk in chunks)
        assert decoder.finished
        return content, decoder.rest, decoder.tainted

    for left, dot, right in product(BREAKS.values(), DOTS.values(), BREAKS.values()):
        if ends_data(left, dot, right):
            continue
        data = b"x" + left + dot + right + b"y\r\n.\r\nz"
        whole = decoded(data)
        for cut in range(len(data) - 1):
            assert decoded(data[:cut], data[cut:])[::2] == whole[::2], (data, cut)
        assert decoded(*(data[at : at + 1] for at in range(len(data) - 1)))[0] == whole[0], data


INJECTIONS = {
    "bare LF in a field": b"Subject: x\nX-Injected: yes\r\n\r\nbody\r\n",
    "bare CR in a field": b"Subject: x\rX-Injected: yes\r\n\r\nbody\r\n",
    "end of the header by LF": b"Subject: x\n\nbody\r\nX-Late: yes\r\n\r\nrest\r\n",
    "NUL in a field": b"Subject: x\0X-Injected: yes\r\n\r\nbody\r\n",
}


@pytest.mark.parametrize("content", INJECTIONS.values(), ids=INJECTIONS)
async def test_bare_line_endings_make_no_field(content: bytes, start: Start) -> None:
    async with FakeHop() as hop, start(hop.address) as gateway, Talk(gateway.addresses["inbound"]) as talk:
        await talk.hello()
        assert (await talk.send(content)).code == 550
    assert not hop.taken


COMMANDS = (
    b"EHLO a\rMAIL FROM:<evil@example.org>\r\n",
    b"MAIL FROM:<a@example.org>\nRCPT TO:<victim@example.gov.vn>\n",
    b"MAIL FROM:<a@example.org\rX>\r\n",
    b'MAIL FROM:<"a\r\n b"@example.org>\r\n',
    b'MAIL FROM:<"a\0b"@example.org>\r\n',
    b"MAIL FROM:<a@example.org> ENVID=x\rRCPT\r\n",
    b"MAIL FROM:<a@example.org> AUTH=<>\n\r\n",
    b"XFORWARD HELO=x+0D+0AEVIL\r\n",
    b"XFORWARD NAME=x+0AEVIL\r\n",
    b"XCLIENT HELO=x+0D+0AEVIL\r\n",
    b"MAIL FROM:<a@example.org\xc2\x85EVIL> SMTPUTF8\r\n",
    b"RCPT TO:<b@example.gov.vn>\n\r\n",
    b"RCPT TO:<b@example.gov.vn> ORCPT=rfc822;x\rEVIL\r\n",
    b"RCPT TO:<b@example.gov.vn\tNOTIFY=NEVER>\r\n",
)


async def test_no_command_carries_another_one_to_the_hop(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address) as gateway:
        for command in COMMANDS:
            async with Talk(gateway.addresses["inbound"]) as talk:
                await talk.hello()
                if command.startswith(b"RCPT"):
                    await talk.ask("MAIL FROM:<an@example.org>")
                assert (await talk.ask(command)).kind == 5, command
    assert not [line for line in hop.commands if b"evil" in line.lower() or b"RCPT" in line]
