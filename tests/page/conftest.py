"""What the tests of the page share: the page over custody with real stores, asked without a socket."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from gateway.page.forms import MEDIA_TYPE
from gateway.page.render import Facts
from gateway.page.site import Page
from tests.custody.conftest import Hop, House, open_house

ORIGIN = "https://mx.example.gov.vn"

HOLD_ONE = """version: 1
organisation: {domains: [example.gov.vn], officers: [officer@example.gov.vn]}
rules:
  - id: one
    cite: gialai-2022/11.6
    when: {direction: outbound}
    then: hold
    with:
      approvers: [a@example.gov.vn, b@example.gov.vn]
      expires: {after: 3d, then: reject}
"""


def page_of(house: House, **changes: Any) -> Page:
    """The page over this custody."""
    values: dict[str, Any] = {
        "look": house.custody.look,
        "view": house.custody.view,
        "steps": house.stores.mail.steps,
        "decide": house.custody.by_code,
        "facts": Facts(contact="vanthu@example.gov.vn"),
        "origin": ORIGIN,
    }
    return Page(**values | changes)


@dataclass
class Desk:
    """A held message, the page, and a browser without a screen."""

    house: House
    hop: Hop
    browser: httpx.AsyncClient
    id: str
    path: str = field(default="")

    async def token(self) -> str:
        """The token of the form as it is shown now."""
        shown = await self.browser.get(self.path)
        found = re.search(r'name="token" value="([^"]+)"', shown.text)
        assert found is not None, shown.text
        return found[1]

    async def send(
        self, want: str, *, path: str = "", headers: dict[str, str] | None = None, **fields: str
    ) -> httpx.Response:
        """Send a form as the page has it, with changes."""
        fields.setdefault("token", "")
        usual = {"Origin": "null", "Sec-Fetch-Site": "same-origin", "Content-Type": MEDIA_TYPE}
        return await self.browser.post(
            path or self.path, data={"want": want, **fields}, headers={**usual, **(headers or {})}
        )


@asynccontextmanager
async def open_desk(folder: Path, *, text: str = HOLD_ONE, **changes: Any) -> AsyncIterator[Desk]:
    """A message is held, and a@example.gov.vn has the link."""
    hop = Hop()
    async with open_house(folder, hop, text=text) as house:
        id = await house.keep(**changes)
        transport = httpx.ASGITransport(page_of(house))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as browser:
            yield Desk(house, hop, browser, id, f"/decide/{house.code_of('a')}")
