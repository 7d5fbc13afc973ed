"""SMTP conversations as text: each file of `dialogs/` is one, played against a gateway before a next hop that counts.

    key: YAML             settings of the listener or of the limits, before the first line of the conversation
    C text                we send the text and CR LF            C~ text\\r\\n   we send exactly this
    C+ x 5000             we send the text so many times        C half-closes  we shut down our sending side
    S pattern             the next line of a reply matches the shell pattern
    S* pattern            the last line of the next reply does; the lines before it may be anything
    S closed              the gateway has closed the connection
    REPEAT 3 ... END      the lines between, with {n} counted
    ARRIVED 1             so many messages reached the next hop, each once
    HOLDS text, LACKS text, ENVELOPE text     the last message has it, has it not, its envelope has it
"""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Start
from tests.faults import FakeHop, Taken

DIALOGS = sorted((Path(__file__).parent / "dialogs").glob("*.smtp"))

POLICY = """
version: 1
organisation: {domains: [example.gov.vn], directory: accounts.csv}
rules:
  - id: no-forbidden-subject
    cite: test/1
    when: {header: {name: Subject, contains: forbidden}}
    then: reject
    with: {text: {vi: Thư này bị cấm, en: This is forbidden}}
  - id: closed-mailbox
    cite: test/2
    when: {recipient: closed@example.gov.vn}
    then: reject
    with: {reply: {code: 550, status: 5.2.1}, text: {vi: Hộp thư đã khóa, en: The mailbox is closed}}
  - id: bad-sender
    cite: test/3
    when: {sender: "@bad.example.net"}
    then: reject
  - id: bad-client
    cite: test/4
    when: {client: {address: 198.51.100.9}}
    then: reject
  - id: locked-account
    cite: test/5
    when: {account: {state: locked}}
    then: reject
"""


def lines_of(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Settings and conversation of a file, with its repetitions written out."""
    settings: dict[str, Any] = {}
    lines: list[str] = []
    for line in path.read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if not lines and line.split(":")[0] in ("listener", "limits"):
            settings |= yaml.safe_load(line)
        else:
            lines.append(line)
    return settings, list(unrolled(iter(lines)))


def unrolled(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if line.startswith("REPEAT "):
            block = []
            for inner in lines:
                if inner == "END":
                    break
                block.append(inner)
            for n in range(int(line.split()[1])):
                yield from (inner.replace("{n}", str(n)) for inner in block)
        else:
            yield line


class Conversation:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hop: FakeHop) -> None:
        self.reader, self.writer, self.hop = reader, writer, hop

    async def step(self, line: str) -> None:
        word, _, text = line.partition(" ")
        match word:
            case "C" if text == "half-closes":
                self.writer.write_eof()
            case "C":
                self.writer.write(text.encode() + b"\r\n")
            case "C~":
                self.writer.write(codecs.escape_decode(text.encode())[0])  # type: ignore[attr-defined]
            case "C+":
                piece, count = text.rsplit(" ", 1)
                self.writer.write(piece.encode() * int(count) + b"\r\n")
            case "S" if text == "closed":
                assert await self.reply_line() == ""
            case "S":
                answer = await self.reply_line()
                assert fnmatchcase(answer, text), f"{answer!r} does not match {text!r}"
            case "S*":
                while (answer := await self.reply_line())[3:4] == "-":
                    pass
                assert fnmatchcase(answer, text), f"{answer!r} does not match {text!r}"
            case "ARRIVED":
                assert len(self.hop.taken) == int(text)
            case "HOLDS":
                assert codecs.escape_decode(text.encode())[0] in self.last.content  # type: ignore[attr-defined]
            case "LACKS":
                everything = self.last.content + self.last.mail + b"".join(self.last.rcpts)
                assert text.encode() not in everything
            case "ENVELOPE":
                assert text.encode() in self.last.mail + b" " + b" ".join(self.last.rcpts)
            case _:
                raise AssertionError(f"a dialogue line of no kind: {line!r}")

    @property
    def last(self) -> Taken:
        return self.hop.taken[-1]

    async def reply_line(self) -> str:
        try:
            line = await asyncio.wait_for(self.reader.readline(), 10)
        except ConnectionResetError:
            return ""
        assert not line or line.endswith(b"\r\n")
        return line.decode("ascii").removesuffix("\r\n")


@pytest.mark.parametrize("path", DIALOGS, ids=lambda path: path.stem)
async def test_dialog(path: Path, start: Start, tmp_path: Path, certificate: Any) -> None:
    settings, lines = lines_of(path)
    (tmp_path / "accounts.csv").write_text("address,state,kind,unit\nlocked@example.gov.vn,locked,personal,x\n")
    listener = {"trusted": ["127.0.0.0/8"]} | settings.get("listener", {})
    if listener.get("tls"):
        listener["tls"] = certificate | {"required": listener["tls"] == "required"}
    async with (
        FakeHop() as hop,
        start(
            hop.address,
            policy=POLICY,
            listener=listener,
            limits=settings.get("limits"),
            help_url="https://help.example.gov.vn",
        ) as gateway,
    ):
        reader, writer = await asyncio.open_connection(*gateway.addresses["inbound"])
        conversation = Conversation(reader, writer, hop)
        for number, line in enumerate(lines, 1):
            try:
                await conversation.step(line)
            except AssertionError as error:
                raise AssertionError(f"step {number}, {line!r}: {error}") from None
        writer.close()


def test_there_are_dialogs() -> None:
    assert len(DIALOGS) > 25
