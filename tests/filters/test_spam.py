"""The filter `spam` with no server: the embedded classifier, and what is sent to many."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from filters.spam import Spam
from gateway.mail import Client, Envelope, Mail
from gateway.mime.parse import parse
from gateway.reading import Reading, Text, Zone
from gateway.verdict import Finding

GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*" + "GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
"""In two pieces, so that no scanner trips on this file."""

LETTER = "Kính gửi Sở Nội vụ, đơn vị gửi báo cáo công tác tháng 3. Trân trọng."


async def found(body: str, head: str = "From: a@x.gov.vn\r\nTo: b@x.gov.vn\r\nSubject: Bao cao") -> dict[str, Finding]:
    raw = f"{head}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n".encode()
    root = parse(raw)
    subject = Text(place="", zone=Zone.SUBJECT, content=root.header("Subject") or "")
    mail = Mail(
        id="1",
        listener="x",
        received=datetime(2026, 3, 2, tzinfo=UTC),
        client=Client(),
        envelope=Envelope("a@x.gov.vn"),
        inside=False,
        raw=raw,
        root=root,
        opened=Reading(texts=(subject, Text(place="1", zone=Zone.BODY, content=body))),
    )
    return {finding.code: finding async for finding in Spam().inspect(mail)}


async def test_the_test_line_is_spam() -> None:
    score = (await found(GTUBE))["score"].facts()
    assert score["engine"] == "embedded"
    assert score["share"] >= 1


async def test_an_official_letter_is_not() -> None:
    assert (await found(LETTER))["score"].facts()["share"] < 1


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ("From: a@x.vn\r\nSubject: [QC] Uu dai thang 3", "advertisement"),
        ("From: a@x.vn\r\nSubject: x\r\nList-Unsubscribe: <https://x.vn/u>\r\nList-Id: <tin.x.vn>", None),
    ],
)
async def test_what_is_sent_to_many_is_told(head: str, kind: str | None) -> None:
    bulk = (await found(LETTER, head))["bulk"].facts()
    assert kind is None or bulk["kind"] == kind
