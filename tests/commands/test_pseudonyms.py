"""With the setting `pseudonym_key` no address and no subject is in the trail, and whoever has the key still finds."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Start
from tests.faults import FakeHop
from tests.test_app import TAGGING, send
from tests.test_commands import run

KEY = "0123456789abcdef0123456789abcdef"


async def test_a_gateway_under_pseudonyms(start: Start, tmp_path: Path) -> None:
    async with FakeHop() as hop, start(hop.address, policy=TAGGING, pseudonym_key=KEY) as gateway:
        await send(gateway, "Subject: hold it now\nFrom: a.person@example.org\n\nx\n", sender="a.person@example.org")
        await send(gateway, "Subject: hold it now\n\nx\n", sender="b.person@example.org")
        await run(tmp_path, "held", "list")
    told = await run(tmp_path, "trace", "--json", "--from", "A.Person@example.org")
    records = [json.loads(line) for line in told.output.splitlines()]
    assert {record["event"] for record in records} >= {"message", "decision"}
    assert len({record["id"] for record in records}) == 1
    assert (await run(tmp_path, "audit", "verify")).code == 0
    written = b"".join(path.read_bytes() for path in (tmp_path / "state" / "store").glob("trail*"))
    for word in (b"person@example.org", b"hold it now"):
        assert word not in written
