"""/metrics, /healthz and /readyz, on a listener and in threads of their own: a scrape never holds up mail."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

Check = Callable[[], str]
"""Says "" where all is well, else what is not."""

REQUEST_TIMEOUT = 10
"""Seconds a client of this listener may take for its request."""


class StatusServer:
    """Serves until closed. Raises OSError where its address cannot be had."""

    def __init__(self, host: str, port: int, *, registry: CollectorRegistry, alive: Check, ready: Check) -> None:
        pages: dict[str, Callable[[], tuple[int, str, bytes]]] = {
            "/metrics": lambda: (200, CONTENT_TYPE_LATEST, generate_latest(registry)),
            "/healthz": lambda: _checked(alive),
            "/readyz": lambda: _checked(ready),
        }

        class Handler(BaseHTTPRequestHandler):
            timeout = REQUEST_TIMEOUT
            server_version = "Mailwarden"
            sys_version = ""

            def do_GET(self) -> None:
                page = pages.get(self.path.partition("?")[0])
                code, kind, body = page() if page else (404, "text/plain; charset=utf-8", b"not found\n")
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """A scrape every few seconds is no news."""

        class Server(ThreadingHTTPServer):
            address_family = AF_INET6 if ":" in host else AF_INET
            daemon_threads = True

        self._server = Server((host, port), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="status", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


def _checked(check: Check) -> tuple[int, str, bytes]:
    trouble = check()
    return (503 if trouble else 200), "text/plain; charset=utf-8", (trouble or "ok").encode() + b"\n"
