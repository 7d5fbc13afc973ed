"""The installer and the unit as on a real machine: systemd itself with the whole sandbox, the product's own ports."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.config import load_settings
from gateway.policy.load import load
from tests.deploy.machine import Machine

ROOT = Path(__file__).parents[2]
SOURCE = "/srv/mailwarden"
GATEWAY = "127.0.0.1:10025"
LOCKS = ("requirements.lock", "requirements-build.lock")

POLICY = """
version: 1
organisation: {domains: [example.gov.vn]}
rules:
  - id: no-programs
    when: {found: attachments.executable}
    then: reject
    with: {text: {vi: Không nhận chương trình, en: No programs}}
"""

SETTINGS = """
listeners:
  - {name: inbound, smtp: "127.0.0.1:10025", upstream: "maildir:/var/lib/mailwarden/arrived"}
  - {name: milter, milter: "unix:/run/mailwarden/milter.sock", socket_owner: ":mailwarden"}
metrics: "127.0.0.1:9108"
hostname: gate.example.gov.vn
policy: policy.yaml
state: /var/lib/mailwarden
reading: {system_call_filter: required}
"""

PROGRAM = ("--attach-type", "application/zip", "--attach", "@/srv/letter.zip")
"""What the client attaches: a program in an archive."""


@pytest_asyncio.fixture(scope="class", loop_scope="class")
async def machine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Machine]:
    """A machine on which the checkout is installed as the runbook says, without a network, and started."""
    wheels = tmp_path_factory.mktemp("wheels")
    await asyncio.to_thread(download, wheels)
    async with Machine() as booted:
        shutil.copytree(wheels, booted.path("/srv/wheels"))
        here = booted.path(SOURCE)
        for name in ("deploy", "gateway", "filters", "policies"):
            shutil.copytree(ROOT / name, here / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", *LOCKS):
            shutil.copy(ROOT / name, here / name)
        with zipfile.ZipFile(booted.path("/srv/letter.zip"), "w") as archive:
            archive.writestr("setup.exe", b"MZ" + bytes(200))
        await booted.run("install", "-d", "-m", "750", "/etc/mailwarden")
        booted.path("/etc/mailwarden/gateway.yaml").write_text(SETTINGS)
        booted.path("/etc/mailwarden/policy.yaml").write_text(POLICY)
        said = await install(booted, "--wheels", "/srv/wheels")
        assert "started; it is ready" in said
        yield booted


def download(folder: Path) -> None:
    """The locked packages: what an administrator carries to a machine without a way out."""
    for lock in LOCKS:
        command = ("-m", "pip", "download", "--quiet", "--require-hashes", "-r", lock, "-d", str(folder))
        subprocess.run((sys.executable, *command), cwd=ROOT, check=True, stderr=subprocess.DEVNULL, timeout=240)


async def install(machine: Machine, *options: str, action: str = "install", fails: bool = False) -> str:
    """What the installer says."""
    return await machine.run(f"{SOURCE}/deploy/install.sh", *options, action, fails=fails)


async def state(machine: Machine, name: str) -> str:
    """A property of the service."""
    return (await machine.run("systemctl", "show", "--value", "--property", name, "mailwarden.service")).strip()


@pytest.mark.asyncio(loop_scope="class")
class TestInstalled:
    async def test_the_service_runs_as_its_user_with_sockets_that_systemd_holds(self, machine: Machine) -> None:
        assert await state(machine, "ActiveState") == "active"
        assert await state(machine, "User") == "mailwarden"
        assert "policy " in await state(machine, "StatusText")
        assert (await machine.run("systemctl", "is-enabled", "mailwarden.socket", "mailwarden.service")).split() == [
            "enabled",
            "enabled",
        ]
        for path, mode in {"/var/lib/mailwarden": "700", "/run/mailwarden": "755", "/etc/mailwarden": "750"}.items():
            assert (await machine.run("stat", "-c", "%a", path)).strip() == mode

    async def test_a_program_in_an_archive_is_found_by_the_confined_reader(self, machine: Machine) -> None:
        heard = await machine.send(GATEWAY, *PROGRAM)

        assert heard.startswith("550 5.7.1 ")
        assert "No programs" in heard

    async def test_the_readers_have_a_network_of_their_own_under_the_units_sandbox(self, machine: Machine) -> None:
        await machine.send(GATEWAY, "--attach-type", "application/zip", "--attach", "@/etc/hostname")

        processes = (await machine.run("pgrep", "-u", "mailwarden")).split()
        networks = {(await machine.run("readlink", f"/proc/{each}/ns/net", fails=True)).strip() for each in processes}
        assert len(networks - {""}) == 2
        assert "without a filter of system calls" not in machine.log

    async def test_a_letter_is_delivered_and_counted(self, machine: Machine) -> None:
        assert (await machine.send(GATEWAY, "--header", "Subject: a letter")).startswith("250 2.")

        assert await machine.run("ls", "/var/lib/mailwarden/arrived/new")
        metrics = await machine.run(
            *("python3", "-c", "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9108/metrics').read())")
        )
        assert "mailwarden_messages_total{" in metrics
        assert "process_start_time_seconds" in metrics

    async def test_a_reload_takes_a_changed_policy(self, machine: Machine) -> None:
        policy = machine.path("/etc/mailwarden/policy.yaml")
        policy.write_text(POLICY.replace("No programs", "No programs please"))

        await machine.run("systemctl", "reload", "mailwarden.service")

        async with asyncio.timeout(30):
            while "policy reloaded" not in machine.log:
                await asyncio.sleep(0.05)  # the log is a file of another process
        heard = await machine.send(GATEWAY, *PROGRAM)
        policy.write_text(POLICY)
        assert "No programs please" in heard

    async def test_a_restart_refuses_no_client(self, machine: Machine) -> None:
        restart = asyncio.create_task(machine.run("systemctl", "restart", "mailwarden.service"))
        heard = []
        while not restart.done():
            clients = [machine.send(GATEWAY, "--header", "Subject: in between") for _ in range(4)]
            heard += [reply[:3] for reply in await asyncio.gather(*clients)]
        await restart

        assert set(heard) == {"250"}

    async def test_the_number_of_workers_is_the_administrators(self, machine: Machine) -> None:
        machine.path("/etc/default/mailwarden").write_text("WORKERS=2\n")
        await machine.run("systemctl", "restart", "mailwarden.service")

        processes = (await machine.run("pgrep", "--full", "mailwarden worker")).split()
        heard = await machine.send(GATEWAY, *PROGRAM)

        machine.path("/etc/default/mailwarden").unlink()
        await machine.run("systemctl", "restart", "mailwarden.service")
        assert len(processes) == 2
        assert heard.startswith("550 5.7.1 ")

    async def test_nothing_outside_its_folders_can_be_written(self, machine: Machine) -> None:
        process = await state(machine, "MainPID")
        found = await machine.run(
            *("nsenter", "--target", process, "--mount", "setpriv", "--reuid=mailwarden", "--regid=mailwarden"),
            *("--clear-groups", "find", "/", "-path", "/proc", "-prune", "-o", "-writable", "-type", "d", "-print"),
            fails=True,
        )
        writable = {line for line in found.splitlines() if line.startswith("/")}
        own = {path for path in writable if path.startswith("/var/lib/mailwarden")}
        assert writable - own == {"/tmp", "/var/tmp", "/dev/shm", "/run/mailwarden"}
        status = await machine.run("cat", f"/proc/{process}/status")
        assert re.search(r"^CapBnd:\s+0+$", status, re.MULTILINE)
        assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)
        assert re.search(r"^Seccomp:\s+2$", status, re.MULTILINE)

    async def test_settings_that_are_wrong_stop_it_and_are_not_tried_again(self, machine: Machine) -> None:
        settings = machine.path("/etc/mailwarden/gateway.yaml")
        settings.write_text(SETTINGS.replace("hostname", "hostnam"))

        await machine.run("systemctl", "restart", "mailwarden.service", fails=True)

        assert await state(machine, "ActiveState") == "failed"
        assert await state(machine, "ExecMainStatus") == "78"
        assert 'did you mean "hostname"' in machine.log
        settings.write_text(SETTINGS)
        await machine.run("systemctl", "restart", "mailwarden.service")

    async def test_a_second_time_changes_nothing(self, machine: Machine) -> None:
        before = await state(machine, "ExecMainStartTimestampMonotonic")

        said = await install(machine, "--wheels", "/srv/wheels")

        assert "nothing to change" in said
        assert len(said.splitlines()) == 1
        assert await state(machine, "ExecMainStartTimestampMonotonic") == before

    async def test_an_upgrade_is_put_in_force_and_taken_back(self, machine: Machine) -> None:
        first = (await machine.run("readlink", "/opt/mailwarden/current")).strip()
        program = (await machine.run("readlink", "-f", "/opt/mailwarden/current/venv")).strip()
        with machine.path(f"{SOURCE}/policies/packs/spam.yaml").open("a") as pack:
            pack.write("# a new release\n")

        said = await install(machine, "--environment", program)

        second = (await machine.run("readlink", "/opt/mailwarden/current")).strip()
        assert first != second
        assert "restarted; it is ready" in said
        assert (await machine.run("tail", "-n1", "/etc/mailwarden/packs/spam.yaml")).startswith("# a new release")
        assert machine.path("/etc/mailwarden/policy.yaml").read_text() == POLICY
        assert machine.path("/etc/mailwarden/gateway.yaml").read_text() == SETTINGS

        await install(machine, action="rollback")

        assert (await machine.run("readlink", "/opt/mailwarden/current")).strip() == first
        assert await state(machine, "ActiveState") == "active"

    async def test_an_upgrade_that_does_not_take_the_policy_changes_nothing(self, machine: Machine) -> None:
        before = (await machine.run("readlink", "/opt/mailwarden/current")).strip()
        program = (await machine.run("readlink", "-f", "/opt/mailwarden/current/venv")).strip()
        policy = machine.path("/etc/mailwarden/policy.yaml")
        policy.write_text(POLICY.replace("then: reject", "then: rejekt"))
        with machine.path(f"{SOURCE}/policies/packs/spam.yaml").open("a") as pack:
            pack.write("# a third release\n")

        said = await install(machine, "--environment", program, fails=True)

        policy.write_text(POLICY)
        assert "rejekt" in said
        assert "does not take the policy in force" in said
        assert (await machine.run("readlink", "/opt/mailwarden/current")).strip() == before
        assert await state(machine, "ActiveState") == "active"


class TestInstalledBelowAFolder:
    """As a package or an image is made."""

    @staticmethod
    def install(root: Path) -> str:
        """What the installer says."""
        command = [str(ROOT / "deploy/install.sh"), "--root", str(root), "--environment", sys.prefix, "install"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def test_what_it_begins_with_is_in_order_and_a_second_time_changes_nothing(self, tmp_path: Path) -> None:
        self.install(tmp_path)
        before = listing(tmp_path)

        said = self.install(tmp_path)

        assert said.startswith("install: nothing to change")
        assert listing(tmp_path) == before
        settings = load_settings(tmp_path / "etc/mailwarden/gateway.yaml")
        assert (str(settings.state), settings.policy.name) == ("/var/lib/mailwarden", "policy.yaml")
        assert len(load(settings.policy).rules) > 20
        assert (tmp_path / "usr/local/bin/mailwarden").resolve() == Path(sys.prefix).resolve() / "bin/mailwarden"

    def test_a_release_that_was_not_finished_is_made_anew(self, tmp_path: Path) -> None:
        self.install(tmp_path)
        (finished,) = tmp_path.glob("opt/mailwarden/releases/*/complete")
        finished.unlink()
        shutil.rmtree(finished.parent / "policies")

        assert "made release" in self.install(tmp_path)

        assert (finished.parent / "policies/default.yaml").exists()

    def test_what_is_yours_is_never_written(self, tmp_path: Path) -> None:
        own = {"gateway.yaml": SETTINGS, "policy.yaml": POLICY, "accounts.csv": "address\n"}
        (tmp_path / "etc/mailwarden").mkdir(parents=True)
        for name, text in own.items():
            (tmp_path / "etc/mailwarden" / name).write_text(text)

        self.install(tmp_path)

        assert {name: (tmp_path / "etc/mailwarden" / name).read_text() for name in own} == own


def listing(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Every file and folder with its mode and its two times of change."""
    found = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        found[str(path)] = (status.st_mode, status.st_mtime_ns, status.st_ctime_ns)
    return found


@pytest.mark.asyncio(loop_scope="class")
class TestUninstalled:
    async def test_what_is_yours_stays_unless_you_say_so(self, tmp_path: Path) -> None:
        async with Machine() as bare:
            shutil.copytree(ROOT / "deploy", bare.path(SOURCE) / "deploy")
            for path in ("/opt/mailwarden/releases/x/venv", "/etc/mailwarden", "/var/lib/mailwarden/store"):
                bare.path(path).mkdir(parents=True)
            bare.path("/etc/mailwarden/policy.yaml").write_text(POLICY)

            await install(bare, action="uninstall")

            assert not bare.path("/opt/mailwarden").exists()
            assert bare.path("/etc/mailwarden/policy.yaml").exists()
            assert bare.path("/var/lib/mailwarden/store").exists()
            assert "nothing to remove" in await install(bare, action="uninstall")

            await install(bare, "--purge", action="uninstall")

            assert not bare.path("/etc/mailwarden").exists()
            assert not bare.path("/var/lib/mailwarden").exists()
