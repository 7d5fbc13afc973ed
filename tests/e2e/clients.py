"""Mail clients: swaks and smtp-source as programs of their own, smtplib for what they cannot say."""

from __future__ import annotations

import asyncio
import re
import smtplib
from collections.abc import Callable, Sequence
from typing import TypeVar

from tests.e2e.postfix import PATIENCE, run

T = TypeVar("T")

_HEARD = re.compile(r"^<(?:-|~|\*\*) +(\d{3}[ -].*)$", re.MULTILINE)


async def swaks(
    port: int, *arguments: str, sender: str = "an@example.org", to: str = "binh@example.gov.vn"
) -> list[str]:
    """Sends one message: the replies that swaks heard, of each its last line."""
    output = await run(
        *("swaks", "--server", f"127.0.0.1:{port}", "--helo", "client.example.org", "--timeout", str(PATIENCE)),
        *("--from", sender, "--to", to, *arguments),
        fails=True,
    )
    return [reply for reply in _HEARD.findall(output) if reply[3] == " "]


async def smtp_source(port: int, *arguments: str) -> None:
    """Sends mail with Postfix's own generator; it must all be taken."""
    await run(
        *("/usr/sbin/smtp-source", "-f", "an@example.org", "-t", "binh@example.gov.vn", *arguments),
        f"inet:127.0.0.1:{port}",
    )


async def talk(port: int, conversation: Callable[[smtplib.SMTP], T]) -> T:
    """A conversation by smtplib, in a thread."""

    def speak() -> T:
        with smtplib.SMTP("127.0.0.1", port, local_hostname="client.example.org", timeout=PATIENCE) as client:
            client.ehlo()
            return conversation(client)

    return await asyncio.to_thread(speak)


async def send(
    port: int,
    message: bytes,
    *,
    sender: str = "an@example.org",
    to: Sequence[str] = ("binh@example.gov.vn",),
    mail: Sequence[str] = (),
    rcpt: Sequence[str] = (),
) -> None:
    """Sends these very bytes. Raises smtplib.SMTPException if anybody is refused."""
    refused = await talk(port, lambda client: client.sendmail(sender, to, message, mail, rcpt))
    assert not refused
