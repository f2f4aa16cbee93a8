"""The OpenAPI text: BentoML's, completed with what stands before and beside `POST /score`."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import TypeAdapter

from data.records import Item
from serving.examples import SAMPLE_ITEMS, SAMPLE_RESULTS
from serving.gate.endpoints import find
from serving.gate.idempotency import FAULTS, MAX_BYTES, MAX_ENTRIES, MAX_SECONDS
from serving.openapi_answers import REF, Spec, refusals, responses
from serving.openapi_schemas import schemas
from serving.settings import Group
from serving.store.records import PREDICTION_ID
from serving.wire import read_json, write_results

VERSION = "1.0.0"  # of the contract, not of the package: fields are added (minor), none is changed or removed (major)
ABOUT = """Risk classification of Chinese public-opinion crises. Times are ISO 8601 with a zone; `rank` rises with harm.

The version is that of this contract, not of the package. Additive versioning: new fields and codes may come at any
time, so ignore what you do not know; none changes its meaning.
Every error of the service is `{"error": {"code", "message"}}` and carries `X-Request-ID`; two stand outside of it
and have neither: the 504 of the timeout, and the answer to broken HTTP (400; 431 for a head above 64 KiB).
A service without API keys answers its own machine only (403 `no_keys` to others), and never through a proxy: requests
with Forwarded, X-Forwarded-For, X-Forwarded-Host, X-Real-IP or Via, and those of HTTP/1.0, come from somebody else.
Nor does it take what a browser sends for a page of another origin (403 `cross_site`): a POST or DELETE whose
Sec-Fetch-Site is neither same-origin nor none, or, where there is none, whose Origin is another."""


def _listed(model: str, meaning: str) -> Spec:
    return {"type": "array", "description": meaning, "items": {"$ref": REF.format(model=model)}}


TAXONOMY: Spec = {
    "type": "object",
    "required": ["version", "categories", "severities"],
    "properties": {
        "version": {"type": "string", "description": "The table's own."},
        "categories": _listed("Category", "All, in their order; the first is no crisis."),
        "severities": _listed("Severity", "All, by rank from 0 up."),
    },
}
RELOADED: Spec = {
    "type": "object",
    "required": ["model", "previous"],
    "properties": {
        "model": {"type": "string", "description": "Id of the bundle that answers now."},
        "previous": {"type": "string", "description": "Id of the one that answered before."},
    },
    "example": {"model": "yujing-risk:4424b4be3613", "previous": "yujing-risk:1a2b3c4d5e6f"},
}
CORRECTION: Spec = {
    "prediction_id": "0" * 32,
    "who": "王",
    "category": "food_health_safety",
    "severity": 3,
    "note": "三名儿童送医",
}
STORED: Spec = {
    "type": "object",
    "required": ["prediction_id", "stored"],
    "properties": {
        "prediction_id": {"type": "string", "description": "That of the correction."},
        "stored": {"const": True, "description": "It is on the disk."},
    },
    "example": {"prediction_id": "0" * 32, "stored": True},
}
KEPT = f"up to {MAX_SECONDS / 3600:.0f} h, {MAX_ENTRIES:,} answers or {MAX_BYTES >> 20} MiB, all callers together"
HEADERS: list[Spec] = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": f"Repeats get the first answer ({KEPT}; until a restart, or until a prediction in it is "
        f"deleted; not one with an item of {' or '.join(FAULTS)}, which is scored anew); 409 while the first is "
        "under way, 422 for another body.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    },
    {
        "name": "X-Request-ID",
        "in": "header",
        "required": False,
        "description": "Yours for the logs, 1-64 of A-Z a-z 0-9 . _ -; else one is made. It comes back.",
        "schema": {"type": "string"},
    },
]


def complete(spec: Spec, keyed: bool, public: Collection[Group]) -> Spec:
    """BentoML's spec with our paths, errors, keys and examples; 3.1, since its schemas are what pydantic writes.

    `public`: groups of pages that need no key.
    """
    score: Spec = spec["paths"]["/score"]["post"]
    infra = {
        path: {"get": _infra(path, item["get"], public)} for path, item in spec["paths"].items() if path != "/score"
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Yujing 预警", "version": VERSION, "description": ABOUT},
        "servers": spec["servers"],
        "tags": spec["tags"],
        "security": [{"bearer": []}, {"header": []}] if keyed else [],
        "paths": {"/score": {"post": _score(score)}, **_pages(), **infra},
        "components": {"schemas": schemas(), "securitySchemes": _keys()},
    }


def _infra(path: str, operation: Spec, public: Collection[Group]) -> Spec:
    named = {**operation, "operationId": path.strip("/")}
    if (endpoint := find(path)) is not None and endpoint.group in public:
        return {**named, "security": []}
    return {**named, "responses": {**operation["responses"], **refusals((401, 403))}}


def _score(operation: Spec) -> Spec:
    example = {"items": SAMPLE_ITEMS}
    body = TypeAdapter(dict[str, list[Item]]).dump_python(example, mode="json", exclude_none=True)
    results = {"type": "array", "items": {"$ref": REF.format(model="Result")}}
    request = {"schema": {"$ref": REF.format(model="ScoreRequest")}, "example": body}
    return {
        **operation,
        "summary": "Score posts and volumes",
        "parameters": HEADERS,
        "requestBody": {"required": True, "content": {"application/json": request}},
        "responses": responses(results, read_json(write_results(SAMPLE_RESULTS)), (400, 409, 422, 504)),
    }


def _pages() -> Spec:
    policy: Spec = {"$ref": REF.format(model="PolicyTable")}
    model: Spec = {"$ref": REF.format(model="ModelDescription")}
    reload = {"schema": {"$ref": REF.format(model="Reload")}, "example": {"bundle": None}}
    exchange = "Exchange the bundle without dropping a request (scope admin)"
    swap = _page("reload", exchange, RELOADED, (400, 409, 422, 504))
    drift: Spec = {"$ref": REF.format(model="DriftAnswer")}
    correction = {"schema": {"$ref": REF.format(model="Correction")}, "example": CORRECTION}
    kept = "Keep a correction, durable before it is answered (scope feedback)"
    feedback = _page("feedback", kept, STORED, (400, 404, 409, 422, 504))
    posted = {"parameters": HEADERS, "requestBody": {"required": True, "content": {"application/json": correction}}}
    return {
        "/drift": {"get": _page("drift", "The newest posts against the reference statistics", drift, (404, 504))},
        "/feedback": {"post": {**feedback, **posted}},
        "/predictions/{id}": {"delete": _deletion()},
        "/taxonomy": {"get": _page("taxonomy", "Categories and severities with their definitions", TAXONOMY)},
        "/model": {"get": _page("model", "The model that answers now: card, metrics, age of the calibration", model)},
        "/policy": {"get": _page("policy", "The table that joins severity and likelihood", policy)},
        "/admin/reload": {
            "post": {**swap, "requestBody": {"required": False, "content": {"application/json": reload}}}
        },
    }


def _deletion() -> Spec:
    page = _page("forget", "Delete an answer with all that was kept of it (scope feedback)", {}, (404, 504))
    answers = {"204": {"description": "Deleted"}, **{k: v for k, v in page["responses"].items() if k != "200"}}
    place: Spec = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "pattern": PREDICTION_ID}}
    return {**page, "parameters": [place, *page["parameters"]], "responses": answers}


def _page(name: str, summary: str, schema: Spec, more: tuple[int, ...] = ()) -> Spec:
    return {
        "summary": summary,
        "operationId": f"yujing__{name}",
        "tags": ["Service APIs"],
        "parameters": HEADERS[1:],
        "responses": responses(schema, schema.get("example"), more),
    }


def _keys() -> Spec:
    return {
        "bearer": {"type": "http", "scheme": "bearer", "description": "a key of `yujing keys new`"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
