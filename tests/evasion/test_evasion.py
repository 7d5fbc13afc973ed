"""Every evasive message is found out or declared uninspectable: by the engine alone, and through a running gateway."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.extract.opener import Opener
from gateway.limits import FileReading
from gateway.pipeline import judge
from gateway.policy.load import load
from gateway.policy.model import Policy
from gateway.specimen import specimen
from gateway.verdict import Action
from tests.conftest import Start
from tests.evasion.messages import EICAR, MESSAGES, bombs
from tests.extract.archives import zipped
from tests.faults import FakeHop
from tests.filters.carriers import CARRIERS, letter
from tests.mime.tricks import NEEDLE

POLICY = """
version: 1
organisation: {domains: [example.gov.vn]}
filters: {virus: {yara: rules.yar}}
rules:
  - {id: no-programs, cite: test/1, when: {found: [attachments.executable, attachments.script]}, then: reject}
  - {id: no-malware, cite: test/2, when: {found: virus.infected}, then: reject}
  - {id: no-gambling, cite: test/3, when: {found: content.prohibited, where: {category: gambling}}, then: reject}
  - {id: nothing-unseen, cite: test/4, when: {found: attachments.uninspectable}, then: reject}
  - id: nothing-beyond-limits
    cite: test/5
    when: {found: attachments.malformed, where: {defect: [limit-depth, limit-parts, limit-head, limit-headers]}}
    then: reject
"""

# EICAR stands for malware, and so does the payload of the tricks of MIME.
RULES = f"""
rule Eicar {{ strings: $a = {{ {EICAR.hex(" ")} }} condition: $a }}
rule Payload {{ strings: $a = "{NEEDLE.decode()}" condition: $a }}
"""

REPORT = "Kính gửi Sở Nội vụ,\nĐơn vị báo cáo kết quả công tác tháng 3 như sau.\nTrân trọng."

ORDINARY = {
    "a letter": b"From: a@x.vn\r\nSubject: Hop\r\n\r\nKinh gui anh, mai hop luc 8 gio.\r\n",
    "a letter in HTML": b"From: a@x.vn\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Xin ch\xc3\xa0o</p>\r\n",
    **{f"a {kind}": letter(make(REPORT), media_type, name) for kind, (make, media_type, name) in CARRIERS.items()},
    "a zip of documents": letter(zipped({"a.docx": CARRIERS["docx"][0](REPORT)}), "application/zip", "bao-cao.zip"),
}


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "rules.yar").write_text(RULES)
    return load(tmp_path / "policy.yaml")


@pytest.fixture
async def opener() -> AsyncIterator[Opener]:
    async with Opener(FileReading()) as one:
        yield one


async def verdict(policy: Policy, opener: Opener, raw: bytes) -> tuple[Action, str]:
    """The action, and the reports of filters that failed."""
    mail = specimen(policy, raw, sender="a@stranger.vn", recipients=["b@example.gov.vn"])
    deadline = asyncio.get_running_loop().time() + 60
    found = await judge(policy, mail, deadline=deadline, observe=lambda report: None, open_mail=opener.open)
    return found.action, "; ".join(f"{one.filter}: {one.reason}" for one in found.reports if one.failure)


async def test_nothing_passes(policy: Policy, opener: Opener) -> None:
    assert len(MESSAGES) >= 150
    passed = []
    for name, raw in MESSAGES.items():
        action, failures = await verdict(policy, opener, raw)
        if action is not Action.REJECT:
            passed.append(f"{name}: {action.word} {failures}".strip())
    assert passed == []


@pytest.mark.parametrize("raw", ORDINARY.values(), ids=ORDINARY)
async def test_ordinary_mail_passes(policy: Policy, opener: Opener, raw: bytes) -> None:
    assert await verdict(policy, opener, raw) == (Action.ACCEPT, "")


async def test_nothing_passes_through_the_gateway(start: Start, tmp_path: Path) -> None:
    (tmp_path / "rules.yar").write_text(RULES)
    async with FakeHop() as hop, start(hop.address, policy=POLICY, listener={"line_endings": "normalise"}) as gateway:
        port = gateway.addresses["inbound"][1]

        def send(messages: list[tuple[str, bytes]]) -> list[str]:
            taken = []
            for name, raw in messages:
                with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
                    client.ehlo("client.example.org")
                    client.mail("a@stranger.vn")
                    client.rcpt("b@example.gov.vn")
                    code, _ = client.data(raw)
                    if code < 500:
                        taken.append(f"{name}: {code}")
            return taken

        every = list(MESSAGES.items())
        taken = await asyncio.gather(*(asyncio.to_thread(send, every[part::4]) for part in range(4)))
        assert [name for some in taken for name in some] == []
        assert hop.taken == []


async def test_ordinary_mail_flows_while_bombs_are_decided(start: Start) -> None:
    """A message that takes long is judged beside the others, not before them."""
    policy = POLICY.replace("filters: {virus: {yara: rules.yar}}\n", "").replace(
        '  - {id: no-malware, cite: test/2, when: {found: virus.infected}, then: reject}\n', ""
    )
    async with FakeHop() as hop, start(hop.address, policy=policy) as gateway:
        port = gateway.addresses["inbound"][1]

        def send(raw: bytes) -> int:
            with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
                client.ehlo("client.example.org")
                client.mail("a@stranger.vn")
                client.rcpt("b@example.gov.vn")
                return client.data(raw)[0]

        judged = [asyncio.create_task(asyncio.to_thread(send, raw)) for raw in bombs().values()]
        passed = [await asyncio.to_thread(send, ORDINARY["a letter"]) for _ in range(20)]
        assert passed == [250] * 20
        assert all(code >= 500 for code in await asyncio.gather(*judged))
        assert len(hop.taken) == 20
