"""What many tests need: a gateway of this process on free loopback ports, with the test's policy and next hop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
import structlog
import trustme
import yaml

from gateway.app import Gateway
from gateway.config import load_settings
from gateway.policy.load import load

PLAIN_POLICY = "version: 1\norganisation: {domains: [example.gov.vn]}\nrules: []\n"


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """A command that a test runs in this process sets up logging for itself: it must not last."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority of this run."""
    return trustme.CA()


@pytest.fixture(scope="session")
def certificate(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The `tls` setting of a listener: a certificate of the authority for 127.0.0.1, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    issued = authority.issue_cert("127.0.0.1", "mx.example.gov.vn")
    issued.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    return {"certificate": str(folder / "certificate.pem"), "key": str(folder / "key.pem")}


class Start(Protocol):
    """Starts a gateway in front of a next hop."""

    def __call__(
        self,
        upstream: tuple[str, int] | str,
        *,
        policy: str = ...,
        listener: dict[str, Any] | None = None,
        limits: dict[str, Any] | None = None,
        **settings: Any,
    ) -> Any: ...


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """`async with start(hop.address, policy=TEXT) as gateway:`; its port is `gateway.addresses["inbound"]`."""

    @asynccontextmanager
    async def starting(
        upstream: tuple[str, int] | str,
        *,
        policy: str = PLAIN_POLICY,
        listener: dict[str, Any] | None = None,
        limits: dict[str, Any] | None = None,
        **settings: Any,
    ) -> AsyncIterator[Gateway]:
        (tmp_path / "policy.yaml").write_text(policy)
        hop = upstream if isinstance(upstream, str) else f"smtp://{upstream[0]}:{upstream[1]}"
        document = {
            "listeners": [{"name": "inbound", "smtp": "127.0.0.1:0", "upstream": hop, **(listener or {})}],
            "policy": "policy.yaml",
            "state": "state",
            "hostname": "mx.example.gov.vn",
            "drain": 5,
            "limits": limits or {},
            **settings,
        }
        (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(document, allow_unicode=True))
        configured = load_settings(tmp_path / "gateway.yaml")
        gateway = Gateway(configured, load(configured.policy))
        async with gateway.running():
            yield gateway

    return starting
