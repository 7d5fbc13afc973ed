"""spamd of SpamAssassin: one REPORT over a connection of its own (spamd's PROTOCOL, SPAMC/1.5)."""

from __future__ import annotations

import asyncio
import re

from filters._spam.answers import Opinion, Symbol
from filters._spam.http import Address, connect, hang_up
from gateway.engines.spread import EngineFailure
from gateway.mail import Mail

LINE_LIMIT = 4 * 1024
BODY_LIMIT = 256 * 1024
"""Bytes of a report: a line for each rule that hit."""

FIELDS = 20
SYMBOLS = 200

_STATUS = re.compile(r"SPAMD/1\.\d (\d+) (\S.*)")
_SPAM = re.compile(r"(True|Yes|False|No) ; (-?\d{1,6}(?:\.\d{1,4})?) / (-?\d{1,6}(?:\.\d{1,4})?)", re.IGNORECASE)
_RULE = re.compile(r"^\*?[ \t]*(-?\d{1,4}(?:\.\d{1,3})?)[ \t]+([A-Z][A-Z0-9_]{2,79})[ \t]+(\S.{0,200})?$", re.MULTILINE)


async def asked(address: Address, mail: Mail) -> Opinion:
    """SpamAssassin's opinion of the mail. Raises EngineFailure, OSError."""
    return opinion(*await _exchange(address, "REPORT", mail.raw[:]))


async def version(address: Address) -> str:
    """Its answer to PING. Raises EngineFailure, OSError."""
    await _exchange(address, "PING", b"")
    return "answers"


async def _exchange(address: Address, command: str, message: bytes) -> tuple[dict[str, str], str]:
    reader, writer = await connect(address, LINE_LIMIT)
    try:
        length = f"Content-length: {len(message)}\r\n" if command != "PING" else ""
        writer.write(f"{command} SPAMC/1.5\r\n{length}\r\n".encode())
        writer.write(message)
        await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
        status = _STATUS.fullmatch(await _line(reader))
        if not status or status[1] != "0":
            raise EngineFailure(f"answered {status[2][:60] if status else 'no SPAMD line'}")
        if command == "PING":
            return {}, ""
        fields = {}
        for _ in range(FIELDS):
            line = await _line(reader)
            if not line:
                break
            name, _, value = line.partition(":")
            fields[name.strip().lower()] = value.strip()
        else:
            raise EngineFailure("answered with too many fields")
        return fields, (await _body(reader, fields.get("content-length", ""))).decode("utf-8", "replace")
    except asyncio.IncompleteReadError as error:
        raise EngineFailure("closed the connection in the middle of its answer") from error
    finally:
        hang_up(writer)


async def _body(reader: asyncio.StreamReader, length: str) -> bytes:
    if not re.fullmatch(r"\d{1,9}", length, re.ASCII) or int(length) > BODY_LIMIT:
        raise EngineFailure(f"answered with a length of {length[:20]!a}")
    body = await reader.readexactly(int(length))
    if await reader.read(1):
        raise EngineFailure("answered more than it said")
    return body


async def _line(reader: asyncio.StreamReader) -> str:
    try:
        return (await reader.readuntil(b"\n")).rstrip(b"\r\n").decode("utf-8", "replace")
    except asyncio.LimitOverrunError:
        raise EngineFailure("answered with a line that is too long") from None


def opinion(fields: dict[str, str], report: str) -> Opinion:
    """What the answer says. Raises EngineFailure where it has no verdict."""
    found = _SPAM.fullmatch(fields.get("spam", ""))
    if not found:
        raise EngineFailure(f"answered without a verdict: {fields.get('spam', '')[:40]!a}")
    rules = [Symbol(name, float(points), (told or "").strip()) for points, name, told in _RULE.findall(report)]
    rules.sort(key=lambda rule: -abs(rule.score))
    spam = found[1].lower() in ("true", "yes")
    return Opinion(float(found[2]), float(found[3]), "spam" if spam else "ham", tuple(rules[:SYMBOLS]))
