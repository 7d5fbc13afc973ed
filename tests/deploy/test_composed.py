"""Gateway and Postfix with the very files of deploy/container, put together on a throwaway machine: names and addresses
are those of the compose file's network. What the images would add, an operating system around each, is not tried."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from tests.deploy.machine import Machine

ROOT = Path(__file__).parents[2]
CONTAINER = ROOT / "deploy" / "container"
PUBLIC = "postfix:25"
ENVIRONMENT = yaml.safe_load((CONTAINER / "compose.yaml").read_text())["services"]["postfix"]["environment"] | {
    "MYHOSTNAME": "mail.example.gov.vn",
    "RELAY_DOMAINS": "example.gov.vn",
    "RELAY": "[127.0.0.1]:2525",
    "SNIPPETS": str(ROOT / "deploy/postfix"),
}
UNITS = {
    "gateway": f"WorkingDirectory={ROOT}\n"
    f"ExecStart={sys.executable} -m gateway serve -c /etc/mailwarden/gateway.yaml\n",
    "postfix": "".join(f'Environment="{name}={value}"\n' for name, value in ENVIRONMENT.items())
    + f"ExecStart={CONTAINER}/postfix.sh start\n",
    "sink": "ExecStart=/usr/sbin/smtp-sink -u nobody -d /srv/sunk/%%M.%%S. 127.0.0.1:2525 10\n",
}


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def machine() -> AsyncIterator[Machine]:
    """A machine that is both containers, each at its address of the compose file's network."""
    async with Machine() as booted:
        for address in ("172.30.77.2", "172.30.77.3"):
            await booted.run("ip", "address", "add", f"{address}/24", "dev", "lo")
        await booted.run("install", "-d", "-o", "nobody", "/srv/sunk")
        await booted.run("mkdir", "-p", "/etc/mailwarden")
        for name, text in {
            "/etc/hosts": "127.0.0.1 localhost\n172.30.77.2 gateway\n172.30.77.3 postfix\n",
            "/etc/nsswitch.conf": "hosts: files\npasswd: files\ngroup: files\n",
            "/etc/resolv.conf": "",
            **{f"/etc/systemd/system/{name}.service": f"[Service]\n{lines}" for name, lines in UNITS.items()},
        }.items():
            booted.path(name).write_text(text)
        shutil.copy(CONTAINER / "gateway.yaml", booted.path("/etc/mailwarden/gateway.yaml"))
        for name in ("policy.yaml", "accounts.csv"):
            shutil.copy(ROOT / "tests/e2e" / name, booted.path("/etc/mailwarden") / name)
        await booted.run("systemctl", "start", *UNITS)
        async with asyncio.timeout(120):
            while (await greeting(booted), await ready(booted)) != ("220", "ok"):
                await asyncio.sleep(0.1)  # as an orchestrator asks
        yield booted


async def greeting(machine: Machine) -> str:
    """The code that Postfix greets a client with; the last line of what went wrong before it does."""
    talk = "import socket; print(socket.create_connection(('postfix', 25), 10).recv(3).decode())"
    return (await machine.run("python3", "-c", talk, fails=True)).strip().rpartition("\n")[2]


async def ready(machine: Machine) -> str:
    """What /readyz says."""
    page = "import urllib.request as r; print(r.urlopen('http://gateway:9108/readyz').read().decode().strip())"
    return (await machine.run("python3", "-c", page, fails=True)).strip()


@pytest.mark.asyncio(loop_scope="class")
class TestComposed:
    async def test_a_letter_goes_through_both_to_the_mailboxes(self, machine: Machine) -> None:
        assert (await machine.send(PUBLIC, "--header", "Subject: through")).startswith("250 2.")

        async with asyncio.timeout(60):
            while not (arrived := [path.read_text() for path in machine.path("/srv/sunk").iterdir()]):
                await asyncio.sleep(0.1)  # the file is another program's
        assert "X-Mailwarden: action=accept;" in arrived[0]
        [line] = re.findall(r'"client": "([^"]*)"', machine.log)
        assert line.startswith("172.30.77.")  # the client's own, by XFORWARD, since the network is trusted

    async def test_a_program_is_refused_as_postfixs_own_answer(self, machine: Machine) -> None:
        attached = ("--attach-type", "application/octet-stream", "--attach-name", "a.exe", "--attach", "MZ")

        assert re.match(r"550 5\.7\.1 .*No programs by mail", await machine.send(PUBLIC, *attached))

    async def test_postfixs_health_is_what_its_image_asks(self, machine: Machine) -> None:
        await machine.run(f"{CONTAINER}/postfix.sh", "check")

    async def test_strangers_relay_nothing(self, machine: Machine) -> None:
        assert (await machine.send(PUBLIC, "--to", "someone@example.com")).startswith("454 4.7.1 ")
