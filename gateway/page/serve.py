"""Puts the page on a socket: uvicorn within the loop that runs already, without signal handlers or logs of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Generator, Sequence

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS = 100
"""Clients at once; further ones hear 503. An organisation has a handful of approvers."""

BACKLOG = 100
"""Connections that wait to be taken."""

HEAD_WITHIN = 10.0
"""Seconds in which a request's line and fields arrive; uvicorn itself waits for ever."""

HEAD_LIMIT = 16 * 1024
"""Bytes of a request's line and fields; browsers send one kilobyte."""

DRAIN = 10.0
"""Seconds for answers that are under way when the page stops. A release that takes longer goes on by itself."""


class _Connection(H11Protocol):
    """A connection that is dropped if no request arrives; it has one, for the page answers `Connection: close`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._patience = self.loop.call_later(HEAD_WITHIN, self._lose_patience)

    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.cancel()
        super().connection_lost(exc)

    def _lose_patience(self) -> None:
        if self.cycle is None:
            self.transport.close()


class _Server(uvicorn.Server):
    """Leaves signals to the process, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@contextlib.asynccontextmanager
async def serve_page(
    host: str, port: int, page: ASGIApp, *, proxies: Sequence[str] = (), listening: socket.socket | None = None
) -> AsyncIterator[int]:
    """Serve the page until the block ends; answers under way are brought to their end. Gives the port (0: any free).

    `proxies` are the addresses whose X-Forwarded-For is believed. `listening` is a socket that is open already; it is
    closed in the end. Raises OSError where the address cannot be had.
    """
    listener = listening or await _bound(host, port)
    server = _Server(
        uvicorn.Config(
            page,
            http=_Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,  # an address is a code
            server_header=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
            limit_concurrency=CONNECTIONS,
            backlog=BACKLOG,
            h11_max_incomplete_event_size=HEAD_LIMIT,
            timeout_graceful_shutdown=int(DRAIN),
        )
    )
    running = asyncio.create_task(server.serve(sockets=[listener]), name="page")
    begun = asyncio.create_task(server.listening.wait())
    try:
        await asyncio.wait((running, begun), return_when=asyncio.FIRST_COMPLETED)
        yield listener.getsockname()[1]
    finally:
        begun.cancel()
        server.should_exit = True
        await running


async def _bound(host: str, port: int) -> socket.socket:
    loop = asyncio.get_running_loop()
    family, kind, number, _, address = (await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))[0]
    made = socket.socket(family, kind, number)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made
