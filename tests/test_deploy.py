"""The deployment examples: they name what exists, run without rights and answer who has a key."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from gate_app import built
from prometheus_client import Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from serving.gate.keys import new_key
from serving.known_settings import KNOWN
from serving.settings import Settings

DEPLOY = Path(__file__).parents[1] / "serving" / "deploy"
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
    assert len({rule["alert"] for rule in rules}) == len(rules) == 11
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
    template = workload["spec"]["template"]
    return {**container, "pod": template["spec"], "annotations": template["metadata"]["annotations"]}


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


def test_prometheus_may_ask_the_pods_that_ask_to_be_scraped() -> None:
    assert container()["annotations"]["prometheus.io/scrape"] == "true"
    [policy] = [one for one in documents("kubernetes.yaml") if one["kind"] == "NetworkPolicy"]
    [rule] = policy["spec"]["ingress"]
    assert {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}} in rule["from"]
    assert {str(port["port"]) for port in rule["ports"]} == {container()["annotations"]["prometheus.io/port"]}


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


def test_the_image_has_the_folder_of_the_volume_with_the_owner_of_the_process(tmp_path: Path) -> None:
    [compose] = documents("compose.yaml")
    yujing = compose["services"]["yujing"]
    [mounted] = [volume.split(":")[1] for volume in yujing["volumes"] if volume.split(":")[0] in compose["volumes"]]
    root = DEPLOY.parents[1]
    script = root / yaml.safe_load((root / "bentofile.yaml").read_text(encoding="utf-8"))["docker"]["setup_script"]
    tool = tmp_path / "install"  # says what it was asked for: only root may give folders away
    tool.write_text('#!/bin/sh\necho "$@"\n')
    tool.chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    asked = subprocess.run([script], env=env, check=True, capture_output=True, text=True).stdout
    user, group = yujing["user"].split(":")
    assert asked.split() == ["-d", "-m", "0700", "-o", user, "-g", group, mounted]
    assert yujing["environment"]["YUJING_STORE"] == mounted


def test_the_engine_has_as_many_threads_as_the_examples_give_it_cores() -> None:
    [compose] = documents("compose.yaml")
    found = environments()
    assert int(found["compose.yaml"]["YUJING_THREADS"]) == compose["services"]["yujing"]["cpus"]
    assert found["kubernetes.yaml"]["YUJING_THREADS"] == container()["resources"]["limits"]["cpu"]


def test_no_spans_are_made_however_it_is_started() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # BentoML's own
        from opentelemetry.util.http import parse_excluded_urls

        from serving.service import Yujing, without_spans
    assert {env.name: env.value for env in Yujing.envs} == {
        "OTEL_SDK_DISABLED": "true",
        "HF_HUB_OFFLINE": "1",
    }  # also those of its Bento
    asked = ({}, {"OTEL_SDK_DISABLED": "true"}, {"OTEL_SDK_DISABLED": "false"})
    spared = [parse_excluded_urls(without_spans(env)).url_disabled("http://127.0.0.1:3000/score") for env in asked]
    assert spared == [True, True, False]


def environments() -> dict[str, dict[str, Any]]:
    """What each example sets; a value from a Kubernetes secret is None."""
    [compose] = documents("compose.yaml")
    return {
        "compose.yaml": compose["services"]["yujing"]["environment"],
        "kubernetes.yaml": {one["name"]: one.get("value") for one in container()["env"]},
    }


@pytest.mark.parametrize("name", ["compose.yaml", "kubernetes.yaml"])
def test_the_examples_set_what_yujing_reads_and_keys_among_it(name: str) -> None:
    given = set(environments()[name])
    assert given <= {*KNOWN} | FOREIGN
    assert len(given & {"YUJING_KEYS", "YUJING_KEYS_FILE"}) == 1
    assert "YUJING_ANONYMOUS" not in given
    assert "yujing keys new" in (DEPLOY / name).read_text(encoding="utf-8")


def test_keys_come_from_where_the_head_of_the_example_puts_them() -> None:
    [compose] = documents("compose.yaml")
    yujing = compose["services"]["yujing"]
    assert f"./keys.txt:{yujing['environment']['YUJING_KEYS_FILE']}:ro" in yujing["volumes"]
    assert ">> serving/deploy/keys.txt" in (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    secrets = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in container()["env"] if "valueFrom" in one}
    assert secrets["YUJING_KEYS"] == {"name": "yujing", "key": "keys"}
    head = (DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8").partition("apiVersion")[0]
    assert set(re.findall(r"--from-literal=([a-z-]+)=", head)) == {secret["key"] for secret in secrets.values()}


def score_from_afar(settings: Settings, headers: dict[str, str]) -> int:
    """The status of a POST /score that came to a container over a bridge, as the chain before the service says it."""
    route = Route("/score", lambda _: PlainTextResponse("scored"), methods=["POST"])
    transport = httpx.ASGITransport(built(Starlette(routes=[route]), settings), client=("172.18.0.1", 5))

    async def run() -> int:
        async with httpx.AsyncClient(transport=transport, base_url="http://172.18.0.2:3000") as http:
            return (await http.post("/score", json={"items": [{"text": "好"}]}, headers=headers)).status_code

    return asyncio.run(run())


@pytest.mark.parametrize("name", ["compose.yaml", "kubernetes.yaml"])
def test_each_example_answers_from_afar_who_has_a_key(name: str, tmp_path: Path) -> None:
    made = [new_key(caller, ["score"]) for caller in ("desk", "night")]
    (tmp_path / "keys.txt").write_text("".join(f"{key.line}\n" for _, key in made), encoding="utf-8")
    ours = {"YUJING_KEYS": ";".join(key.line for _, key in made), "YUJING_KEYS_FILE": str(tmp_path / "keys.txt")}
    settings = Settings.from_env({key: ours.get(key, value or "") for key, value in environments()[name].items()})
    assert [score_from_afar(settings, {"Authorization": f"Bearer {secret}"}) for secret, _ in made] == [200, 200]
    assert score_from_afar(settings, {}) == 401
