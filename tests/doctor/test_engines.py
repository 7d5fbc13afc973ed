"""The doctor asks a real clamd that runs with the shipped configuration, its paths apart, and tries EICAR on it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.doctor.engines import engines
from gateway.doctor.gate import gate
from gateway.doctor.model import State
from tests.doctor.conftest import POLICY, Made, lines
from tests.engines.daemons import EICAR, START_LIMIT

SHIPPED = Path(__file__).parents[2] / "deploy" / "clamd" / "clamd.conf"


def listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as attempt:
        return attempt.connect_ex(str(path)) == 0


@pytest.fixture(scope="module")
def clamd_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("clamd")
    (folder / "test.ndb").write_text(f"Eicar-Test-Signature:0:*:{EICAR.hex()}\n")
    text = SHIPPED.read_text().replace("/run/clamav", str(folder)).replace("/var/lib/clamav", str(folder))
    text = text.replace("LocalSocketGroup clamav\n", "")
    settings = folder / "clamd.conf"
    settings.write_text(text + ("User root\n" if os.getuid() == 0 else ""))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["/usr/sbin/clamd", f"--config-file={settings}"], stdout=log, stderr=log)
    try:
        end = time.monotonic() + START_LIMIT
        while not listens(folder / "clamd.ctl"):
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < end
            time.sleep(0.05)
        yield folder / "clamd.ctl"
    finally:
        process.kill()
        process.wait()


def policy(address: Path) -> str:
    return POLICY.replace("rules: []", "") + (
        f'filters: {{virus: {{clamd: "unix:{address}"}}}}\n'
        "rules: [{id: no-malware, when: {found: virus.infected}, then: reject}]\n"
    )


async def test_a_filter_that_knows_digests_only_is_warned_of(patient: Made, tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("0" * 64)
    text = POLICY.replace("rules: []", "") + f"filters: {{virus: {{digests: {tmp_path}/own.txt}}}}\n"
    text += "rules: [{id: no-malware, when: {found: virus.infected}, then: reject}]\n"
    [line] = await lines(engines, patient(text))
    assert (line.state, line.seen) == (State.WARN, "1 digests")
    assert "no virus scanner" in line.advice


async def test_clamd_that_runs_tells_its_version_and_stops_the_sample(patient: Made, clamd_socket: Path) -> None:
    here = patient(policy(clamd_socket))
    [line] = await lines(engines, here)
    assert (line.about, line.state) == ("engine virus", State.OK)
    assert line.seen.startswith("clamd-1: ClamAV ")
    [sample] = [line for line in await lines(gate, here) if line.about == "virus (EICAR)"]
    assert (sample.state, sample.seen) == (State.OK, "reject: no-malware")


async def test_clamd_that_does_not_run_is_a_failure(patient: Made, tmp_path: Path) -> None:
    [line] = await lines(engines, patient(policy(tmp_path / "nobody.ctl")))
    assert (line.about, line.state) == ("engine virus", State.FAIL)
    assert "nobody.ctl" in line.seen
