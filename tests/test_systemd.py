"""What systemd hands over and hears: sd_listen_fds(3), sd_notify(3)."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from gateway.systemd import Notifier, inherited, watched

NOT_FOR_US = {
    "nothing": {},
    "another process": {"LISTEN_FDS": "1", "LISTEN_PID": "1"},
    "no number": {"LISTEN_FDS": "x", "LISTEN_PID": str(os.getpid())},
    "none": {"LISTEN_FDS": "0", "LISTEN_PID": str(os.getpid())},
}


@pytest.mark.parametrize("variables", NOT_FOR_US.values(), ids=NOT_FOR_US)
def test_no_sockets_are_taken_that_are_not_for_us(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert inherited() == []
    assert not {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"} & os.environ.keys(), "children are not meant"


async def heard(hearing: socket.socket) -> str:
    async with asyncio.timeout(10):
        return (await asyncio.get_running_loop().sock_recv(hearing, 4096)).decode()


@pytest.mark.parametrize("abstract", [False, True])
async def test_everything_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, abstract: bool) -> None:
    address = f"@mailwarden-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
        hearing.bind(f"\0{address[1:]}" if abstract else address)
        hearing.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        notifier = Notifier()
        assert "NOTIFY_SOCKET" not in os.environ
        notifier.ready("all is well")
        assert await heard(hearing) == "READY=1\nSTATUS=all is well"
        notifier.reloading()
        assert (await heard(hearing)).startswith("RELOADING=1\nMONOTONIC_USEC=")
        notifier.stopping("draining")
        assert await heard(hearing) == "STOPPING=1\nSTATUS=draining"
        notifier.status("2 workers")
        assert await heard(hearing) == "STATUS=2 workers"


async def test_the_watchdog_hears_of_us_while_we_are_well(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
        hearing.bind(str(tmp_path / "notify"))
        hearing.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "30000")
        trouble = ["stuck", "stuck", ""]
        async with watched(Notifier(), lambda: trouble.pop(0) if len(trouble) > 1 else trouble[0]):
            assert await heard(hearing) == "WATCHDOG=1"
        assert trouble == [""]


def test_nobody_listens_and_nothing_happens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Notifier().ready("nobody hears")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    Notifier().ready("nobody hears")


def test_a_watchdog_of_another_process_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert Notifier().watchdog == 0
