"""Promise 16, for what stands in the message: neither Authentication-Results nor Received of a stranger are believed.
XCLIENT, XFORWARD and PROXY are in `test_limits.py` and `tests/dialogs/`, trusted and other sealers in
`tests/filters/sender_auth/`, logins in `tests/e2e/test_submission.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Start
from tests.engines.daemons import Running, dnsmasq
from tests.faults import FakeHop
from tests.test_app import send

PACK = Path(__file__).parents[2] / "policies" / "packs" / "sender-auth.yaml"

CHECKED = """
version: 1
extends: [{pack}]
organisation: {{domains: [example.gov.vn], networks: [10.0.0.0/8], officers: [cntt@example.gov.vn]}}
filters: {{sender_auth: {{nameservers: ["127.0.0.1:{port}"]}}}}
"""

RESULTS = {
    "in our name": "Authentication-Results: example.gov.vn; dmarc=pass header.from=example.gov.vn",
    "in capitals": "AUTHENTICATION-RESULTS: EXAMPLE.GOV.VN; dmarc=pass header.from=example.gov.vn",
    "behind a comment": "Authentication-Results: (ours) example.gov.vn (1) 1; dmarc=pass header.from=example.gov.vn",
    "folded": "Authentication-Results:\n example.gov.vn;\n\tdmarc=pass\n header.from=example.gov.vn",
    "with a space before the colon": "Authentication-Results : example.gov.vn; dmarc=pass",
    "in another's name": "Authentication-Results: mx.example.net; dmarc=pass header.from=example.gov.vn",
    "twice": "Authentication-Results: a.example; spf=pass\nAuthentication-Results: example.gov.vn; dmarc=pass",
    "sealed by nobody": "ARC-Authentication-Results: i=1; example.gov.vn; dmarc=pass header.from=example.gov.vn",
}


@pytest.fixture(scope="module")
def nameserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One that knows that nobody sends for example.gov.vn from here."""
    records = ("--txt-record=example.gov.vn,v=spf1 -all", "--local=/org/", "--local=/vn/", "--local=/arpa/")
    with dnsmasq(tmp_path_factory.mktemp("dns"), *records) as running:
        yield running


@pytest.mark.parametrize("field", RESULTS.values(), ids=RESULTS)
async def test_results_that_a_stranger_wrote(start: Start, nameserver: Running, field: str) -> None:
    """They make no forged letter good, and none of them goes on behind us as ours."""
    policy = CHECKED.format(pack=PACK, port=nameserver.port)
    forged = f"{field}\nFrom: gd@example.gov.vn\nSubject: x\n\nKinh gui\n"
    honest = f"{field}\nFrom: a@example.org\nSubject: x\n\nKinh gui\n"
    async with FakeHop() as hop, start(hop.address, policy=policy) as gateway:
        assert (await send(gateway, forged))[:3] == "550"
        assert (await send(gateway, honest))[:3] == "250"
    [taken] = hop.taken
    head = taken.content.partition(b"\r\n\r\n")[0].replace(b"\r\n\t", b" ").replace(b"\r\n ", b" ")
    results = [line for line in head.split(b"\r\n") if line.lower().startswith(b"authentication-results")]
    assert len(results) == 1
    assert results[0].startswith(b"Authentication-Results: example.gov.vn; spf=")
    assert b"dmarc=pass" not in results[0]


INSIDE_ONLY = """
version: 1
organisation: {domains: [example.gov.vn], networks: [10.0.0.0/8], directory: accounts.csv}
rules:
  - {id: from-outside, cite: test/1, when: {direction: inbound}, then: reject}
  - {id: by-an-account, cite: test/1, when: {account: {state: [active, locked]}}, then: discard}
"""

RECEIVED = {
    "from our network": "Received: from pc.example.gov.vn (pc.example.gov.vn [10.0.0.5])\n"
    "\tby mx.example.gov.vn (Postfix) with ESMTP id 1; Tue, 24 Nov 2026 08:00:00 +0700",
    "by an account of ours": "Received: from pc (pc [10.0.0.5]) (Authenticated sender: an@example.gov.vn)\n"
    "\tby mx.example.gov.vn (Postfix) with ESMTPSA id 1; Tue, 24 Nov 2026 08:00:00 +0700",
    "with our own name and form": "Received: from pc (pc [10.0.0.5])\n"
    "\tby mx.example.gov.vn (Mailwarden) with ESMTPSA id 01M87HGM4XJ6P3T9H1; Tue, 24 Nov 2026 08:00:00 +0700",
    "X-Originating-IP": "X-Originating-IP: [10.0.0.5]",
}


@pytest.mark.parametrize("field", RECEIVED.values(), ids=RECEIVED)
async def test_ways_that_a_stranger_made_up(start: Start, tmp_path: Path, field: str) -> None:
    """A letter from outside stays one, and nobody's account has sent it."""
    (tmp_path / "accounts.csv").write_text("address,state,kind,unit\nan@example.gov.vn,active,person,x\n")
    async with FakeHop() as hop, start(hop.address, policy=INSIDE_ONLY, listener={"trusted": []}) as gateway:
        answer = await send(gateway, f"{field}\nSubject: x\n\nhello\n")
    assert answer[:3] == "550"
    assert not hop.taken
