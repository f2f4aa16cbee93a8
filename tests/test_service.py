"""The real service in its own process: contract, refusals, privacy of the logs, health and documentation."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from keyword_scorer import CRASH, POISON, SHORT, KeywordScorer

from data.records import MAX_ITEMS, Item, Volume
from serving.client import post_items
from serving.docs_page import PAGE
from serving.examples import SAMPLE_ITEMS, SAMPLE_RESULTS
from serving.process import Running, running
from serving.settings import Settings
from serving.wire import read_json, write_results

SECRET = "某某客户的秘密投诉内容"
AS_OF = "2026-03-15T12:00:00+08:00"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(service="keyword_service:Yujing", root=Path(__file__).parent) as server:
        yield server


def post(server: Running, body: object) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    return httpx.post(f"{server.url}/score", content=content, headers=headers, trust_env=False)


def item(**changes: object) -> dict[str, object]:
    return {"items": [{"id": "a", "text": "好"}, {"id": "b", "text": SECRET, **changes}]}


def volume(**changes: object) -> dict[str, object]:
    return item(volume={"as_of": AS_OF, "counts": [1, 2, 3], **changes})


def test_answers_are_aligned_and_equal_to_the_scorers_own(server: Running) -> None:
    posts = ["假货", "挺好", f"{POISON}了", "仓库爆炸"]
    items = [Item(id=str(index), text=text) for index, text in enumerate(posts)]
    items.append(Item(volume=Volume(as_of=SAMPLE_ITEMS[0].volume.as_of, counts=(1, None, 20))))  # type: ignore[union-attr]
    raw = [{"id": str(index), "text": text} for index, text in enumerate(posts)]
    body = {"items": [*raw, {"volume": {"as_of": AS_OF, "counts": [1, None, 20]}}]}
    answer = post(server, body)
    assert answer.status_code == 200
    assert answer.content == write_results(KeywordScorer().score(items))
    assert "假冒侵权" in answer.text  # UTF-8, not \uXXXX
    first, *_, failed, _, last = answer.json()
    assert first["escalation"] is None
    assert (last["category"], last["severity"]) == (None, None)
    assert last["escalation"]["probability"] == 0.5
    assert failed["error"]["code"] == "invalid_input"
    assert failed["category"] is None


def test_an_answer_does_not_pass_bentomls_own_layers(server: Running) -> None:
    """They name themselves in a header; without them one post is answered half a millisecond sooner."""
    assert "server" not in post(server, item()).headers


def test_a_scorer_that_raises_harms_only_the_guilty_item(server: Running) -> None:
    answer = post(server, {"items": [{"text": "假货"}, {"text": f"{CRASH}{SECRET}"}, {"text": "爆炸"}]}).json()
    assert [result["error"] and result["error"]["code"] for result in answer] == [None, "internal_error", None]


REFUSED = [
    (b"{", "not valid JSON"),
    (b"", "not valid JSON"),
    ({}, "items: Field required"),
    ({"items": []}, "items: "),
    ({"items": [{"text": "好"}] * (MAX_ITEMS + 1)}, "items: "),
    ({"items": "好"}, "items: "),
    ([], "record: "),
    ({"items": [{"text": "好"}], "more": 1}, "more: "),
    (item(text=7), "items[1].text: "),
    (item(text=""), "items[1].text: "),
    (item(text="好" * 5001), "items[1].text: "),
    (item(tekst=SECRET), "items[1].tekst: "),
    (item(text=None), "items[1]: "),
    (volume(counts=[1, 2, -3]), "items[1].volume.counts[2]: "),
    (volume(counts=[1, float("nan"), 3]), "items[1].volume.counts[1]: "),
    (volume(counts=[1, float("inf"), 3]), "items[1].volume.counts[1]: "),
    (volume(influencer_share=float("nan")), "items[1].volume.influencer_share: "),
    (volume(counts=[]), "items[1].volume.counts: "),
    (volume(counts=[1] * 169), "items[1].volume.counts: "),
    (volume(counts=["many"]), "items[1].volume.counts[0]: "),
    (volume(as_of="2026-03-15T12:00:00"), "items[1].volume.as_of: "),
    (volume(negative=[1]), "items[1].volume: "),
    (volume(counts=None), "items[1].volume: "),
]


@pytest.mark.parametrize(("body", "place"), REFUSED, ids=[f"{i}-{place}" for i, (_, place) in enumerate(REFUSED)])
def test_invalid_requests_are_400_with_place_and_reason(server: Running, body: object, place: str) -> None:
    answer = post(server, body)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "invalid_input"
    assert error["message"].startswith(place)
    assert SECRET not in answer.text


def test_other_refusals_are_json_too(server: Running) -> None:
    url = f"{server.url}/score"
    form = httpx.post(url, data={"items": "x"}, trust_env=False)
    assert (form.status_code, form.json()["error"]["code"]) == (415, "unsupported_media_type")
    other = httpx.get(url, trust_env=False)
    assert (other.status_code, other.json()["error"]["message"]) == (405, "method not allowed: use POST")


def test_a_fault_of_the_service_is_in_our_shape_too(server: Running) -> None:
    answer = post(server, {"items": [{"text": "好"}, {"text": f"{SHORT}{SECRET}"}]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
    log = read_log(server.log, answer.headers["x-request-id"])
    assert answer.headers["x-request-id"] in log
    assert SECRET not in log


def test_the_client_splits_what_is_too_large(server: Running) -> None:
    items = [Item(id=str(number), text="好" * 4_000) for number in range(200)]  # 2.4 MB
    assert [result.id for result in post_items(server.url, items)] == [item.id for item in items]


@pytest.mark.parametrize("chunked", [True, False])
def test_ten_megabytes_of_emoji_are_refused_and_the_client_sees_it(server: Running, chunked: bool) -> None:
    emoji = json.dumps({"items": [{"text": "😡" * 2_500_000}]}, ensure_ascii=False).encode()
    assert len(emoji) > 4 * Settings().max_body
    parts = (emoji[start : start + 65_536] for start in range(0, len(emoji), 65_536))
    content, headers = parts if chunked else emoji, {"Content-Type": "application/json"}
    answer = httpx.post(f"{server.url}/score", content=content, headers=headers, trust_env=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def read_log(path: Path, until: str) -> str:
    """The log once it holds `until`: a request's line is written after its answer. After 10 s it is read as it is."""
    for _ in range(100):
        if until in (log := path.read_text(encoding="utf-8")):
            break
        time.sleep(0.1)
    return log


def test_no_log_ever_holds_a_post(server: Running) -> None:
    for body, _ in REFUSED:
        post(server, body)
    post(server, {"items": [{"text": SECRET}, {"text": f"{POISON}{SECRET}"}]})
    post(server, {"items": [{"text": f"{CRASH}{SECRET}"}]})
    post(server, f'{{"items": [{{"text": "{SECRET}", "id": }}]}}'.encode())
    httpx.post(f"{server.url}/{SECRET}", content=SECRET.encode(), trust_env=False)
    httpx.post(f"{server.url}/score%0A?q={SECRET}", json={"items": [{"text": SECRET, "x": 1}]}, trust_env=False)
    httpx.post(f"{server.url}/admin/reload", json={"bundle": SECRET}, trust_env=False)
    log = read_log(server.log, '"status": 403')
    lines = [json.loads(line) for line in log.splitlines()]  # the supervisor's and BentoML's own among them
    assert {line["status"] for line in lines if line["message"] == "request"} >= {200, 400, 403, 404}
    assert {"bentoml.serve", "bentoml.yujing", "bentoml.yujing.access"} <= {line["logger"] for line in lines}
    assert "scoring failed: ValueError" in log
    for secret in (SECRET, json.dumps(SECRET)[1:-1], repr(SECRET.encode())[2:-1]):
        assert secret not in log
    [crash, *_] = [line for line in lines if line["level"] == "ERROR"]  # reported, without its message
    assert crash["request_id"] in [line["request_id"] for line in lines if line["message"] == "request"]


@pytest.mark.parametrize("path", ["healthz", "livez", "readyz", "metrics", "docs.json", "schema.json", ""])
def test_health_metrics_and_documentation_answer(server: Running, path: str) -> None:
    assert httpx.get(f"{server.url}/{path}", trust_env=False).status_code == 200


def test_the_documentation_page_is_ours_and_all_that_it_loads_is_there(server: Running) -> None:
    with httpx.Client(base_url=server.url, trust_env=False) as http:
        page = http.get("/")
        assert page.text == PAGE  # BentoML's own loads Google Tag Manager
        for address in re.findall(r'(?:src|href)="\.(/[^"]*)"', PAGE):
            assert http.get(address).status_code == 200


def metrics(server: Running) -> dict[str, float]:
    text = httpx.get(f"{server.url}/metrics", trust_env=False).text
    lines = [line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_metrics_count_what_was_answered(server: Running) -> None:
    before = metrics(server)
    items = [{"text": "假货"}, {"text": f"{POISON}了"}, {"volume": {"as_of": AS_OF, "counts": [1, None, 20]}}]
    post(server, {"items": items})
    post(server, {"items": []})
    after = metrics(server)
    for name in (
        'yujing_requests_total{endpoint="/score",status="200"}',
        'yujing_requests_total{endpoint="/score",status="400"}',
        'yujing_refused_total{code="invalid_input"}',
        'yujing_posts_total{category="counterfeit_ip"}',
        'yujing_severities_total{rank="2"}',
        'yujing_item_errors_total{code="invalid_input"}',
        "yujing_engine_seconds_count",
    ):
        assert after[name] - before.get(name, 0) == 1, name
    assert sum(value for name, value in after.items() if name.startswith("yujing_escalations_total")) >= 1
    assert after["yujing_queue_depth"] == 0
    assert after['yujing_model_info{model="yujing-risk:keyword"}'] == 1


def test_no_stranger_makes_new_series_of_metrics(server: Running) -> None:
    httpx.get(f"{server.url}/first", trust_env=False)
    before = {*metrics(server)}
    for number in range(20):
        httpx.request(f"M{number}", f"{server.url}/{SECRET}{number}", trust_env=False)
    assert {*metrics(server)} == before


def test_openapi_has_schemas_and_live_examples(server: Running) -> None:
    spec = httpx.get(f"{server.url}/docs.json", trust_env=False).json()
    operation = spec["paths"]["/score"]["post"]
    assert {"Item", "Volume", "Result", "CategoryResult", "EscalationResult"} <= set(spec["components"]["schemas"])
    assert post(server, operation["requestBody"]["content"]["application/json"]["example"]).status_code == 200
    example = operation["responses"]["200"]["content"]["application/json"]["example"]
    assert example == read_json(write_results(SAMPLE_RESULTS))


@pytest.mark.parametrize("path", ["taxonomy", "policy", "model"])
def test_tables_and_model_are_answered_as_documented(server: Running, path: str) -> None:
    answer = httpx.get(f"{server.url}/{path}", trust_env=False)
    spec = httpx.get(f"{server.url}/docs.json", trust_env=False).json()
    schema = spec["paths"][f"/{path}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    if "$ref" in schema:
        schema = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    assert set(schema["required"]) <= set(answer.json()) <= set(schema["properties"])


def test_tables_and_model_hold_what_an_integrator_needs(server: Running) -> None:
    def get(path: str) -> dict[str, Any]:
        return httpx.get(f"{server.url}/{path}", trust_env=False).json()  # type: ignore[no-any-return]

    taxonomy, policy, model = get("taxonomy"), get("policy"), get("model")
    assert [severity["rank"] for severity in taxonomy["severities"]] == [0, 1, 2, 3, 4]
    assert [category["id"] for category in taxonomy["categories"]] == model["categories"]
    assert policy["bands"][-1]["below"] is None
    assert len(policy["matrix"]["4"]) == len(policy["bands"])
    assert model["metrics"]["text"]
    assert model["calibration_age_days"] >= 0
    assert all(head["stale"] == (head["age_days"] > head["stale_after_days"]) for head in model["escalation"].values())
    assert "##" in model["card"]
