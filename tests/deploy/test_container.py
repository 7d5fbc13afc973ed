"""The images and the compose file: read by the programs and schemas that they are for, and held against the product."""

from __future__ import annotations

import fnmatch
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from gateway.cli import main
from gateway.config import load_settings
from gateway.endpoint import HostPort
from gateway.policy.load import load

ROOT = Path(__file__).parents[2]
CONTAINER = ROOT / "deploy" / "container"
CONTAINERFILES = sorted(CONTAINER.glob("Containerfile*[!e]"))
COMPOSE = yaml.safe_load((CONTAINER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def instructions(path: Path) -> list[tuple[str, str]]:
    """The instructions of a Containerfile with their arguments, continued lines put together."""
    text = "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [(word, rest) for word, _, rest in (line.strip().partition(" ") for line in lines) if word]


def of(path: Path, word: str) -> list[str]:
    return [rest for instruction, rest in instructions(path) if instruction == word]


@pytest.mark.parametrize("path", CONTAINERFILES, ids=lambda path: path.name)
class TestContainerfile:
    def test_the_linter_has_nothing_to_say(self, path: Path) -> None:
        linter = str(Path(sys.executable).with_name("hadolint"))
        done = subprocess.run([linter, str(path)], capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout) == (0, "")

    def test_what_is_copied_is_there_and_not_left_out(self, path: Path) -> None:
        ignored = path.with_name(f"{path.name}.dockerignore")
        rules = ignored.read_text().splitlines() if ignored.exists() else ["!*"]
        wanted = [line[1:] for line in rules if line.startswith("!")]
        for arguments in of(path, "COPY"):
            words = [word for word in arguments.split() if not word.startswith("--")]
            if "--from=" in arguments:
                continue
            for source in words[:-1]:
                assert (ROOT / source).exists(), source
                assert any(fnmatch.fnmatch(source, f"{name}*") for name in wanted), source

    def test_base_images_are_pinned_by_tag(self, path: Path) -> None:
        for image in (arguments.split()[0] for arguments in of(path, "FROM")):
            assert re.fullmatch(r"[a-z/]+:[a-z0-9.-]*[0-9a-z]+-slim.*|[a-z]+:bookworm-slim", image), image


class TestGatewaysImage:
    PATH = CONTAINER / "Containerfile"

    def test_it_runs_a_command_with_options_that_there_are(self) -> None:
        [entry], [command] = of(self.PATH, "ENTRYPOINT"), of(self.PATH, "CMD")
        program, (name, option, settings) = json.loads(entry), json.loads(command)

        assert program == ["mailwarden"]
        assert option in {word for parameter in main.commands[name].params for word in parameter.opts}
        assert settings == "/etc/mailwarden/gateway.yaml"

    def test_it_is_not_root_and_is_asked_for_its_health_where_the_settings_say(self) -> None:
        assert of(self.PATH, "USER")[-1] == "10001:10001"
        [health] = of(self.PATH, "HEALTHCHECK")
        [address] = re.findall(r"http://127\.0\.0\.1:(\d+)/healthz", health)
        settings = load_settings(CONTAINER / "gateway.yaml")
        assert settings.metrics is not None
        assert int(address) == settings.metrics.port
        exposed = set(map(int, of(self.PATH, "EXPOSE")[0].split()))
        assert {listener.address.port for listener in settings.listeners} | {int(address)} <= exposed  # type: ignore[union-attr]

    def test_its_lock_files_are_the_projects(self) -> None:
        assert all("--require-hashes" in each or "--no-deps" in each for each in of(self.PATH, "RUN") if "pip" in each)


def test_the_policy_of_the_container_loads(tmp_path: Path) -> None:
    text = (CONTAINER / "policy.yaml").read_text().replace("/opt/mailwarden/policies", str(ROOT / "policies"))
    (tmp_path / "policy.yaml").write_text(text)

    filters = load(tmp_path / "policy.yaml").filters
    assert filters["virus"].clamd == (HostPort("clamav", 3310),)  # type: ignore[attr-defined]
    assert filters["spam"].rspamd == (HostPort("rspamd", 11333),)  # type: ignore[attr-defined]


def test_the_compose_file_is_one_by_its_specification() -> None:
    options = compose_spec.PyOptions()
    options.apply_merge = True
    text = (CONTAINER / "compose.yaml").read_text()

    options.from_yaml(text).validate()
    with pytest.raises(ValueError, match="readonly"):
        options.from_yaml(text.replace("read_only: true\n  cap", "readonly: true\n  cap"))


def test_the_compose_file_has_all_that_the_project_needs() -> None:
    assert set(SERVICES) == {"gateway", "postfix", "clamav", "rspamd", "prometheus", "grafana"}


@pytest.mark.parametrize("name", SERVICES)
class TestComposeService:
    def test_it_is_closed_in(self, name: str) -> None:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["restart"] == "unless-stopped"
        assert not {"SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE"} & set(service.get("cap_add", ()))
        assert "privileged" not in service

    def test_its_image_is_pinned_and_its_health_is_known(self, name: str) -> None:
        service = SERVICES[name]
        assert re.fullmatch(r"[a-z/-]+:v?\d+[.\d]*", service["image"])
        built = "build" in service and of(ROOT / service["build"]["dockerfile"], "HEALTHCHECK")
        assert built or service["healthcheck"]["test"]

    def test_what_it_mounts_is_there(self, name: str) -> None:
        for volume in SERVICES[name].get("volumes", ()):
            if isinstance(volume, str):
                assert volume.partition(":")[0] in COMPOSE["volumes"]
            else:
                assert (CONTAINER / volume["source"]).exists(), volume["source"]
                assert volume["read_only"] is True

    def test_what_it_refers_to_is_there(self, name: str) -> None:
        service = SERVICES[name]
        assert set(service["networks"]) <= set(COMPOSE["networks"])
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
        assert set(service.get("depends_on", ())) <= set(SERVICES)


def test_the_services_find_each_other() -> None:
    settings = load_settings(CONTAINER / "gateway.yaml")
    [listener] = settings.listeners
    environment = SERVICES["postfix"]["environment"]
    [network] = COMPOSE["networks"]["mail"]["ipam"]["config"]

    assert environment["GATEWAY"] == f"gateway:{listener.address.port}"  # type: ignore[union-attr]
    assert str(listener.upstream) == "smtp://postfix:10026"
    assert {environment["PEERS"], *map(str, listener.trusted)} == {network["subnet"]}
    assert "TCPSocket 3310" in (CONTAINER / "clamd.conf").read_text()
    scraped = yaml.safe_load((CONTAINER / "prometheus.yml").read_text())["scrape_configs"]
    assert scraped[0]["static_configs"][0]["targets"] == [f"gateway:{settings.metrics.port}"]  # type: ignore[union-attr]


def test_the_gateways_grace_is_longer_than_its_drain() -> None:
    drain = load_settings(CONTAINER / "gateway.yaml").drain
    assert int(SERVICES["gateway"]["stop_grace_period"].removesuffix("s")) > drain


def test_the_copies_differ_from_what_they_copy_only_in_the_address() -> None:
    def settings(path: Path) -> set[str]:
        lines = (line for line in path.read_text().splitlines() if line and not line.startswith("#"))
        return {line for line in lines if not line.startswith(("LocalSocket", "FixStale", "TCP"))}

    assert settings(CONTAINER / "clamd.conf") == settings(ROOT / "deploy/clamd/clamd.conf")
    copies = (CONTAINER / "prometheus.yml", ROOT / "deploy/prometheus/prometheus.yml")
    ours, theirs = (yaml.safe_load(path.read_text()) for path in copies)
    for document in (ours, theirs):
        document["scrape_configs"][0]["static_configs"][0]["targets"] = []
    assert ours == theirs


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Postfix's configuration as its image makes it."""
    folder = tmp_path_factory.mktemp("postfix") / "config"
    environment = {"CONFIG": str(folder), "SNIPPETS": str(ROOT / "deploy/postfix"), "PATH": "/usr/sbin:/usr/bin:/bin"}
    subprocess.run([CONTAINER / "postfix.sh", "render"], env=environment, check=True, timeout=30)
    return folder


def postconf(folder: Path, *options: str) -> str:
    """What a real Postfix reads there, without a warning."""
    command = ["postconf", "-c", str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr == ""
    return done.stdout


def test_postfix_reads_its_images_configuration_and_knows_every_name(rendered: Path) -> None:
    assert "message_size_limit = 51000000" in postconf(rendered, "-n")
    services = postconf(rendered, "-M").splitlines()
    assert {line.split()[4] for line in services} == {"n"}  # nothing is in a chroot
    assert len([line for line in services if line.split()[:2] == ["smtp", "inet"]]) == 1


def test_postfixs_image_asks_the_gateway_and_takes_mail_back_on_another_port(rendered: Path) -> None:
    assert postconf(rendered, "-Ph", "smtp/inet/smtpd_proxy_filter").strip() == "gateway:10025"
    assert postconf(rendered, "-Ph", "10026/inet/mynetworks").strip() == "127.0.0.0/8,172.30.77.0/24"
    assert postconf(rendered, "-Ph", "10026/inet/smtpd_proxy_filter").strip() == ""
