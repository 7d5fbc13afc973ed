"""The doctor finds out who answers at the next hop and at our own addresses."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.doctor.model import State
from gateway.doctor.network import listeners, next_hops, resolver
from gateway.doctor.programs import NotThere, output_of
from tests.conftest import Start
from tests.doctor.conftest import Made, lines
from tests.faults import FakeHop

FULL = ("PIPELINING", "SIZE 60000000", "8BITMIME", "SMTPUTF8")
LACKING: dict[str, tuple[tuple[str, ...], str]] = {
    "all that is needed": (FULL, ""),
    "no limit": (("SIZE 0", "8BITMIME", "SMTPUTF8"), ""),
    "a small limit": (("SIZE 1000000", "8BITMIME", "SMTPUTF8"), "takes 1,000,000 octets"),
    "no 8BITMIME": (("SMTPUTF8",), "8BITMIME"),
    "no SMTPUTF8": (("8BITMIME",), "SMTPUTF8"),
}


@pytest.mark.parametrize(("offers", "lacks"), LACKING.values(), ids=LACKING)
async def test_what_a_next_hop_offers(patient: Made, offers: tuple[str, ...], lacks: str) -> None:
    async with FakeHop(offers=offers) as hop:
        host, port = hop.address
        [line] = await lines(next_hops, patient(upstream=f"smtp://{host}:{port}"))
    assert (line.state, lacks in line.seen) == (State.WARN if lacks else State.OK, True)
    assert hop.taken == []


async def test_an_lmtp_hop_on_a_socket(patient: Made, tmp_path: Path) -> None:
    async with FakeHop(offers=FULL, lmtp=True, unix=str(tmp_path / "lmtp")):
        [line] = await lines(next_hops, patient(upstream=f"lmtp+unix://{tmp_path}/lmtp"))
    assert line.state is State.OK


@pytest.mark.parametrize("fault", ["refuse", "garbage", "cut"])
async def test_a_next_hop_in_trouble(patient: Made, fault: str) -> None:
    async with FakeHop(faults={"greeting": fault}) as hop:
        host, port = hop.address
        found = await lines(next_hops, patient(upstream=f"smtp://{host}:{port}"))
    assert [line.state for line in found] == [State.FAIL]


async def test_nobody_at_the_next_hop(patient: Made) -> None:
    [line] = await lines(next_hops, patient(upstream="smtp://127.0.0.1:1"))
    assert (line.state, bool(line.advice)) == (State.FAIL, True)


async def test_a_running_gateway_is_ours_and_a_strangers_port_is_not(patient: Made, start: Start) -> None:
    async with FakeHop() as hop, start(hop.address) as gateway:
        host, port = gateway.addresses["inbound"]
        [line] = await lines(listeners, patient(listener={"smtp": f"{host}:{port}"}))
        assert (line.state, line.seen.endswith("answers: ours")) == (State.OK, True)
        host, port = hop.address
        [line] = await lines(listeners, patient(listener={"smtp": f"{host}:{port}"}))
        assert (line.state, "another program" in line.seen) == (State.FAIL, True)


async def test_free_and_impossible_addresses(patient: Made, tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    [line] = await lines(listeners, patient(listener={"smtp": f"127.0.0.1:{port}"}))
    assert (line.state, "is free" in line.seen) == (State.OK, True)
    [line] = await lines(listeners, patient(listener={"smtp": "203.0.113.1:25"}))
    assert line.state is State.FAIL
    [line] = await lines(listeners, patient(listener={"smtp": f"unix:{tmp_path}/socket"}))
    assert line.state is State.OK


async def test_the_resolver_has_one_line_whatever_it_says(patient: Made) -> None:
    [line] = await lines(resolver, patient())
    assert line.about == "DNS"


async def test_programs_that_are_not_there_or_fail_are_told_of() -> None:
    assert await output_of("echo", "yes") == "yes\n"
    for words in (("no-such-program",), ("false",), ("ls", "/no-such-folder")):
        with pytest.raises(NotThere, match=words[0]):
            await output_of(*words)
