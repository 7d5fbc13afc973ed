"""The Kubernetes manifests: built by kustomize, read by the cluster's own schemas, and held against the product."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from gateway.cli import main
from gateway.config import Settings, load_settings
from gateway.policy.load import load

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
FOLDERS = ("base", "overlays/province")
VERSIONS = ("1.30", "1.34", kubernetes_validate.latest_version())
"""The first that has `preStop.sleep` by default, one between, and the newest there is a schema of."""

Document = dict[str, Any]


def build(folder: str) -> list[Document]:
    """What `kubectl apply -k` would send."""
    kubectl = Path(sys.executable).with_name("kubectl")
    command = [kubectl, "kustomize", str(KUBERNETES / folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return list(yaml.safe_load_all(done.stdout))


BUILT = {folder: build(folder) for folder in FOLDERS}
BASE = {f"{each['kind']}/{each['metadata']['name']}": each for each in BUILT["base"]}
POD: Document = BASE["StatefulSet/mailwarden"]["spec"]["template"]
[GATEWAY] = POD["spec"]["containers"]
PORTS = {port["name"]: port["containerPort"] for port in GATEWAY["ports"]}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("folder", FOLDERS)
def test_the_cluster_would_take_it(folder: str, version: str) -> None:
    for document in BUILT[folder]:
        kubernetes_validate.validate(document, version, strict=True)


def test_a_misspelt_key_would_be_seen() -> None:
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(BASE["Service/mailwarden"] | {"spek": {}}, VERSIONS[-1], strict=True)


def test_every_selector_finds_the_gateways_and_only_them() -> None:
    labels = POD["metadata"]["labels"].items()
    services = [BASE[f"Service/{name}"]["spec"]["selector"] for name in ("mailwarden", "mailwarden-each")]
    others = [
        BASE[name]["spec"]["selector"]["matchLabels"]
        for name in ("StatefulSet/mailwarden", "PodDisruptionBudget/mailwarden")
    ]
    policy = BASE["NetworkPolicy/mailwarden"]["spec"]["podSelector"]["matchLabels"]
    for selector in (*services, *others, policy):
        assert selector == {"app.kubernetes.io/name": "mailwarden"}
        assert selector.items() <= labels


def test_the_network_policy_opens_what_the_settings_and_the_policy_use(tmp_path: Path) -> None:
    spec = BASE["NetworkPolicy/mailwarden"]["spec"]

    def ways(rules: list[Document], side: str) -> set[tuple[str, Any]]:
        return {
            (next(iter(next(iter(peer.values()))["matchLabels"].values())), port["port"])
            for rule in rules
            for peer in rule[side]
            for port in rule["ports"]
        }

    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert ways(spec["ingress"], "from") == {("postfix", "smtp"), ("monitoring", "metrics")}
    assert ways(spec["egress"], "to") == {
        ("postfix", upstream(settings()).port),
        *((host.host, host.port) for host in engines(tmp_path)),
        ("kube-system", 53),
    }


def settings() -> Settings:
    return load_settings(KUBERNETES / "base/gateway.yaml")


def upstream(of: Settings) -> Any:
    assert of.listeners[0].upstream is not None
    return of.listeners[0].upstream.address


def engines(folder: Path) -> list[Any]:
    """Where the base's policy finds its engines."""
    filters = policy(KUBERNETES / "base", folder).filters
    return [*filters["virus"].clamd, *filters["spam"].rspamd]  # type: ignore[attr-defined]


def policy(source: Path, folder: Path) -> Any:
    """The policy of a folder as the image would read it."""
    for path in source.glob("*"):
        if path.suffix in (".yaml", ".csv"):
            text = path.read_text().replace("/opt/mailwarden/policies", str(ROOT / "policies"))
            (folder / path.name).write_text(text)
    return load(folder / "policy.yaml")


def test_the_overlays_policy_loads(tmp_path: Path) -> None:
    assert "example.gov.vn" in policy(KUBERNETES / "overlays/province", tmp_path).organisation.domains


def test_the_ports_are_those_of_the_settings() -> None:
    metrics, [listener] = settings().metrics, settings().listeners
    assert metrics is not None
    assert {"smtp": listener.address.port, "metrics": metrics.port} == PORTS  # type: ignore[union-attr]
    for name, port in (("mailwarden", "smtp"), ("mailwarden-each", "metrics")):
        [entry] = BASE[f"Service/{name}"]["spec"]["ports"]
        assert (entry["targetPort"], entry["port"]) == (port, PORTS[port])
    assert POD["metadata"]["annotations"]["prometheus.io/port"] == str(PORTS["metrics"])


def test_the_probes_ask_for_pages_that_there_are() -> None:
    probes = {name: GATEWAY[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startup": "/healthz",
        "liveness": "/healthz",
        "readiness": "/readyz",
    }
    assert {probe["port"] for probe in probes.values()} == {"metrics"}


def test_the_command_is_one_and_finds_its_files() -> None:
    name, option, path = GATEWAY["args"]
    assert option in {word for parameter in main.commands[name].params for word in parameter.opts}
    mounts = {mount["name"]: mount["mountPath"] for mount in GATEWAY["volumeMounts"]}
    assert path.startswith(f"{mounts['settings']}/")
    assert str(settings().state) == mounts["state"]


def test_the_pod_is_as_closed_as_the_namespace_wants_it() -> None:
    """The Pod Security Standard "restricted", which the overlay's namespace enforces, and a read-only root besides."""
    pod, container = POD["spec"]["securityContext"], GATEWAY["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert POD["spec"]["automountServiceAccountToken"] is False


def test_a_gateway_has_the_time_to_drain() -> None:
    pause = GATEWAY["lifecycle"]["preStop"]["sleep"]["seconds"]
    probe = GATEWAY["readinessProbe"]
    assert POD["spec"]["terminationGracePeriodSeconds"] > settings().drain + pause
    assert pause >= probe["periodSeconds"]


def test_held_mail_is_never_left_behind_by_itself() -> None:
    spec = BASE["StatefulSet/mailwarden"]["spec"]
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    scaler = BASE["HorizontalPodAutoscaler/mailwarden"]["spec"]
    assert scaler["behavior"]["scaleDown"] == {"selectPolicy": "Disabled"}
    assert scaler["minReplicas"] >= 2
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "mailwarden"}


def test_the_overlay_changes_what_it_says() -> None:
    named = [(f"{each['kind']}/{each['metadata']['name'].partition('-')[0]}", each) for each in BUILT[FOLDERS[1]]]
    built = dict(named)
    assert {each["metadata"].get("namespace", "mail") for each in built.values()} == {"mail"}
    stateful = built["StatefulSet/mailwarden"]["spec"]
    assert stateful["replicas"] == built["HorizontalPodAutoscaler/mailwarden"]["spec"]["minReplicas"] == 3
    assert stateful["template"]["spec"]["containers"][0]["image"].endswith("/mailwarden:0.1.0")
    assert set(built["ConfigMap/mailwarden"]["data"]) == {"gateway.yaml", "policy.yaml", "accounts.csv"}
