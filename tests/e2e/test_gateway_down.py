"""The gateway is not there: nobody's mail is lost, and none goes past it."""

from __future__ import annotations

import pytest

from tests.e2e.clients import swaks
from tests.e2e.ports import free_port
from tests.e2e.postfix import Postfix, with_ports
from tests.e2e.ways import ONE_BY_ONE, snippets
from tests.faults import FakeHop


@pytest.mark.parametrize("way", ["before-queue", "before-queue-speed-adjust", "after-queue"])
async def test_mail_waits_at_its_sender_or_in_the_queue(way: str) -> None:
    main, master = snippets(way)
    front, nobody, back = free_port(), free_port(), free_port()
    ports = {"smtp": front, "10026": back}
    if way == "after-queue":
        main = with_ports(main, {"10025": nobody})
    else:
        ports["10025"] = nobody
    async with FakeHop(offers=ONE_BY_ONE) as hop:
        last = hop.address[1]
        assert isinstance(last, int)
        async with Postfix(main=main, master=with_ports(master, ports), hop=last) as postfix:
            replies = await swaks(front)

            if way == "after-queue":
                assert replies[-2].startswith("250 ")
                await postfix.logged(r"to=<binh@example\.gov\.vn>.*status=deferred")
                assert len(await postfix.queue()) == 1
            else:
                assert any(reply.startswith("451 4.3.0 ") for reply in replies)
                assert await postfix.queue() == []
            assert hop.taken == []
