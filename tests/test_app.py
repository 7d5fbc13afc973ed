"""The service as a whole: a policy is swapped or kept, every message is decided, edited, logged and counted."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import structlog
from prometheus_client import CollectorRegistry

from gateway.keeping import Kind, Query, State
from tests.conftest import Start
from tests.faults import FakeHop

REFUSES_PLANS = """
version: 1
organisation: {domains: [example.gov.vn]}
rules:
  - {id: no-plans, cite: test/1, when: {header: {name: Subject, contains: plan}}, then: reject}
"""
REFUSES_ALL = REFUSES_PLANS.replace("{header: {name: Subject, contains: plan}}", "always")
BROKEN = REFUSES_ALL.replace("then: reject", "then: rejekt")
FAILS_ITS_CASE = (
    REFUSES_ALL
    + "tests: [{name: a letter passes, given: {from: a@example.org, to: b@example.gov.vn}, expect: {action: accept}}]\n"
)

RELOADS = {
    "a good one is taken": (REFUSES_ALL, True, "ok", 550),
    "a broken one is not": (BROKEN, False, "invalid", 250),
    "one that fails its own cases is not": (FAILS_ITS_CASE, False, "failed", 250),
    "one that is not there is not": (None, False, "invalid", 250),
}


async def send(gateway: Any, message: str, *recipients: str, sender: str = "a@example.org") -> str:
    """Hand a message in; the last reply."""
    reader, writer = await asyncio.open_connection(*gateway.addresses["inbound"])
    commands = ["EHLO client.example.org", f"MAIL FROM:<{sender}>"]
    commands += [f"RCPT TO:<{address}>" for address in recipients or ("b@example.gov.vn",)]
    commands += ["DATA"]
    await reader.readline()
    answer = ""
    for command in commands:
        writer.write(command.encode() + b"\r\n")
        answer = await last_line(reader)
        if answer[0] not in "23":
            break
    if answer.startswith("354"):
        writer.write(message.replace("\n", "\r\n").encode() + b"\r\n.\r\n")
        answer = await last_line(reader)
    writer.close()
    return answer


async def last_line(reader: asyncio.StreamReader) -> str:
    while (line := (await asyncio.wait_for(reader.readline(), 10)).decode())[3:4] == "-":
        pass
    return line


def value(registry: CollectorRegistry, name: str, **labels: str) -> float:
    return registry.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize(("text", "taken", "result", "code"), RELOADS.values(), ids=RELOADS)
async def test_reload(start: Start, tmp_path: Path, text: str | None, taken: bool, result: str, code: int) -> None:
    async with FakeHop() as hop, start(hop.address, policy=REFUSES_PLANS) as gateway:
        before = gateway.policy.digest
        path = tmp_path / "policy.yaml"
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
        counted = value(gateway.metrics.registry, "mailwarden_policy_reloads_total", result=result)
        with structlog.testing.capture_logs() as logs:
            assert await gateway.reload() is taken
        assert value(gateway.metrics.registry, "mailwarden_policy_reloads_total", result=result) == counted + 1
        assert (gateway.policy.digest != before) is taken
        assert (await send(gateway, "Subject: letter\n")).startswith(str(code))
        assert taken or any("policy.yaml" in entry.get("problem", "") for entry in logs)


async def test_a_changed_file_is_seen(start: Start, tmp_path: Path) -> None:
    async with FakeHop() as hop, start(hop.address, policy=REFUSES_PLANS) as gateway:
        before = gateway.policy.digest
        fresh = tmp_path / "fresh"
        fresh.write_text(REFUSES_ALL)
        async with asyncio.timeout(20):
            while gateway.policy.digest == before:
                fresh.replace(tmp_path / "policy.yaml")  # as editors and configuration tools do
                await asyncio.sleep(0.1)
                fresh.write_text(REFUSES_ALL)
        assert (await send(gateway, "Subject: letter\n")).startswith("550")


KNOWS_FILES = """
version: 1
organisation: {domains: [example.gov.vn]}
filters: {virus: {digests: lists, yara: rules}}
rules: [{id: no-malware, cite: test/1, when: {found: virus.infected}, then: reject}]
"""
RULE = 'rule Marked { strings: $a = "thu tuc khan" condition: $a }'
CHANGED_FILES = {
    "a rule is written": ("rules/deep/own.yar", RULE.replace("khan", "moi")),
    "a rule comes": ("rules/fresh.yara", RULE.replace("Marked", "Other")),
    "a list comes": ("lists/fresh.sha256", "0" * 64),
}


@pytest.mark.parametrize(("name", "text"), CHANGED_FILES.values(), ids=CHANGED_FILES)
async def test_a_changed_file_of_a_filter_is_seen(start: Start, tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "rules" / "deep").mkdir(parents=True)
    (tmp_path / "rules" / "deep" / "own.yar").write_text(RULE)
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "own.txt").write_text("1" * 64)
    async with FakeHop() as hop, start(hop.address, policy=KNOWS_FILES) as gateway:
        before = gateway.policy.digest
        async with asyncio.timeout(20):
            while gateway.policy.digest == before:
                (tmp_path / name).write_text(text)
                await asyncio.sleep(0.1)


async def test_a_transaction_keeps_the_policy_it_began_with(start: Start, tmp_path: Path) -> None:
    async with FakeHop() as hop, start(hop.address, policy=REFUSES_PLANS) as gateway:
        reader, writer = await asyncio.open_connection(*gateway.addresses["inbound"])
        await reader.readline()
        for command in (b"EHLO c\r\n", b"MAIL FROM:<a@example.org>\r\n"):
            writer.write(command)
            await last_line(reader)
        (tmp_path / "policy.yaml").write_text(REFUSES_ALL)
        assert await gateway.reload()
        for command in (b"RCPT TO:<b@example.gov.vn>\r\n", b"DATA\r\n"):
            writer.write(command)
            assert (await last_line(reader))[0] in "23"
        writer.write(b"Subject: letter\r\n\r\n.\r\n")
        assert (await last_line(reader)).startswith("250")
        writer.close()


TAGGING = """
version: 1
organisation: {domains: [example.gov.vn]}
rules:
  - id: from-outside
    cite: test/1
    when: {direction: inbound}
    then: tag
    with:
      subject: "[NGOÀI]"
      headers: {X-Origin: outside}
      remove_headers: [X-Internal]
      banner: {vi: Thư từ bên ngoài, en: Mail from outside}
  - id: copy
    cite: test/2
    when: {recipient: binh@example.gov.vn}
    then: accept
    with: {bcc: archive@example.gov.vn}
  - id: moved
    cite: test/3
    when: {recipient: old@example.gov.vn}
    then: accept
    with: {redirect: new@example.gov.vn}
  - id: dropped
    cite: test/4
    when: {header: {name: Subject, contains: drop}}
    then: discard
  - id: held
    cite: test/5
    when: {header: {name: Subject, contains: hold}}
    then: hold
  - id: not-for-her
    cite: test/6
    when: {all: [{recipient: her@example.gov.vn}, {header: {name: Subject, contains: private}}]}
    then: reject
"""


async def test_edits_copies_and_redirects(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address, policy=TAGGING) as gateway:
        answer = await send(
            gateway,
            "Subject: hello\nX-Internal: yes\nX-Kept: yes\n\nBody\n",
            "binh@example.gov.vn",
            "old@example.gov.vn",
        )
        assert answer.startswith("250 2.6.0 taken [id ")
    [taken] = hop.taken
    assert taken.rcpts == [
        b"RCPT TO:<binh@example.gov.vn>",
        b"RCPT TO:<new@example.gov.vn>",
        b"RCPT TO:<archive@example.gov.vn>",
    ]
    head, _, body = taken.content.partition(b"\r\n\r\n")
    assert b"X-Mailwarden: action=tag; policy=" + gateway.policy.digest.encode() in head
    assert b"X-Origin: outside\r\n" in head
    assert b"X-Internal" not in head
    assert b"X-Kept: yes" in head
    assert b"Subject: =?utf-8?" in head.replace(b"UTF-8", b"utf-8")
    assert body


DISPOSALS = {
    "discarded: the sender believes it arrived": ("drop it", ("b@example.gov.vn",), "250 ", 0),
    "held: owned, and not delivered": ("hold it", ("b@example.gov.vn",), "250 2.6.0 Held for approval [id ", 0),
    "refused for one of two: the other gets it, hers is quarantined": (
        "private",
        ("b@example.gov.vn", "her@example.gov.vn"),
        "250 2.6.0 taken [id ",
        1,
    ),
    "refused for nobody here": ("private", ("b@example.gov.vn",), "250 ", 1),
}


@pytest.mark.parametrize(("subject", "recipients", "answer", "arrived"), DISPOSALS.values(), ids=DISPOSALS)
async def test_disposals(start: Start, subject: str, recipients: tuple[str, ...], answer: str, arrived: int) -> None:
    async with FakeHop() as hop, start(hop.address, policy=TAGGING) as gateway:
        assert (await send(gateway, f"Subject: {subject}\n\nx\n", *recipients)).startswith(answer)
    assert len(hop.taken) == arrived


async def test_held_mail_is_owned_and_released_once(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address, policy=TAGGING) as gateway:
        await send(gateway, "Subject: hold it\n\nx\n")
        custody = gateway.office.custody
        [kept] = await gateway.office.stores.mail.find(Query())
        assert (kept.kind, kept.state, kept.rules) == (Kind.HELD, State.WAITING, ("from-outside", "held")[-1:])
        answers = await asyncio.gather(*(custody.release(kept.id, "officer@example.gov.vn") for _ in range(3)))
        assert [answer.act for answer in answers].count("released") == 1
    assert len(hop.taken) == 1
    assert b"hold it" in hop.taken[0].content


async def test_what_is_owned_for_one_is_given_up_if_the_next_hop_refuses_the_others(start: Start) -> None:
    async with FakeHop({"eod": "4xx"}) as hop, start(hop.address, policy=TAGGING) as gateway:
        answer = await send(gateway, "Subject: private\n\nx\n", "b@example.gov.vn", "her@example.gov.vn")
        assert answer.startswith("451")
        [kept] = await gateway.office.stores.mail.find(Query())
        assert kept.state is State.DELETED


async def test_what_is_not_edited_is_byte_for_byte_what_came(start: Start) -> None:
    message = "Subject:  odd   spacing\nx-eMpTy:\nContent-Type: text/plain\n\n\n. dot\n..\n\ttab \n"
    message += "long" * 5000 + "\n"
    async with FakeHop() as hop, start(hop.address) as gateway:
        assert (await send(gateway, message.replace("\n.", "\n.."))).startswith("250")
    assert hop.taken[0].content.endswith(message.replace("\n", "\r\n").encode() + b"\r\n")
    assert hop.taken[0].content.startswith(b"Received: from client.example.org (unknown [127.0.0.1])\r\n")


async def test_one_log_line_for_each_message_with_the_id_of_the_reply(start: Start) -> None:
    with structlog.testing.capture_logs() as logs:
        async with FakeHop() as hop, start(hop.address, policy=REFUSES_PLANS) as gateway:
            answers = [await send(gateway, f"Subject: {subject}\n\nx\n") for subject in ("a plan", "a letter")]
    lines = [entry for entry in logs if entry["event"] == "message"]
    assert [(line["action"], line["rules"]) for line in lines] == [("reject", ["no-plans"]), ("accept", [])]
    for line, answer in zip(lines, answers, strict=True):
        assert f"[id {line['id']}]" in answer
        assert line["policy"] == gateway.policy.digest
        json.dumps(line)
    assert f"id {lines[1]['id']};".encode() in hop.taken[0].content


async def test_counted(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address, policy=REFUSES_PLANS) as gateway:
        for subject in ("a plan", "a letter", "another"):
            await send(gateway, f"Subject: {subject}\n\nx\n")
        registry = gateway.metrics.registry
        where = {"listener": "inbound", "direction": "inbound"}
        assert value(registry, "mailwarden_messages_total", **where, action="reject") == 1
        assert value(registry, "mailwarden_messages_total", **where, action="accept") == 2
        assert value(registry, "mailwarden_rule_matches_total", rule="no-plans", mode="enforce", action="reject") == 1
        assert value(registry, "mailwarden_replies_total", stage="message", code="550") == 1
        assert value(registry, "mailwarden_message_bytes_count", direction="inbound") == 3
        assert value(registry, "mailwarden_messages_in_flight", listener="inbound") == 0


async def test_draining_ends_what_is_under_way(start: Start) -> None:
    async with FakeHop() as hop, start(hop.address) as gateway:
        reader, writer = await asyncio.open_connection(*gateway.addresses["inbound"])
        idle, idle_writer = await asyncio.open_connection(*gateway.addresses["inbound"])
        await idle.readline()
        await reader.readline()
        for command in (b"EHLO c\r\n", b"MAIL FROM:<a@example.org>\r\n", b"RCPT TO:<b@example.gov.vn>\r\n"):
            writer.write(command)
            await last_line(reader)
        writer.write(b"DATA\r\n")
        await last_line(reader)
        draining = asyncio.ensure_future(gateway.door.empty(10))
        assert (await last_line(idle)).startswith("421 4.3.2")
        writer.write(b"Subject: x\r\n\r\n.\r\n")
        assert (await last_line(reader)).startswith("250")
        assert (await last_line(reader)).startswith("421 4.3.2")
        await draining
        idle_writer.close()
        writer.close()
    assert len(hop.taken) == 1
