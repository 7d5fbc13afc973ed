"""Sockets: those that were given are taken by name or address, the others are opened, and none is left open in vain."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from gateway.config import Settings, read_settings
from gateway.sockets import close, open_sockets


def settings(folder: Path, port: int = 0) -> Settings:
    text = f"""
listeners:
  - {{name: inbound, smtp: "127.0.0.1:{port}", upstream: "smtp://127.0.0.1:10026"}}
  - {{name: milter, milter: "unix:milter.sock"}}
policy: policy.yaml
state: state
"""
    return read_settings(text, str(folder / "gateway.yaml"), {}, Path.read_text)


def test_what_is_not_given_is_opened(tmp_path: Path) -> None:
    opened = open_sockets(settings(tmp_path))
    assert set(opened) == {"@inbound", "@milter"}
    assert opened["@inbound"].getsockname()[1] > 0
    assert (tmp_path / "milter.sock").is_socket()
    close(opened.values())


@pytest.mark.parametrize("name", ["inbound", "", "some-other-name"])
def test_what_is_given_is_taken_by_name_or_by_address(tmp_path: Path, name: str) -> None:
    given, stray = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
    opened = open_sockets(settings(tmp_path, given.getsockname()[1]), [("stray", stray), (name, given)])
    assert opened["@inbound"] is given
    assert not given.getblocking()
    assert stray.fileno() == -1, "nobody would take its connections"
    close(opened.values())


def test_where_one_cannot_be_had_none_stays_open(tmp_path: Path) -> None:
    given = socket.create_server(("127.0.0.1", 0))
    (tmp_path / "milter.sock").write_text("no socket")
    with pytest.raises(OSError, match="in use"):
        open_sockets(settings(tmp_path), [("inbound", given)])
    assert given.fileno() == -1
