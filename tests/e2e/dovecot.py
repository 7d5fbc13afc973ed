"""The authentication service that Postfix asks, by Dovecot's protocol: everybody is who they say they are."""

from __future__ import annotations

import asyncio
import base64

GREETING = "VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t0123456789abcdef\nDONE\n"


class Dovecot:
    """`async with Dovecot() as service:` listens on the loopback address at `service.port`."""

    async def __aenter__(self) -> Dovecot:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING.encode())
        async for line in reader:
            words = line.decode().rstrip("\n").split("\t")
            if words[0] == "AUTH":
                plain = next(word.removeprefix("resp=") for word in words if word.startswith("resp="))
                _, user, _ = base64.b64decode(plain).decode().split("\0")
                writer.write(f"OK\t{words[1]}\tuser={user}\n".encode())
        writer.close()
