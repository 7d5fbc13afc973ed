"""`make run` shows what it promises, and ends when it is told to."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import yaml

from tests.e2e.ports import free_port
from tests.e2e.postfix import PATIENCE

ROOT = Path(__file__).parents[2]

STEPS = (
    "released by an-toan-thong-tin@example.gov.vn",
    "approved by vanphong@example.gov.vn: Đúng mẫu",
    "released by vanphong@example.gov.vn",
)
"""What people did with letters that were kept."""

TITLES = {
    "A message to you is being kept": "an@example.gov.vn",
    "A message that was kept is on its way to you": "an@example.gov.vn",
    "A rule has been applied": "an-toan-thong-tin@example.gov.vn",
    "A message waits for your approval": "vanphong@example.gov.vn",
    "Your message awaits approval": "an@example.gov.vn",
    "Your message has been approved and sent": "dung@example.gov.vn",
}
"""What is told, and who is the first to hear it."""


async def test_the_trial_shows_what_becomes_of_its_letters(tmp_path: Path) -> None:
    settings = yaml.safe_load((ROOT / "deploy/trial/gateway.yaml").read_text())
    settings["listeners"][0] |= {"smtp": f"127.0.0.1:{free_port()}", "upstream": f"maildir:{tmp_path}/maildir"}
    settings["page"]["address"] = page = f"127.0.0.1:{free_port()}"
    settings["page"]["origin"] = f"http://{page}"
    settings |= {"metrics": f"127.0.0.1:{free_port()}", "policy": str(ROOT / "policies/default.yaml")}
    (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(settings | {"state": str(tmp_path / "state")}))

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "deploy/trial"), str(tmp_path / "gateway.yaml")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout
    output = ""
    async with asyncio.timeout(2 * PATIENCE):
        while "Ctrl-C" not in output:
            line = await process.stdout.readline()
            assert line, output
            output += line.decode()
        code = re.search(rf"http://{page}/decide/([A-Z0-9]+)", output)
        assert code, output
        shown = await get(settings["page"]["address"], f"/decide/{code[1]}")
        process.terminate()
        assert await process.wait() == 0

    for rule in ("no-executables", "no-scripts", "no-double-extensions", "no-disguised-names", "attachments-too-large"):
        assert f"{rule}: reject" in output
    assert "video-outside: tag" in output
    assert "locked-files-from-outside:" in output
    assert "many-recipients-outside: hold" in output
    assert "550 5.5.2 Bare CR or LF" in output
    assert "Mời dự hội thảo" in shown
    for text in ("Traceback", "Not every notice"):
        assert text not in output
    for step in STEPS:
        assert step in output
    for title, to in TITLES.items():
        assert f"─ {title} - to {to} ─" in output
    arrived = [path.read_bytes() for path in (tmp_path / "maildir/new").iterdir()]
    notices = [content for content in arrived if b"\nX-Mailwarden-Notice:" in content]
    assert len(arrived) - len(notices) == 7 + 2  # those that pass at once, and those that people let go
    assert len(notices) == 1 + 2 + 3 + 4 + 2  # what each letter says that it tells, in their order


async def get(address: str, path: str) -> str:
    """A page of the approvers' page, as a browser asks for it."""
    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer.decode()
