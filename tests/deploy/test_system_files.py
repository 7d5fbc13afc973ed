"""What deploy/ has for systemd, AppArmor, logrotate and the shell, each read by the program that it is for."""

from __future__ import annotations

import configparser
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from gateway.commands.serve import serve
from gateway.config import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
SYSTEMD = DEPLOY / "systemd"
SEARCHED = os.environ | {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
"""For an ordinary user too, whose path has no programs of administrators."""

UNITS = ("mailwarden.service", "mailwarden.socket")

MOST_EXPOSED = 2.0
"""On the scale of systemd-analyze(1), 0 to 10; versions differ by a tenth. What is open is open for a reason that the
unit names: the network, four kinds of namespaces and limits for the readers of files, the group of a socket."""


def run(*command: str, cwd: Path | None = None) -> str:
    """What it prints, errors too; it must succeed."""
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command, cwd=cwd, env=SEARCHED, text=True, timeout=60, check=False, **both)
    assert done.returncode == 0, done.stdout
    return done.stdout


def unit(name: str) -> configparser.RawConfigParser:
    parsed = configparser.RawConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[method-assign, assignment]
    parsed.read(SYSTEMD / name)
    return parsed


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for name in UNITS:
        # The program is not installed where the tests run; all else is as it stands.
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", (SYSTEMD / name).read_text(), flags=re.MULTILINE)
        (tmp_path / name).write_text(text)

    assert run("systemd-analyze", "verify", "--man=no", *UNITS, cwd=tmp_path) == ""


def test_the_unit_is_as_closed_as_the_runbook_says() -> None:
    said = run("systemd-analyze", "security", "--offline=true", str(SYSTEMD / "mailwarden.service"))

    [score] = re.findall(r"Overall exposure level for mailwarden\.service: ([0-9.]+)", said)
    assert float(score) <= MOST_EXPOSED


def test_the_unit_starts_the_command_with_options_that_it_has() -> None:
    command = unit("mailwarden.service")["Service"]["ExecStart"].split()

    assert command[1] == serve.name
    options = {word for parameter in serve.params for word in parameter.opts}
    assert {word for word in command if word.startswith("-")} <= options


def test_the_unit_waits_longer_than_the_gateway_drains() -> None:
    drain = Settings.__dataclass_fields__["drain"].default
    assert int(unit("mailwarden.service")["Service"]["TimeoutStopSec"]) > drain


def test_the_sockets_are_those_of_the_settings() -> None:
    listeners = yaml.safe_load((DEPLOY / "postfix/gateway.yaml").read_text())["listeners"]
    streams = re.findall(r"^ListenStream=(.+)$", (SYSTEMD / "mailwarden.socket").read_text(), re.MULTILINE)

    assert streams == [listener["smtp"] for listener in listeners]


def test_the_user_and_the_folders_are_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    run("systemd-sysusers", f"--root={tmp_path}", str(SYSTEMD / "sysusers.conf"))
    run("systemd-tmpfiles", f"--root={tmp_path}", "--create", str(SYSTEMD / "tmpfiles.conf"))

    [user] = [line.split(":") for line in (tmp_path / "etc/passwd").read_text().splitlines()]
    assert (user[0], user[5:]) == ("mailwarden", ["/var/lib/mailwarden", "/usr/sbin/nologin"])
    for path, mode in {"run/mailwarden": 0o755, "var/lib/mailwarden": 0o700, "etc/mailwarden": 0o750}.items():
        assert (tmp_path / path).stat().st_mode & 0o7777 == mode


def test_the_log_is_rotated_and_kept_closed(tmp_path: Path) -> None:
    (tmp_path / "mailwarden.log").write_text(json.dumps({"event": "message"}) + "\n")
    rules = (DEPLOY / "logrotate/mailwarden").read_text()
    rules = rules.replace("/var/log/mailwarden/", f"{tmp_path}/").replace("/usr/lib/rsyslog/rsyslog-rotate", "true")
    (tmp_path / "rules").write_text(rules)
    (tmp_path / "rules").chmod(0o644)
    tmp_path.chmod(0o755)

    run("logrotate", "--force", "--state", str(tmp_path / "state"), str(tmp_path / "rules"))

    [kept] = tmp_path.glob("mailwarden.log-*")
    assert "message" in kept.read_text()
    fresh = (tmp_path / "mailwarden.log").stat()
    assert (fresh.st_size, fresh.st_mode & 0o777) == (0, 0o640)


def test_the_apparmor_profile_is_one() -> None:
    run("apparmor_parser", "--skip-kernel-load", "--skip-cache", str(DEPLOY / "apparmor/mailwarden"))

    names = run("apparmor_parser", "--names", "--skip-cache", str(DEPLOY / "apparmor/mailwarden"))
    assert "mailwarden" in names.split()
    assert unit("mailwarden.service")["Service"]["AppArmorProfile"] == "-mailwarden"


@pytest.mark.parametrize("script", sorted(DEPLOY.rglob("*.sh")), ids=lambda path: str(path.relative_to(DEPLOY)))
def test_a_shell_script_has_none_of_the_known_mistakes(script: Path) -> None:
    run("shellcheck", str(script))
