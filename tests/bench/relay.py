"""What Mailwarden is measured against: a bare relay on aiosmtpd that does nothing but hand mail on.

`python relay.py UPSTREAM_PORT` prints the port it listens on. Connections to the next hop are kept, commands are
pipelined, the loop is uvloop's: as fast as aiosmtpd goes.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from aiosmtpd.smtp import SMTP, Envelope, Session

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Relay:
    """aiosmtpd's handler: the answer to a message is the next hop's."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.idle: list[Connection] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Hand the message on."""
        connection = self.idle.pop() if self.idle else await self.connect()
        reader, writer = connection
        recipients = [f"RCPT TO:<{address}>\r\n" for address in envelope.rcpt_tos]
        writer.write("".join([f"MAIL FROM:<{envelope.mail_from}>\r\n", *recipients, "DATA\r\n"]).encode())
        for wanted in [b"250"] * (1 + len(recipients)) + [b"354"]:
            if not (reply := await reader.readline()).startswith(wanted):
                writer.close()
                return f"451 {reply.decode()[4:].strip()}"
        content = envelope.original_content
        writer.write(content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        await writer.drain()
        answer = await reader.readline()
        self.idle.append(connection)
        return answer.decode().strip()

    async def connect(self) -> Connection:
        """A new connection, ready for MAIL."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        await reader.readline()
        writer.write(b"EHLO relay.example.gov.vn\r\n")
        while (await reader.readline())[3:4] == b"-":
            pass
        return reader, writer


async def main(upstream: int) -> None:
    """Serve until killed."""
    relay = Relay(upstream)
    loop = asyncio.get_running_loop()

    def session() -> SMTP:
        return SMTP(relay, hostname="relay.example.gov.vn", data_size_limit=100_000_000, enable_SMTPUTF8=True)

    server = await loop.create_server(session, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
