"""Gateways behind a real HAProxy, with the files of deploy/haproxy: the client's address, and a gateway that goes."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import re
import signal
import smtplib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from tests.e2e.ports import free_port
from tests.e2e.postfix import PATIENCE, run
from tests.e2e.service import Service
from tests.faults import FakeHop

HAPROXY = Path(__file__).parents[2] / "deploy" / "haproxy"
CLIENT = "127.0.0.9"
"""The whole network 127.0.0.0/8 is this machine: a client whose address is not the proxy's."""


async def test_haproxy_takes_the_configuration() -> None:
    said = await run("/usr/sbin/haproxy", "-c", "-f", str(HAPROXY / "haproxy.cfg"))

    assert "valid" in said
    assert "WARNING" not in said


@dataclass
class Cluster:
    """`port` is HAProxy's public one, `inner` are those of the gateways."""

    port: int
    inner: list[int]
    gateways: list[Service]
    hop: FakeHop
    control: Path

    async def send(self, mark: str, source: str = CLIENT) -> None:
        """Sends a message from that address. Raises smtplib.SMTPException if it is not taken."""

        def speak() -> None:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=PATIENCE, source_address=(source, 0)) as client:
                client.sendmail("an@example.org", ["binh@example.gov.vn"], f"Subject: {mark}\r\n\r\nHello.\r\n")

        await asyncio.to_thread(speak)

    async def tell(self, order: str) -> str:
        """What HAProxy says to an order by its control socket."""
        reader, writer = await asyncio.open_unix_connection(str(self.control))
        writer.write(order.encode() + b"\n")
        said = (await reader.read()).decode()
        writer.close()
        return said.strip()

    async def health(self, server: str, wanted: str) -> None:
        """Waits until HAProxy's checks of a server say UP or DOWN."""

        async def state() -> str:
            rows = csv.DictReader((await self.tell("show stat")).splitlines())
            return next(row["status"] for row in rows if row["svname"] == server)

        async with asyncio.timeout(PATIENCE):
            while not (await state()).startswith(wanted):
                await asyncio.sleep(0.05)  # it tells nobody


@asynccontextmanager
async def standing(folder: Path) -> AsyncIterator[Cluster]:
    """HAProxy, two gateways and their next hop."""
    front, status, inner = free_port(), free_port(), [free_port(), free_port()]
    async with FakeHop() as hop:
        upstream = f"smtp://127.0.0.1:{hop.address[1]}"
        first, second = (Service(folder / str(port), {"listeners": [listener(port, upstream)]}) for port in inner)
        async with first, second:
            text = (HAPROXY / "haproxy.cfg").read_text()
            text = re.sub(r"bind :25\b", f"bind 127.0.0.1:{front}", text)
            text = re.sub(r"bind 127\.0\.0\.1:8404", f"bind 127.0.0.1:{status}", text)
            text = text.replace(" inter 2s ", " inter 300ms ")
            text = text.replace("/run/haproxy/admin.sock mode", f"{folder}/admin.sock mode")
            for number, (gateway, port) in enumerate(zip((first, second), inner, strict=True), 1):
                server = rf"server gate{number} \S+"
                text, count = re.subn(server, f"server gate{number} 127.0.0.1:{port} port {gateway.metrics}", text)
                assert count == 1
            (folder / "haproxy.cfg").write_text(text)
            process = await asyncio.create_subprocess_exec(
                *("/usr/sbin/haproxy", "-db", "-q", "-f", str(folder / "haproxy.cfg")), stdin=asyncio.subprocess.DEVNULL
            )
            try:
                await listens(front)
                yield Cluster(front, inner, [first, second], hop, folder / "admin.sock")
            finally:
                process.kill()
                await process.wait()


def listener(port: int, upstream: str) -> dict[str, Any]:
    """The listener of deploy/haproxy/gateway.yaml, with its addresses replaced."""
    [own] = yaml.safe_load((HAPROXY / "gateway.yaml").read_text())["listeners"]
    assert own["proxy_protocol"]
    return own | {"smtp": f"127.0.0.1:{port}", "upstream": upstream, "trusted": ["127.0.0.1/32"]}


async def listens(port: int) -> None:
    """Waits until somebody listens: HAProxy tells nobody when it does."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with socket.socket() as attempt:
                attempt.setblocking(False)
                try:
                    await asyncio.get_running_loop().sock_connect(attempt, ("127.0.0.1", port))
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    return


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    async with standing(tmp_path_factory.mktemp("haproxy")) as up:
        yield up


@pytest.mark.asyncio(loop_scope="class")
class TestHaproxy:
    async def test_the_clients_own_address_is_known_to_the_gateway(self, cluster: Cluster) -> None:
        await cluster.send("address")

        waiting = [asyncio.create_task(each.said("message", client=CLIENT)) for each in cluster.gateways]
        done, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        assert [(await task)["action"] for task in done] == ["accept"]

    async def test_connections_are_shared(self, cluster: Cluster) -> None:
        held = [await asyncio.open_connection("127.0.0.1", cluster.port) for _ in range(2)]
        try:
            for reader, _ in held:
                assert (await reader.readline()).startswith(b"220 ")
            text = [(await gateway.page("/metrics"))[1] for gateway in cluster.gateways]
        finally:
            for _, writer in held:
                writer.close()

        assert ['mailwarden_sessions{listener="inbound"} 1.0' in each for each in text] == [True, True]

    async def test_who_is_not_trusted_cannot_pretend_by_proxy(self, cluster: Cluster) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", cluster.inner[0], local_addr=(CLIENT, 0))
        writer.write(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\nEHLO client.example.org\r\n")

        heard = b""
        with contextlib.suppress(ConnectionResetError):  # it hangs up on what it has not read
            heard = await reader.read()

        writer.close()
        assert not heard.startswith(b"220")

    async def test_a_gateway_that_is_taken_out_before_it_stops_is_not_noticed(self, cluster: Cluster) -> None:
        await cluster.health("gate1", "UP")
        assert await cluster.tell("set server gateways/gate1 state drain") == ""
        stop = asyncio.create_task(self.stop(cluster.gateways[0]))
        await asyncio.gather(*(cluster.send(f"drained-{number}") for number in range(8)))
        await stop

        await asyncio.gather(*(cluster.send(f"stopped-{number}") for number in range(8)))

        assert len(self.arrived(cluster, rb"(?:drained|stopped)-\d")) == 16
        await cluster.tell("set server gateways/gate1 state ready")

    async def test_a_gateway_that_is_not_there_costs_nobody_his_connection(self, cluster: Cluster) -> None:
        await asyncio.gather(*(cluster.send(f"gone-{number}") for number in range(8)))

        assert len(self.arrived(cluster, rb"gone-\d")) == 8
        await cluster.health("gate1", "DOWN")

    @staticmethod
    async def stop(gateway: Service) -> None:
        gateway.signal(signal.SIGTERM)
        assert await gateway.ended() == 0

    @staticmethod
    def arrived(cluster: Cluster, pattern: bytes) -> set[bytes]:
        """The subjects of that pattern that reached the next hop, each once."""
        found = re.findall(rb"Subject: (" + pattern + rb")\b", b"".join(taken.content for taken in cluster.hop.taken))
        assert len(found) == len(set(found))
        return set(found)
