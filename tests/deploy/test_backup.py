"""A backup of a running gateway, restored elsewhere: the trail is whole and kept mail is there."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.clients import send
from tests.e2e.ports import free_port
from tests.e2e.service import Service

BACKUP = Path(__file__).parents[2] / "deploy" / "backup.sh"

POLICY = """
version: 1
organisation: {domains: [example.gov.vn]}
rules:
  - id: keep
    when: {sender: kept@example.org}
    then: quarantine
"""


def mailwarden(*arguments: str) -> str:
    """The output of a command, which must succeed."""
    command = [sys.executable, "-m", "gateway", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def backup(folder: Path) -> subprocess.CompletedProcess[str]:
    """Of the state in a folder, to `backup` beside it."""
    command = [str(BACKUP), str(folder / "state"), str(folder / "backup")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def settings(folder: Path, port: int) -> dict[str, Any]:
    listener = {"name": "inbound", "smtp": f"127.0.0.1:{port}", "upstream": f"maildir:{folder}/arrived"}
    return {"listeners": [listener], "policy": str(folder / "policy.yaml"), "state": str(folder / "state")}


def kept(config: Path) -> set[str]:
    """Subjects of kept mail."""
    lines = mailwarden("quarantine", "list", "-c", str(config), "--json").splitlines()
    return {json.loads(line)["subject"] for line in lines}


async def test_a_backup_under_traffic_is_whole_and_can_be_restored(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "policy.yaml").write_text(POLICY)
    async with Service(tmp_path / "service", settings(tmp_path, port)) as service:
        await keep(port, range(10))
        going_on = asyncio.create_task(keep(port, range(10, 30)))
        await service.said("message", count=13)

        done = await asyncio.to_thread(backup, tmp_path)
        await going_on

    assert done.returncode == 0, done.stderr
    copy = Path(done.stdout.strip())
    assert [path.name for path in (tmp_path / "backup").iterdir()] == [copy.name]
    assert copy.stat().st_mode & 0o077 == 0
    shutil.copytree(copy, tmp_path / "restored")
    config = tmp_path / "restored.yaml"
    config.write_text(yaml.safe_dump(settings(tmp_path, port) | {"state": str(tmp_path / "restored")}))
    mailwarden("audit", "verify", "-c", str(config))
    assert {f"kept {number}" for number in range(10)} <= kept(config)


async def keep(port: int, numbers: range) -> None:
    """Messages that the gateway keeps."""
    for number in numbers:
        await send(port, f"Subject: kept {number}\r\n\r\nHello.\r\n".encode(), sender="kept@example.org")


def test_an_interrupted_backup_leaves_nothing_that_looks_like_one(tmp_path: Path) -> None:
    (tmp_path / "state/store").mkdir(parents=True)
    (tmp_path / "state/store/trail.db").write_text("no database")

    done = backup(tmp_path)

    assert done.returncode != 0
    assert list((tmp_path / "backup").iterdir()) == []
