"""What single steps cost, each beside what the standard library would need where there is such a thing."""

from __future__ import annotations

import email
import email.policy
import tempfile
import time
import timeit
from collections.abc import Callable, Iterator
from pathlib import Path

from letters import letter

from gateway.decide import decide, needed
from gateway.mail import Mail, Raw
from gateway.mime.edit import edited, joined
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
    """The CPU milliseconds of each step, the best of some repeats."""
    return [{"step": step, "milliseconds": 1000 * _cpu_seconds(work)} for step, work in _steps()]


def _steps() -> Iterator[tuple[str, Callable[[], object]]]:
    for name, size in SIZES.items():
        raw = letter(size).content
        yield f"parse, {name}", lambda raw=raw: parse(raw)
        yield f"email.message_from_bytes, {name}", lambda raw=raw: email.message_from_bytes(raw)
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


def _cpu_seconds(work: Callable[[], object]) -> float:
    timer = timeit.Timer(work, timer=time.process_time)
    number = max(1, int(SECONDS / max(timer.timeit(1), 1e-6)))
    return min(timer.repeat(REPEATS, number)) / number


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
