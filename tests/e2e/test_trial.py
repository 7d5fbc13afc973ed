"""`make run` shows what it promises, and ends when it is told to."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import yaml

from tests.e2e.ports import free_port
from tests.e2e.postfix import PATIENCE

ROOT = Path(__file__).parents[2]


async def test_the_trial_shows_what_becomes_of_its_samples(tmp_path: Path) -> None:
    settings = yaml.safe_load((ROOT / "deploy/trial/gateway.yaml").read_text())
    settings["listeners"][0] |= {"smtp": f"127.0.0.1:{free_port()}", "upstream": f"maildir:{tmp_path}/maildir"}
    settings |= {"metrics": f"127.0.0.1:{free_port()}", "policy": str(ROOT / "policies/default.yaml")}
    (tmp_path / "gateway.yaml").write_text(yaml.safe_dump(settings | {"state": str(tmp_path / "state")}))

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "deploy/trial"), str(tmp_path / "gateway.yaml")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout
    output = ""
    async with asyncio.timeout(PATIENCE):
        while "Ctrl-C" not in output:
            line = await process.stdout.readline()
            assert line, output
            output += line.decode()
        process.terminate()
        assert await process.wait() == 0

    for rule in ("no-executables", "no-scripts", "no-double-extensions", "no-disguised-names", "attachments-too-large"):
        assert f"{rule}: reject" in output
    assert "video-outside: tag" in output
    assert "550 5.5.2 Bare CR or LF" in output
    assert "Traceback" not in output
    assert len(list((tmp_path / "maildir/new").iterdir())) == 6
