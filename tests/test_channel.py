"""The way between the supervisor and a worker: sockets go over it, and messages both ways, until one end is gone."""

from __future__ import annotations

import asyncio
import socket

import pytest

from gateway.channel import Channel, Gone, welcome, welcomed


def test_the_sockets_arrive_with_their_names() -> None:
    ours, theirs = socket.socketpair()
    first, second = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    with ours, theirs, first, second:
        welcome(ours, {"@inbound": first, "page": second}, policy="abc")
        sockets, facts = welcomed(theirs)
        assert facts["policy"] == "abc"
        assert {name: each.getsockname() for name, each in sockets.items()} == {
            "@inbound": first.getsockname(),
            "page": second.getsockname(),
        }
        for each in sockets.values():
            assert not each.get_inheritable()
            each.close()


def test_a_supervisor_that_is_gone_welcomes_nobody() -> None:
    ours, theirs = socket.socketpair()
    ours.close()
    with theirs, pytest.raises(Gone):
        welcomed(theirs)


async def test_messages_arrive_until_the_other_end_is_gone() -> None:
    ours, theirs = await asyncio.gather(*map(Channel.over, socket.socketpair()))
    ours.say("lessons", lessons=[["rate", [1.5, "ü"]]])
    ours.offer("save")
    heard = theirs.messages()
    line, message = await anext(heard)
    assert message == {"kind": "lessons", "lessons": [["rate", [1.5, "ü"]]]}
    theirs.pass_on(line)
    assert (await anext(ours.messages()))[1] == message
    assert (await anext(heard))[1] == {"kind": "save"}
    await ours.close()
    assert [each async for each in heard] == []
    await theirs.close()


async def test_who_does_not_read_does_not_fill_our_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.channel.UNREAD", 100_000)
    ours, theirs = await asyncio.gather(*map(Channel.over, socket.socketpair()))
    for _ in range(1_000):
        ours.offer("lessons", lessons="x" * 10_000)
    assert ours._writer.transport.get_write_buffer_size() < 200_000
    theirs._writer.close()
    ours._writer.close()
