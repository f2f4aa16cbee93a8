"""The deployment examples: they name metrics, paths and settings that exist, and run without rights."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase

import serving.drift.settings
import serving.store.settings

DEPLOY = Path(__file__).parents[1] / "serving" / "deploy"
SETTINGS = {
    *serving.store.settings.VARIABLES.values(),
    *serving.drift.settings.VARIABLES.values(),
    "YUJING_BUNDLE",
    "YUJING_WATCH_WORDS",
    "YUJING_ENGINE",
    "YUJING_THREADS",
    "YUJING_CACHE",
}
MODULES = ("serving.metrics", "serving.store.metrics", "serving.drift.metrics")
SUFFIXES: dict[type, tuple[str, ...]] = {Counter: ("_total",), Histogram: ("_bucket", "_sum", "_count")}
FOREIGN = {"BENTOML_HOME", "BENTOML_DO_NOT_TRACK"}

needs_request_metrics = pytest.mark.skipif(find_spec("serving.metrics") is None, reason="no serving.metrics here")


def our_metrics() -> set[str]:
    """Names as Prometheus shows them."""
    modules = [import_module(name) for name in MODULES if find_spec(name)]
    found = [one for module in modules for one in vars(module).values() if isinstance(one, MetricWrapperBase)]
    return {one._name + suffix for one in found for suffix in SUFFIXES.get(type(one), ("",))}


def named_metrics(text: str) -> set[str]:
    return set(re.findall(r"\byujing_[a-z_]+", text))


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text(encoding="utf-8")))


@needs_request_metrics
def test_alerts_and_dashboard_name_metrics_that_exist() -> None:
    for name in ("alerts.yaml", "alerts_test.yaml", "grafana.json"):
        assert named_metrics((DEPLOY / name).read_text(encoding="utf-8")) <= our_metrics(), name


def test_the_dashboard_shows_every_metric_of_ours() -> None:
    dashboard = json.loads((DEPLOY / "grafana.json").read_text(encoding="utf-8"))
    shown = {re.sub("_(total|bucket|sum|count)$", "", name) for name in named_metrics(json.dumps(dashboard["panels"]))}
    assert shown >= {re.sub("_(total|bucket|sum|count)$", "", name) for name in our_metrics()}
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_every_alert_says_what_to_do() -> None:
    [document] = documents("alerts.yaml")
    rules = [rule for group in document["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) == 10
    for rule in rules:
        assert set(rule["annotations"]) == {"summary", "action"}
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}


@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", "alerts.yaml"), ("test", "rules", "alerts_test.yaml"), ("check", "config", "prometheus.yaml")],
)
def test_promtool_agrees(arguments: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (apt-get install prometheus)")
    subprocess.run([promtool, *arguments], cwd=DEPLOY, check=True, stdout=subprocess.DEVNULL)


def container() -> dict[str, Any]:
    [workload] = [one for one in documents("kubernetes.yaml") if one["kind"] == "StatefulSet"]
    [container] = workload["spec"]["template"]["spec"]["containers"]
    return {**container, "pod": workload["spec"]["template"]["spec"]}


def test_kubernetes_runs_without_rights_on_a_read_only_file_system() -> None:
    found = container()
    assert found["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert found["pod"]["securityContext"]["runAsNonRoot"] is True
    assert {"requests", "limits"} <= set(found["resources"])
    paths = {found[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")}
    assert paths <= {"/readyz", "/livez"}
    mounted = {mount["mountPath"] for mount in found["volumeMounts"]}
    folders = [one["value"] for one in found["env"] if str(one.get("value", "")).startswith("/")]
    assert all(any(folder.startswith(mount) for mount in mounted) for folder in folders)


def test_kubernetes_parts_speak_of_the_same_pods() -> None:
    kinds = {one["kind"]: one for one in documents("kubernetes.yaml")}
    labels = kinds["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
    assert kinds["Service"]["spec"]["selector"] == labels
    assert kinds["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert kinds["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    assert kinds["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == "yujing"


def test_compose_opens_localhost_only_and_runs_without_rights() -> None:
    [compose] = documents("compose.yaml")
    for service in compose["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    yujing = compose["services"]["yujing"]
    assert (yujing["read_only"], yujing["cap_drop"]) == (True, ["ALL"])
    assert not yujing["user"].startswith(("0", "root"))


def test_the_examples_set_what_yujing_reads() -> None:
    [compose] = documents("compose.yaml")
    given = {*compose["services"]["yujing"]["environment"], *(one["name"] for one in container()["env"])}
    assert given <= SETTINGS | FOREIGN
