"""The page on a socket, and in a real browser."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest

from gateway.keeping import State
from gateway.page.forms import BODY_LIMIT
from gateway.page.serve import serve_page
from gateway.page.site import HEADERS
from tests.page.chromium import open_tab
from tests.page.conftest import open_desk, page_of

HOSTILE = """<!DOCTYPE html><html><head><title>mail</title>
<base href="AT/base/"><link rel=stylesheet href="AT/style.css">
<link rel=prefetch href="AT/prefetch"><style>@import url(AT/import.css); body { background: url(AT/background) }</style>
<script>document.title = "ran"; fetch("AT/fetch")</script><script src="AT/script.js"></script></head>
<body onload="document.title = 'ran'"><img src="AT/image" onerror="document.title = 'ran'">
<svg onload="document.title = 'ran'"><image href="AT/svg"/></svg><iframe src="AT/frame"></iframe>
<object data="AT/object"></object><video src="AT/video" autoplay></video>
<input autofocus onfocus="document.title='ran'">
<form id=f action="AT/form" method=post></form></body></html>"""

LEAVING = """<head><meta http-equiv=refresh content="0;url=AT/refresh">"""
SENDING = """<script>document.getElementById("f").submit()</script></body>"""


@contextlib.asynccontextmanager
async def canary(page: str, headers: Mapping[str, str]) -> AsyncIterator[tuple[str, list[str]]]:
    """A server whose first page is this one (AT is its address); it remembers whatever else it is asked for."""
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
            fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            body = page.replace("AT", address) if path == "/" else ""
            if path not in ("/", "/favicon.ico"):
                asked.append(path)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n{fields}"
            writer.write(f"{head}{'' if headers else 'Connection: close'}\r\n\r\n{body}".encode())
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield address, asked


async def test_hostile_mail_runs_and_loads_nothing_in_chromium_and_the_form_works(tmp_path: Path) -> None:
    async with canary(HOSTILE, {}) as (address, asked), open_tab(tmp_path / "profile") as tab:
        await tab.go(f"{address}/")
        assert {"/script.js", "/image", "/frame"} <= set(asked)  # the letter is as hostile as it looks
        await tab.go("about:blank")
        asked.clear()
        html = HOSTILE.replace("<head>", LEAVING).replace("</body>", SENDING).replace("AT", address)
        letter = f"Subject: <img src={address}/subject>\r\nContent-Type: text/html\r\n\r\n{html}"
        async with open_desk(tmp_path, raw=letter.encode()) as desk:
            page = page_of(desk.house)
            async with serve_page("127.0.0.1", 0, page) as port:
                here = f"http://127.0.0.1:{port}"
                await tab.go(here + desk.path)
                assert await tab.evaluate("document.title") == "Mailwarden"
                assert f"<{address}/form>" in await tab.evaluate("document.querySelector('pre').textContent")
                assert await tab.evaluate("getComputedStyle(document.querySelector('h1')).fontSize") == "22.4px"
                assert {url for url in tab.requests if not url.endswith("favicon.ico")} == {
                    here + desk.path,
                    f"{here}/page.css",
                }
                assert asked == []
                await tab.click("button[value=approve]")
                assert "Đã duyệt" in await tab.evaluate("document.querySelector('#said').textContent")
                assert await desk.house.state(desk.id) is State.RELEASED


async def test_headers_alone_stop_scripts_and_loads_in_chromium(tmp_path: Path) -> None:
    async with canary(HOSTILE, HEADERS) as (address, asked), open_tab(tmp_path / "profile") as tab:
        await tab.go(f"{address}/")
        assert await tab.evaluate("document.title") == "mail"
        # Styles of the page's own host are its own. No policy stops a hint to fetch ahead; escaping does.
        assert set(asked) <= {"/style.css", "/import.css", "/prefetch"}


async def test_page_is_served_and_stops_without_touching_signals(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    async with open_desk(tmp_path) as desk, serve_page("127.0.0.1", 0, page_of(desk.house)) as port:
        assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as browser:
            shown = await browser.get(desk.path)
            assert (shown.status_code, "server" in shown.headers) == (200, False)
            assert {name: shown.headers[name] for name in HEADERS} == HEADERS
            assert (await browser.head(desk.path)).status_code == 200
    with pytest.raises(OSError, match="Connect"):
        await asyncio.open_connection("127.0.0.1", port)


async def test_an_address_in_use_is_an_error_of_ours_to_see(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk, serve_page("127.0.0.1", 0, page_of(desk.house)) as port:
        with pytest.raises(OSError, match="in use"):
            async with serve_page("127.0.0.1", port, page_of(desk.house)):
                pass


RAW = {
    "no request": b"\x16\x03\x01\x00\xa5\x01\r\n\r\n",
    "a head without end": b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000,
    "a length that is none": b"POST /decide/x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
}


@pytest.mark.parametrize("request_", RAW.values(), ids=RAW)
async def test_what_is_no_request_is_answered_with_400(tmp_path: Path, request_: bytes) -> None:
    async with open_desk(tmp_path) as desk, serve_page("127.0.0.1", 0, page_of(desk.house)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_)
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()


async def test_a_body_that_is_too_large_is_not_waited_for(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk, serve_page("127.0.0.1", 0, page_of(desk.house)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST {desk.path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        writer.write(f"{head}Content-Length: 1000000000\r\n\r\n".encode() + b"a" * (BODY_LIMIT + 1))
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 413 ")
        writer.close()


async def test_one_that_never_asks_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.page.serve.HEAD_WITHIN", 0.05)
    async with open_desk(tmp_path) as desk, serve_page("127.0.0.1", 0, page_of(desk.house)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nX: ")
        assert await reader.read() == b""
        writer.close()
