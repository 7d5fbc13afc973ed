"""A next hop that refuses, hangs up or says nothing, behind real Postfix: nothing is lost, and nobody is lied to.

The gateway's own table of faults is `tests/smtp/test_upstream.py`; here is what Postfix makes of its answers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.clients import swaks
from tests.e2e.ports import free_port
from tests.e2e.postfix import Postfix, with_ports
from tests.e2e.service import Service
from tests.e2e.ways import ONE_BY_ONE, Way, listener, snippets
from tests.faults import FakeHop

SHORT = {"limits": {"upstream_connect": "1s", "upstream_reply": "1s"}, "deadline": "2s"}
"""The gateway's waits for its next hop, so that a hop that hangs costs the tests seconds, not a minute."""

FAULTS = {
    "it turns connections away for now": ("greeting", "4xx", 451),
    "it turns connections away for good": ("greeting", "5xx", 451),
    "it hangs up at once": ("greeting", "close", 451),
    "it says nothing at all": ("greeting", "hang", 451),
    "it refuses the sender for now": ("mail", "4xx", 451),
    "it refuses the sender for good": ("mail", "5xx", 554),
    "it refuses the recipient for now": ("rcpt", "4xx", 451),
    "it refuses the recipient for good": ("rcpt", "5xx", 554),
    "it hangs up at the recipient": ("rcpt", "close", 451),
    "it says nothing to the recipient": ("rcpt", "hang", 451),
    "it refuses the content for now": ("data", "4xx", 451),
    "it refuses the content for good": ("data", "5xx", 554),
    "it refuses the message for now": ("eod", "4xx", 451),
    "it refuses the message for good": ("eod", "5xx", 554),
    "it hangs up after the message": ("eod", "close", 451),
    "it says nothing after the message": ("eod", "hang", 451),
    "it answers nonsense": ("eod", "garbage", 451),
}


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Way]:
    """Postfix and the gateway in front of one hop, without a second Postfix between them: the hop's answer counts."""
    name = request.cls.NAME
    front, inner, back = free_port(), free_port(), free_port()
    async with FakeHop() as hop, FakeHop(offers=ONE_BY_ONE) as for_bounces:
        upstream, others = hop.address[1], for_bounces.address[1]
        assert isinstance(upstream, int)
        assert isinstance(others, int)
        settings = {"listeners": [listener(inner, upstream)], **SHORT}
        async with Service(tmp_path_factory.mktemp("gateway"), settings) as service:
            main, master = snippets(name)
            ports = {"smtp": front, "10026": back}
            if name == "after-queue":
                main = with_ports(main, {"10025": inner})
            else:
                ports["10025"] = inner
            async with Postfix(main=main, master=with_ports(master, ports), hop=others) as postfix:
                yield Way(name, front, hop, service, postfix, inline=name != "after-queue")


@pytest.fixture
def fault(request: pytest.FixtureRequest, way: Way) -> int:
    """Puts the fault in place: the code that a client must hear."""
    stage, kind, code = FAULTS[request.param]
    behave(way, {stage: kind})
    way.hop.taken.clear()
    return code


def behave(way: Way, faults: dict[str, str]) -> None:
    """What the hop does from now on; its open connections would go on as before."""
    way.hop.faults = faults
    way.hop.hang_up()


every_fault = pytest.mark.parametrize("fault", FAULTS, ids=FAULTS, indirect=True)


@pytest.mark.asyncio(loop_scope="class")
class TestBeforeQueue:
    NAME = "before-queue"

    @every_fault
    async def test_the_client_hears_it(self, way: Way, fault: int, mark: str) -> None:
        replies = await swaks(way.port, "--header", f"Subject: {mark}")

        assert int(replies[-2][:3]) == fault
        assert not way.hop.taken

        behave(way, {})
        await swaks(way.port, "--header", f"Subject: {mark}")
        assert len(await way.arrived(mark)) == 1


@pytest.mark.asyncio(loop_scope="class")
class TestAfterQueue:
    NAME = "after-queue"

    @every_fault
    async def test_postfix_keeps_it_or_tells_the_sender(self, way: Way, fault: int, mark: str) -> None:
        assert way.postfix
        replies = await swaks(way.port, "--header", f"Subject: {mark}", "--header", f"Message-ID: <{mark}@example.org>")
        assert replies[-2].startswith("250 ")

        outcome = "deferred" if fault == 451 else "bounced"
        queue_id = (await way.postfix.logged(rf"(\w+): message-id=<{mark}@example\.org>"))[1]
        await way.postfix.logged(rf"{queue_id}: to=<binh@example\.gov\.vn>.*status={outcome}")

        behave(way, {})
        if outcome == "deferred":
            assert [message["queue_id"] for message in await way.postfix.queue()] == [queue_id]
            await way.postfix.command("postqueue", "-f")
            [taken] = await way.arrived(mark)
            assert taken.mail.startswith(b"MAIL FROM:<an@example.org>")
        else:
            await way.postfix.logged(rf"{queue_id}: sender non-delivery notification: \w+")
        await way.postfix.logged(rf"{queue_id}: removed")
