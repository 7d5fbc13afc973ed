"""The next hop of the benchmark, as cheap as Python allows: takes everything, and can tell what it took.

`python sink.py` prints the port it listens on. Beside SMTP it knows STAT: one line of JSON on all messages since the
last STAT, {"messages": how many, "senders": how many different ones, "digests": {sha256 of the body: how many}}.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from hashlib import sha256

import uvloop

END = b"\r\n.\r\n"
OFFERS = b"250-sink\r\n250-PIPELINING\r\n250-SIZE 100000000\r\n250-SMTPUTF8\r\n250 8BITMIME\r\n"

digests: Counter[str] = Counter()
senders: set[bytes] = set()


class Hop(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.commands = b""
        self.receiving = False
        transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        if self.receiving:
            self.content(data)
            return
        *lines, self.commands = (self.commands + data).split(b"\r\n")
        self.transport.write(b"".join(map(self.answer, lines)))

    def answer(self, line: bytes) -> bytes:
        """The reply to one command."""
        verb = line[:4].upper()
        if verb == b"EHLO":
            return OFFERS
        if verb == b"DATA":
            self.receiving, self.head, self.tail, self.body = True, b"", b"", None
            return b"354 go on\r\n"
        if verb == b"STAT":
            told = {"messages": digests.total(), "senders": len(senders), "digests": digests}
            line = f"250 {json.dumps(told)}\r\n".encode()
            digests.clear()
            senders.clear()
            return line
        if verb == b"MAIL":
            senders.add(line.split(b">")[0])
        if verb == b"QUIT":
            self.transport.write(b"221 bye\r\n")
            self.transport.close()
        return b"250 ok\r\n"

    def content(self, data: bytes) -> None:
        """More of a message. Its body is hashed as it comes, with the dots and the end of data."""
        if self.body is None:
            self.head += data
            _, empty, body = self.head.partition(b"\r\n\r\n")
            if empty:
                self.body = sha256(body)
        else:
            self.body.update(data)
        self.tail = (self.tail + data[-len(END) :])[-len(END) :]
        if self.tail == END and self.body is not None:  # nobody sends on before the reply: it can only be the end
            digests[self.body.hexdigest()] += 1
            self.receiving = False
            self.transport.write(b"250 taken\r\n")


async def main() -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Hop, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
