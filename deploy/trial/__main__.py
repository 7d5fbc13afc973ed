"""`make run`: a gateway with the example policy and a maildir behind it, and what it makes of a dozen letters.

`python deploy/trial [gateway.yaml]` serves until it is stopped. Nothing leaves this machine.
"""

from __future__ import annotations

import asyncio
import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from samples import Sample, samples

from gateway.config import Settings, load_settings
from gateway.endpoint import HostPort
from gateway.explain import COLOURS
from gateway.mail import Client
from gateway.pipeline import judge
from gateway.policy.load import load
from gateway.policy.model import Policy
from gateway.specimen import specimen
from gateway.verdict import Verdict

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
START_PATIENCE = 20
"""Seconds in which the gateway must be there."""

REPLY_PATIENCE = 90
"""Seconds for one reply; the gateway's own deadline is 60."""

WIDTH = 150
"""Columns where the output is no terminal."""

REASON_LIMIT = 180
"""Characters of a rule's reason in the table; `mailwarden explain` has them all."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client heard: for each recipient that was refused at once, and at the end."""

    lines: tuple[str, ...]

    @property
    def colour(self) -> str:
        """By the worst of them."""
        return {"2": "green", "4": "yellow"}.get(max(line[0] for line in self.lines), "red")


def main(config: Path) -> int:
    """Runs the trial with these settings; the exit code is the gateway's."""
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    settings = load_settings(config)
    address = settings.listeners[0].smtp
    assert isinstance(address, HostPort)
    assert settings.metrics
    for wanted in (address, settings.metrics):
        check_free(wanted)
    state = settings.state.resolve()
    state.mkdir(parents=True, exist_ok=True)
    log = state / "log.jsonl"
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    with serving(config, log) as gateway:
        if not wait_for(address, gateway):
            print(log.read_text(), file=sys.stderr)
            return 1
        console.print(f"The gateway is at {address}, with the policy {shown(settings.policy)}. Sending samples ...\n")
        console.print(table(settings, address))
        console.print(instructions(settings, address, log))
        return gateway.wait()


def check_free(address: HostPort) -> None:
    """Ends the program where somebody else listens there."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((address.host, address.port))
        except OSError as error:
            sys.exit(f"make run: {address} cannot be used: {error.strerror}. Is another gateway running?")


@contextmanager
def serving(config: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The gateway as a process of its own, which ends when we do."""
    command = (sys.executable, "-m", "gateway", "serve", "-c", str(config.resolve()))
    with log.open("ab") as output:
        gateway = subprocess.Popen(  # noqa: S603 - a command of ours
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stderr=output
        )
    try:
        yield gateway
    finally:
        gateway.terminate()
        gateway.wait()


def stop(number: int, frame: FrameType | None) -> NoReturn:
    """A signal that ends us in good order, as Ctrl-C does."""
    raise KeyboardInterrupt


def wait_for(address: HostPort, gateway: subprocess.Popen[bytes]) -> bool:
    """True as soon as it answers, False if it ends or takes too long."""
    until = time.monotonic() + START_PATIENCE
    while gateway.poll() is None and time.monotonic() < until:
        try:
            with smtplib.SMTP(address.host, address.port, timeout=REPLY_PATIENCE):
                return True
        except ConnectionRefusedError:
            time.sleep(0.05)
    return False


def table(settings: Settings, address: HostPort) -> Table:
    """The samples and what became of them."""
    policy = load(settings.policy)
    shown_as = Table(show_lines=True, title="What became of the samples", title_justify="left")
    for column, ratio in (("sample", 3), ("from, to", 4), ("what the sender hears", 6), ("which rule, and why", 6)):
        shown_as.add_column(column, ratio=ratio, overflow="fold")
    for sample in samples():
        answer = send(address, sample)
        verdict = asyncio.run(judged(policy, sample, settings.listeners[0].name))
        who = "\n".join([f"{sample.sender}", *(f"-> {recipient}" for recipient in sample.to)])
        heard = Text("\n".join(answer.lines), style=answer.colour)
        shown_as.add_row(escape(sample.title), escape(who), heard, Text("\n").join(reasons(verdict, answer)))
    return shown_as


def send(address: HostPort, sample: Sample) -> Answer:
    """Sends it by SMTP; XCLIENT tells the gateway, which trusts this machine, whom to take us for."""
    with smtplib.SMTP(address.host, address.port, local_hostname="trial", timeout=REPLY_PATIENCE) as client:
        client.ehlo()
        code, text = client.docmd("XCLIENT", f"ADDR={sample.client} LOGIN={sample.login or '[UNAVAILABLE]'}")
        if code != 220:
            return Answer((reply(code, text),))
        client.ehlo("client.example")
        code, text = client.mail(sample.sender, sample.options)
        if code != 250:
            return Answer((reply(code, text),))
        refused = []
        for recipient in sample.to:
            code, text = client.rcpt(recipient)
            if code != 250:
                refused.append(f"{reply(code, text)} (to {recipient})")
        if len(refused) < len(sample.to):
            code, text = content(client, sample)
            refused.append(reply(code, text))
        return Answer(tuple(refused))


def content(client: smtplib.SMTP, sample: Sample) -> tuple[int, bytes]:
    """DATA, with line endings as they are in the sample: smtplib would mend them."""
    code, text = client.docmd("DATA")
    if code != 354:
        return code, text
    client.send(sample.content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    return client.getreply()


def reply(code: int, text: bytes) -> str:
    """A reply on one line."""
    return f"{code} {text.decode('ascii', 'replace')}".replace("\n", " / ")


async def judged(policy: Policy, sample: Sample, listener: str) -> Verdict:
    """The same decision again, with its reasons; `mailwarden explain` does this for a file."""
    mail = specimen(
        policy,
        sample.content,
        sender=sample.sender,
        recipients=sample.to,
        client=Client(address=sample.client, login=sample.login),
        listener=listener,
    )
    deadline = asyncio.get_running_loop().time() + REPLY_PATIENCE
    return await judge(policy, mail, deadline=deadline, observe=lambda report: None)


def reasons(verdict: Verdict, answer: Answer) -> Iterator[Text]:
    """Each rule that holds, once; those in shadow, which are only counted, by their names."""
    if "Bare CR or LF" in answer.lines[-1]:
        yield Text("no rule: the gateway itself refuses bare line feeds (SMTP smuggling)")
        return
    rules = {rule.id: rule for outcome in verdict.outcomes for rule in outcome.rules if rule.action is not None}
    enforced = [rule for rule in rules.values() if rule.mode == "enforce"]
    for rule in enforced:
        assert rule.action is not None
        because = rule.because if len(rule.because) <= REASON_LIMIT else f"{rule.because[:REASON_LIMIT]}..."
        yield Text.assemble((rule.id, "bold"), ": ", (rule.action.word, COLOURS[rule.action]), f"; {because}")
    if not enforced:
        yield Text("no rule forbids or changes anything")
    if shadow := [name for name, rule in rules.items() if rule.mode == "shadow"]:
        yield Text(f"in shadow: {', '.join(shadow)}", style="dim")


def instructions(settings: Settings, address: HostPort, log: Path) -> Text:
    """Where everything is, and how to go on."""
    upstream = settings.listeners[0].upstream
    assert upstream
    assert upstream.path
    policy = shown(settings.policy)
    lines = {
        "delivered mail": f"{shown(upstream.path)}/new (a maildir)",
        "log": f"{shown(log)} (one JSON object for each message; its id is in the reply)",
        "metrics": f"http://{settings.metrics}/metrics, also /healthz and /readyz",
        "policy": f"{policy}: change it, and it is taken at once; mailwarden check {policy}",
        "try a letter": f"swaks --server {address} --from lan@example.net --to an@example.gov.vn",
        "see why": f".venv/bin/mailwarden explain -p {policy} LETTER.eml",
        "stop": "Ctrl-C",
    }
    text = Text()
    for name, what in lines.items():
        text.append(f"{name:>15}  ", style="bold").append(f"{what}\n")
    return text


def shown(path: Path) -> str:
    """A path as seen from the project's folder."""
    return os.path.relpath(path, ROOT)


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "gateway.yaml"))
    except KeyboardInterrupt:
        print("stopped")
