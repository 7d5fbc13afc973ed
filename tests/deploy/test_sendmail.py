"""A real Sendmail with the snippet of deploy/sendmail before a gateway, on a throwaway machine: its packages exclude
those of Postfix, so it is unpacked there (deploy/setup.sh fetches it into build/sendmail)."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.deploy.machine import Machine

ROOT = Path(__file__).parents[2]
SENDMAIL = ROOT / "build" / "sendmail"

# The site's own part of sendmail.mc; the snippet goes before the mailers, as its manual says.
SITE = """
include(`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(`debian')dnl
define(`confPID_FILE', `/run/sendmail.pid')dnl
define(`confTRUSTED_USER', `root')dnl
define(`confDOMAIN_NAME', `sendmail.example.gov.vn')dnl
define(`SMART_HOST', `relay:[127.0.0.1]')dnl
define(`RELAY_MAILER_ARGS', `TCP $h 2525')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`nocanonify')dnl
FEATURE(`no_default_msa')dnl
RELAY_DOMAIN(`example.gov.vn')dnl
DAEMON_OPTIONS(`Name=MTA, Addr=127.0.0.1, Port=2526')dnl
"""
MAILERS = "MAILER(`local')dnl\nMAILER(`smtp')dnl\n"

SETTINGS = """
listeners: [{name: milter, milter: "inet:127.0.0.1:10027", upstream: "smtp://127.0.0.1:10026"}]
hostname: gate.example.gov.vn
policy: policy.yaml
state: state
"""

UNITS = {
    "gateway": f"{sys.executable} -m gateway serve -c /srv/gateway/gateway.yaml",
    "sendmail": "/usr/libexec/sendmail/sendmail -bD -C /etc/mail/sendmail.cf",
    "sink": "/usr/sbin/smtp-sink -u nobody -d /srv/sunk/%%M.%%S. 127.0.0.1:2525 10",
}


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def machine() -> AsyncIterator[Machine]:
    """A machine with Sendmail, a gateway as its milter, and a next hop that writes what it gets into /srv/sunk."""
    async with Machine() as booted:
        shutil.copytree(SENDMAIL, booted.path("/"), symlinks=True, dirs_exist_ok=True)
        await booted.run("ldconfig")
        await booted.run("useradd", "--system", "smmsp")
        await booted.run("useradd", "--system", "smmta")
        await booted.run("hostname", "sendmail.example.gov.vn")
        await booted.run("mkdir", "-p", "/srv/gateway", "/var/spool/mqueue", "/etc/mail")
        await booted.run("install", "-d", "-o", "nobody", "/srv/sunk")
        for name, text in {
            "/etc/hosts": "127.0.0.1 sendmail.example.gov.vn localhost\n",
            "/etc/nsswitch.conf": "hosts: files\npasswd: files\ngroup: files\n",
            "/etc/resolv.conf": "",
            "/etc/mail/local-host-names": "",
            "/etc/mail/aliases": "",
            "/etc/mail/sendmail.mc": SITE + (ROOT / "deploy/sendmail/mailwarden.mc").read_text() + MAILERS,
            "/srv/gateway/gateway.yaml": SETTINGS,
            "/srv/gateway/policy.yaml": (ROOT / "tests/e2e/policy.yaml").read_text(),
            "/srv/gateway/accounts.csv": (ROOT / "tests/e2e/accounts.csv").read_text(),
            **{
                f"/etc/systemd/system/{name}.service": f"[Service]\nWorkingDirectory={ROOT}\nExecStart={command}\n"
                for name, command in UNITS.items()
            },
        }.items():
            booted.path(name).write_text(text)
        await booted.run("sh", "-c", "cd /usr/share/sendmail/cf/cf && m4 /etc/mail/sendmail.mc >/etc/mail/sendmail.cf")
        await booted.run("systemctl", "start", "sink", "gateway", "sendmail")
        for port in (2525, 10027, 2526, 10026):
            await listens(booted, port)
        yield booted


async def listens(machine: Machine, port: int) -> None:
    """Waits until somebody listens there."""
    async with asyncio.timeout(60):
        while f":{port} " not in await machine.run("ss", "--listening", "--tcp", "--numeric"):
            await asyncio.sleep(0.05)  # nobody tells


async def send(machine: Machine, port: int, *arguments: str) -> list[str]:
    """The replies that a client hears."""
    heard = await machine.run(
        *("swaks", "--server", f"127.0.0.1:{port}", "--helo", "client.example.org", "--timeout", "30"),
        *("--from", "an@example.org", "--to", "binh@example.gov.vn", *arguments),
        fails=True,
    )
    return re.findall(r"^<(?:-|~|\*\*) +(\d{3} .*)$", heard, re.MULTILINE)


def sunk(machine: Machine) -> str:
    """What has reached the next hop."""
    return "".join(path.read_text() for path in machine.path("/srv/sunk").iterdir())


@pytest.mark.asyncio(loop_scope="class")
class TestSendmail:
    async def test_a_letter_arrives_with_our_mark_and_sendmails_queue_id_is_in_the_log(self, machine: Machine) -> None:
        replies = await send(machine, 2526, "--header", "Subject: a-letter")

        assert replies[-2].startswith("250 2.0.0 ")
        async with asyncio.timeout(30):
            while "a-letter" not in sunk(machine):
                await asyncio.sleep(0.05)  # the file is another program's
        assert "X-Mailwarden: action=accept;" in sunk(machine)
        [queue] = re.findall(r'"queue": "(\w+)"', machine.log)
        assert queue in replies[-2]

    async def test_a_program_is_refused_in_the_rules_own_words(self, machine: Machine) -> None:
        attached = ("--attach-type", "application/octet-stream", "--attach-name", "a.exe", "--attach", "MZ")

        replies = await send(machine, 2526, *attached)

        assert re.match(r"550 5\.7\.1 .*No programs by mail.*\[id [0-9A-Z]{18}\]", replies[-2])

    async def test_a_closed_mailbox_is_refused_before_the_content(self, machine: Machine) -> None:
        replies = await send(machine, 2526, "--to", "closed@example.gov.vn")

        assert replies[-2].startswith("550 5.2.1 ")

    async def test_released_mail_comes_in_without_the_milter(self, machine: Machine) -> None:
        before = machine.log.count('"event": "message"')

        replies = await send(machine, 10026, "--header", "Subject: released")

        assert replies[-2].startswith("250 2.0.0 ")
        assert machine.log.count('"event": "message"') == before

    async def test_without_the_gateway_senders_hear_451(self, machine: Machine) -> None:
        """The last of the class."""
        await machine.run("systemctl", "stop", "gateway")

        replies = await send(machine, 2526)

        assert replies[-2].startswith("451 4.")


def test_the_snippet_never_lets_mail_pass_unseen() -> None:
    snippet = (ROOT / "deploy/sendmail/mailwarden.mc").read_text()
    assert "F=T" in snippet
    assert os.access(SENDMAIL / "usr/libexec/sendmail/sendmail", os.X_OK)
