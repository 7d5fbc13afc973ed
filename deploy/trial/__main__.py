"""`make run`: a gateway with the example policy and a maildir behind it, and what it makes of the letters in a file.

They are in `letters.yaml`.

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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

from arrived import Postbox
from letters import Letter, read_letters
from rich.console import Console
from rich.text import Text
from shown import Outcome, kept_table, letters_table, notice_panels

from gateway.config import Settings, load_settings
from gateway.endpoint import HostPort

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
START_PATIENCE = 20
"""Seconds in which the gateway must be there."""

REPLY_PATIENCE = 90
"""Seconds for one reply; the gateway's own deadline is 60."""

NOTICE_PATIENCE = 20
"""Seconds for all notices to arrive."""

WIDTH = 150
"""Columns where the output is no terminal."""


def main(config: Path) -> int:
    """Runs the trial with these settings; the exit code is the gateway's."""
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    settings = load_settings(config)
    address = settings.listeners[0].smtp
    assert isinstance(address, HostPort)
    assert settings.metrics
    assert settings.page
    for wanted in (address, settings.metrics, settings.page.address):
        check_free(wanted)
    state = settings.state.resolve()
    state.mkdir(parents=True, exist_ok=True)
    log = state / "log.jsonl"
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    with serving(config, log) as gateway:
        from recalled import recall  # its libraries take a second, which the gateway takes to start as well

        if not wait_for(address, gateway):
            print(log.read_text(), file=sys.stderr)
            return 1
        console.print(f"The gateway is at {address}, with the policy {shown(settings.policy)}. Sending letters ...\n")
        begun, postbox = datetime.now(UTC), Postbox(maildir_of(settings))
        letters = read_letters(HERE / "letters.yaml")
        outcomes = [Outcome(letter=letter, heard=send(address, letter)) for letter in letters]
        done = act(config, outcomes)
        arrived = postbox.wait({each.id: each.letter.told for each in outcomes if each.letter.told}, NOTICE_PATIENCE)
        asyncio.run(recall(settings.state / "store", begun, outcomes))
        for outcome in outcomes:
            outcome.notices.extend(postbox.about(outcome.id) if outcome.id else ())
        show(console, outcomes, done)
        if not arrived:
            console.print(Text(f"Not every notice has arrived within {NOTICE_PATIENCE} s.", style="red"))
        console.print(instructions(settings, address, log))
        return gateway.wait()


def show(console: Console, outcomes: Sequence[Outcome], done: Sequence[tuple[str, str]]) -> None:
    """What happened, and who was told."""
    console.print(letters_table(outcomes))
    console.print("\nWhat people did with some of those that were kept:\n")
    for command, output in done:
        console.print(Text(f"$ {command}\n{output}", style="cyan"), soft_wrap=True)
    console.print()
    console.print(kept_table(outcomes))
    console.print("\nWhat such notices say (each also in Vietnamese, above the English text):\n")
    for panel in notice_panels(outcomes, ROOT):
        console.print(panel)


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


def send(address: HostPort, letter: Letter) -> tuple[str, ...]:
    """Sends it by SMTP, and says what was heard: of each recipient that was refused at once, and at the end.

    XCLIENT tells the gateway, which trusts this machine, whom to take us for.
    """
    with smtplib.SMTP(address.host, address.port, local_hostname="trial", timeout=REPLY_PATIENCE) as client:
        client.ehlo()
        code, text = client.docmd("XCLIENT", f"ADDR={letter.client} LOGIN={letter.login or '[UNAVAILABLE]'}")
        if code != 220:
            return (reply(code, text),)
        client.ehlo("client.example")
        code, text = client.mail(letter.sender, letter.options)
        if code != 250:
            return (reply(code, text),)
        heard = []
        for recipient in letter.to:
            code, text = client.rcpt(recipient)
            if code != 250:
                heard.append(f"{reply(code, text)} (to {recipient})")
        if len(heard) < len(letter.to):
            heard.append(reply(*content(client, letter)))
        return tuple(heard)


def content(client: smtplib.SMTP, letter: Letter) -> tuple[int, bytes]:
    """DATA, with line endings as they are in the letter: smtplib would mend them."""
    code, text = client.docmd("DATA")
    if code != 354:
        return code, text
    client.send(letter.content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    return client.getreply()


def reply(code: int, text: bytes) -> str:
    """A reply on one line."""
    return f"{code} {text.decode('ascii', 'replace')}".replace("\n", " / ")


def act(config: Path, outcomes: Sequence[Outcome]) -> list[tuple[str, str]]:
    """What people do with letters that were kept, side by side; each command as one would type it, and what it said."""
    running = []
    for outcome in outcomes:
        if (then := outcome.letter.then) is None:
            continue
        options = ["--as", then.by, "--comment", then.comment, outcome.id]
        command = [sys.executable, "-m", "gateway", then.group, then.do, "-c", str(config.resolve()), *options]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # noqa: S603
        typed = f'mailwarden {then.group} {then.do} -c {shown(config.resolve())} --as {then.by}'
        running.append((f'{typed} --comment "{then.comment}" {outcome.id}', process))
    return [(typed, process.communicate()[0].decode().strip()) for typed, process in running]


def maildir_of(settings: Settings) -> Path:
    """Where mail goes on to."""
    upstream = settings.listeners[0].upstream
    assert upstream
    assert upstream.path
    return upstream.path.resolve()


def instructions(settings: Settings, address: HostPort, log: Path) -> Text:
    """Where everything is, and how to go on."""
    policy, config = shown(settings.policy), shown(HERE / "gateway.yaml")
    lines = {
        "delivered mail": f"{shown(maildir_of(settings))}/new (a maildir, also for the notices)",
        "what is kept": f".venv/bin/mailwarden held list -c {config}; also quarantine, trace",
        "decide": "open the link in the approver's notice above in a browser: it is for one decision",
        "log": f"{shown(log)} (one JSON object for each message; its id is in the reply)",
        "metrics": f"http://{settings.metrics}/metrics, also /healthz and /readyz",
        "policy": f"{policy}: change it, and it is taken at once; mailwarden check {policy}",
        "letters": f"{shown(HERE / 'letters.yaml')}: add one, and run this again",
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
