"""What single steps cost, each beside what the standard library would need where there is such a thing."""

from __future__ import annotations

import email
import email.policy
import tempfile
import time
import timeit
from collections.abc import Callable, Iterator
from pathlib import Path

import senders
from letters import letter

from gateway.decide import decide, needed
from gateway.mail import Mail, Raw
from gateway.mime.edit import edited, joined
from gateway.mime.enclosed import enclosures, readings, within
from gateway.mime.parse import parse
from gateway.policy.load import load
from gateway.policy.model import Policy
from gateway.specimen import specimen
from gateway.verdict import AddHeader, Banner, Report, TagSubject

SIZES = {"2 kB": 2_000, "50 kB": 50_000, "5 MB": 5_000_000}
RULES = (10, 100)
RECIPIENTS = (1, 1_000)
REPEATS = 7
SECONDS = 0.1
EDITS = (TagSubject("[Bên ngoài] "), AddHeader("X-Mail-Origin", "outside"), Banner("Thư từ bên ngoài.\nFrom outside."))


def run() -> list[dict[str, object]]:
    """The CPU milliseconds of each step, the best of some repeats; and how many times as fast it is as the next step,
    where that is the same work by the standard library."""
    found = [(step, 1000 * _cpu_seconds(work)) for step, work in _steps()]
    after = [*found[1:], ("", 0.0)]
    return [
        {"step": step, "milliseconds": spent, "times": theirs / spent if "email" in other else None}
        for (step, spent), (other, theirs) in zip(found, after, strict=True)
    ]


def _steps() -> Iterator[tuple[str, Callable[[], object]]]:
    for name, size in SIZES.items():
        raw = letter(size).content
        yield f"parse, {name}", lambda raw=raw: parse(raw)
        yield f"email.message_from_bytes, {name}", lambda raw=raw: email.message_from_bytes(raw)
        yield f"all readings, {name}", lambda raw=raw: _read(raw)
        yield f"all contents by email, {name}", lambda raw=raw: _read_by_email(raw)
    for name, size in SIZES.items():
        raw, root = (content := letter(size).content), parse(content)
        yield f"three edits, {name}", lambda raw=raw, root=root: _rewritten(raw, root)
        yield f"three edits by email, {name}", lambda raw=raw: _rewritten_by_email(raw)
    for rules in RULES:
        policy = _policy(rules)
        for recipients in RECIPIENTS:
            mail = _mail(policy, recipients)
            reports = [Report(name, tuple(each.inspect(mail))) for name, each in policy.filters.items()]
            yield (
                f"policy, {rules} rules, {recipients} recipients",
                lambda policy=policy, mail=mail, reports=reports: (needed(policy, mail), decide(policy, mail, reports)),
            )
    yield from senders.steps()


def _cpu_seconds(work: Callable[[], object]) -> float:
    timer = timeit.Timer(work, timer=time.process_time)
    number = max(1, int(SECONDS / max(timer.timeit(1), 1e-6)))
    return min(timer.repeat(REPEATS, number)) / number


def _read(raw: Raw) -> int:
    """Every content in every way that a program may read it, and what lies within."""
    size = 0
    for part in parse(raw).walk():
        size += sum(len(one.content) for one in enclosures(raw, part))
        for reading in readings(raw, part):
            size += len(reading.content)
            size += sum(len(one.content) for one in within(reading.content, reading.media_types[0], part.names))
    return size


def _read_by_email(raw: bytes) -> int:
    contents = (part.get_payload(decode=True) for part in email.message_from_bytes(raw).walk())
    return sum(len(content) for content in contents if isinstance(content, bytes))


def _rewritten(raw: Raw, root: object) -> bytes:
    return joined(raw, edited(raw, root, EDITS))


def _rewritten_by_email(raw: bytes) -> bytes:
    message = email.message_from_bytes(raw, policy=email.policy.SMTP)
    message.replace_header("Subject", f"[Bên ngoài] {message['Subject']}")
    message["X-Mail-Origin"] = "outside"
    text = message.get_body(("plain",))
    text.set_content("Thư từ bên ngoài.\nFrom outside.\n\n" + text.get_content())
    return message.as_bytes()


def _policy(rules: int) -> Policy:
    """The policy of the benchmark, its rules as often as it takes, each with a name of its own."""
    text = (Path(__file__).parent / "policy.yaml").read_text()
    head, _, written = text.partition("rules:\n")
    copies = [written.replace("- id: ", f"- id: copy{number}-") for number in range(rules // 10)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.yaml"
        path.write_text(f"{head}rules:\n{''.join(copies)}")
        return load(path)


def _mail(policy: Policy, recipients: int) -> Mail:
    raw = letter(50_000).content
    named = [f"can.bo.{number}@example.gov.vn" for number in range(recipients)]
    return specimen(policy, raw, sender="huong.nt@example.org", recipients=named)
