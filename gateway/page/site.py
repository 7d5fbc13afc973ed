"""Answers requests: shows one held message on GET, takes the decision on POST, and knows no other page.

GET and HEAD decide nothing and use nothing up, for scanners of mail open links before people do. That the content of a
message was shown is remembered by `Page.view`.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.custody.approvals import Want
from gateway.custody.steps import Answer
from gateway.errors import StoreUnavailable
from gateway.keeping import KeptMail, Kind, Step
from gateway.mail import Raw
from gateway.page import words
from gateway.page.bucket import Buckets
from gateway.page.forms import BODY_LIMIT, MEDIA_TYPE, read_form, same_site, token_for, token_holds
from gateway.page.preview import Preview, preview
from gateway.page.render import STYLE, Facts, message_page, notice_page
from gateway.page.words import Words

IN_LOOP = 64 * 1024
"""Bytes of a message that is read on the event loop; more goes to a thread."""

BODY_WITHIN = 15.0
"""Seconds for a form to arrive: 32 kB over the slowest line."""

UNKNOWN_AFTER = 0.25
"""Seconds after which a code that is not one is answered: whatever the store does with it takes less, so that the time
tells nothing of it."""

CODE_LIMIT = 100
"""Characters of a code in an address: 32, and the hyphens that people put in."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # the address is the code
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Connection": "close",  # one request each, so that `serve.py` has one wait to bound
}
"""With every answer."""

Look = Callable[[str], Awaitable[tuple[KeptMail, str] | str]]
"""The message of a code and whom it is for, or what is wrong with it (`Fault`). Uses nothing up."""

Steps = Callable[[str], Awaitable[Sequence[Step]]]
"""What has happened to a message, oldest first."""

View = Callable[[str, str], Awaitable[tuple[KeptMail, Raw] | None]]
"""A message with its bytes, for a person; that he looked is remembered."""

log = structlog.get_logger()


class Decide(Protocol):
    """Does what the holder of a code wants, once."""

    def __call__(self, secret: str, want: Want, comment: str = "", to: str = "") -> Awaitable[Answer]:
        """What came of it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An ASGI application. `look`, `view` and `decide` are custody's, `steps` the store's; all may raise
    StoreUnavailable.

    `origin` is where people reach the page ("https://mx.example.gov.vn"). `key` makes the forms' tokens: processes that
    share an address share it.
    """

    look: Look
    view: View
    steps: Steps
    decide: Decide
    facts: Facts
    origin: str
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    clock: Callable[[], float] = time.time
    _buckets: Buckets = field(default_factory=Buckets, repr=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Raises nothing: what goes wrong is logged, and the client hears a sentence of ours."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self._answered(request)
        except StoreUnavailable as error:
            log.error("page not shown", reason=str(error))
            response = self._notice(503, words.NOT_NOW)
        except ClientDisconnect:
            return
        except Exception:
            log.exception("page failed")
            response = self._notice(500, words.NOT_NOW)
        await response(scope, receive, send)

    async def _answered(self, request: Request) -> Response:
        address = request.client.host if request.client is not None else ""
        if not self._buckets.admit(address, time.monotonic()):
            return self._notice(429, words.TOO_MANY, {"Retry-After": "60"})
        path, method = request.scope["path"], request.method
        if path == "/page.css":
            if method in ("GET", "HEAD"):
                return Response(STYLE, headers=HEADERS, media_type="text/css")
            return self._not_allowed("GET, HEAD")
        folder, _, code = path.rpartition("/")
        if folder != "/decide" or not code or len(code) > CODE_LIMIT:
            return self._notice(404, words.NOT_FOUND)
        if method in ("GET", "HEAD"):
            return await self._shown(code, method)
        return await self._taken(request, code) if method == "POST" else self._not_allowed("GET, HEAD, POST")

    async def _shown(self, code: str, method: str) -> Response:
        found = await self._looked(code)
        if isinstance(found, Response):
            return found
        kept, person = found
        if method == "HEAD":
            return Response(headers=HEADERS, media_type="text/html")
        viewed = await self.view(kept.id, person)
        if viewed is None:
            return self._notice(410, words.DECIDED)
        content = await _previewed(viewed[1])
        token = token_for(self.key, code, int(self.clock()))
        page = message_page(self.facts, kept, await self.steps(kept.id), person, content, token)
        return Response(page, headers=HEADERS, media_type="text/html")

    async def _taken(self, request: Request, code: str) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
            return self._notice(415, words.BAD_FORM)
        if not same_site(request.headers, self.origin):
            return self._notice(403, words.FOREIGN)
        body = await _body(request)
        if body is None:
            return self._notice(413, words.TOO_LARGE)
        form = read_form(body)
        if form is None:
            return self._notice(400, words.BAD_FORM)
        if not token_holds(form.token, self.key, code, int(self.clock())):
            return self._notice(403, words.FOREIGN)
        found = await self._looked(code)
        if isinstance(found, Response):
            return found
        answer = await self.decide(code, form.want, form.comment, form.to)
        log.info("decision taken", id=found[0].id, person=found[1], want=form.want.value, act=answer.act or "")
        return self._notice(200 if answer.act is not None else 409, words.said_of(answer), again=answer.act is None)

    async def _looked(self, code: str) -> tuple[KeptMail, str] | Response:
        """The message of a code that waits for a decision, and whom the code is for; or what to say instead."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        found = await self.look(code)
        if isinstance(found, str):
            said = words.FAULTS.get(found, words.UNKNOWN)
            await asyncio.sleep(begun + UNKNOWN_AFTER - loop.time())
            return self._notice(404 if said is words.UNKNOWN else 410, said)
        kept, _ = found
        said_of_it = words.said_of_state(kept.state) if kept.kind is Kind.HELD else words.DECIDED
        return self._notice(410, said_of_it) if said_of_it is not None else found

    def _not_allowed(self, allowed: str) -> Response:
        return self._notice(405, words.NOT_ALLOWED, {"Allow": allowed})

    def _notice(
        self, status: int, said: Words, headers: Mapping[str, str] | None = None, *, again: bool = False
    ) -> Response:
        page = notice_page(self.facts, said, again=again)
        return Response(page, status, {**HEADERS, **(headers or {})}, "text/html")


async def _previewed(raw: Raw) -> Preview:
    return preview(raw) if len(raw) <= IN_LOOP else await asyncio.to_thread(preview, raw)


async def _body(request: Request) -> bytes | None:
    """The body of a request; None where it is too large or too slow. No more than the limit is kept."""
    body = b""
    try:
        async with asyncio.timeout(BODY_WITHIN):
            async for chunk in request.stream():
                body += chunk
                if len(body) > BODY_LIMIT:
                    return None
    except TimeoutError:
        return None
    return body
