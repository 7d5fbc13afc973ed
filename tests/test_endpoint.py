"""Addresses and next hops, as the settings write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.endpoint import HostPort, UnixSocket, Upstream, UpstreamKind, is_host_name
from gateway.errors import ConfigurationError
from gateway.schema.reader import load

ADDRESSES = {
    "127.0.0.1:25": HostPort("127.0.0.1", 25),
    "inet:127.0.0.1:10027": HostPort("127.0.0.1", 10027),
    "[::1]:25": HostPort("::1", 25),
    "mail.example.org:65535": HostPort("mail.example.org", 65535),
    "localhost:0": HostPort("localhost", 0),
    "unix:/run/a.sock": UnixSocket(Path("/run/a.sock")),
    "unix:a.sock": UnixSocket(Path("etc/a.sock")),
}

BAD_ADDRESSES = [
    "", ":25", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:2５", "127.0.0.1:25 ",
    "127.1:25", "0127.0.0.1:25", "1.2.3.4.5:25", "::1:25", "[::1]", "[127.0.0.1]:25", "[::1%eth0]:25", "[::g]:25",
    "*:25", "-a.example.org:25", "a_b:25", "a..b:25", "a.example.org.:25", "đ.vn:25", "unix:", "unix", "inet:", "25",
    "http://a:25", "a" * 64 + ":25", "a." * 130 + "org:25",
]  # fmt: skip

UPSTREAMS = {
    "smtp://127.0.0.1:10026": Upstream(UpstreamKind.SMTP, HostPort("127.0.0.1", 10026)),
    "smtp://mail.example.org": Upstream(UpstreamKind.SMTP, HostPort("mail.example.org", 25)),
    "smtp://[2001:db8::1]/": Upstream(UpstreamKind.SMTP, HostPort("2001:db8::1", 25)),
    "lmtp://127.0.0.1": Upstream(UpstreamKind.LMTP, HostPort("127.0.0.1", 24)),
    "lmtp+unix:///run/lmtp": Upstream(UpstreamKind.LMTP, UnixSocket(Path("/run/lmtp"))),
    "lmtp://unix:/run/lmtp": Upstream(UpstreamKind.LMTP, UnixSocket(Path("/run/lmtp"))),
    "maildir:/var/mail/in": Upstream(UpstreamKind.MAILDIR, path=Path("/var/mail/in")),
    "maildir:mail": Upstream(UpstreamKind.MAILDIR, path=Path("etc/mail")),
}

BAD_UPSTREAMS = [
    "", "smtp:", "smtp://", "smtp://:25", "smtp://a:0", "smtp://a:65536", "smtp://a:b", "smtp://a/b", "smtp://u@a:25",
    "smtps://a:465", "SMTP://a:25", "a:25", "lmtp+unix://", "lmtp://unix:", "maildir:", "smtp+unix:///a", "maildir://",
    "smtp://[::1:25", "smtp://a:25?tls=off",
]  # fmt: skip


def read(text: str, wanted: type) -> object:
    quoted = text.replace("'", "''")
    return load(f"'{quoted}'", "etc/gateway.yaml", wanted)


@pytest.mark.parametrize(("text", "value"), ADDRESSES.items())
def test_addresses(text: str, value: object) -> None:
    assert read(text, HostPort | UnixSocket) == value  # type: ignore[arg-type]
    assert read(str(value), HostPort | UnixSocket) in (value, UnixSocket(Path("etc") / str(value)[5:]))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", BAD_ADDRESSES)
def test_bad_addresses(text: str) -> None:
    with pytest.raises(ConfigurationError, match="must be host and port such as"):
        read(text, HostPort | UnixSocket)  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "value"), UPSTREAMS.items())
def test_upstreams(text: str, value: Upstream) -> None:
    assert read(text, Upstream) == value


@pytest.mark.parametrize("value", [value for text, value in UPSTREAMS.items() if text != "maildir:mail"], ids=str)
def test_an_upstream_is_written_as_it_is_read(value: Upstream) -> None:
    assert read(str(value), Upstream) == value


@pytest.mark.parametrize("text", [text for text in BAD_UPSTREAMS if text != "maildir://"])
def test_bad_upstreams(text: str) -> None:
    with pytest.raises(ConfigurationError, match="the file must be one of"):
        read(text, Upstream)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])) | st.text("smtp:/[]0123456789.unix-"))
def test_any_text_is_an_endpoint_or_a_problem(text: str) -> None:
    for wanted in (HostPort, UnixSocket, Upstream):
        try:
            value = read(text, wanted)
        except ConfigurationError:
            continue
        assert isinstance(value, wanted)


HOST_NAMES = {
    "localhost": True, "mx1.example.org": True, "3com.example": True, "xn--abc.vn": True, "a-b.c": True,
    "": False, "-a": False, "a-": False, "a_b": False, "a..b": False, "a.": False, ".a": False, "10.0.0.1": False,
    "đ.vn": False, "a b": False, "a\n": False, "a" * 64: False, ".".join(["a" * 50] * 6): False,
}  # fmt: skip


@pytest.mark.parametrize(("text", "valid"), HOST_NAMES.items())
def test_host_names(text: str, valid: bool) -> None:
    assert is_host_name(text) is valid
