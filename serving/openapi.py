"""The OpenAPI text: BentoML's, completed with what stands before and beside `POST /score`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import TypeAdapter

from data.records import Item, Result
from data.taxonomy import Category, Severity, load_taxonomy
from models.policy import Policy
from models.policy_table import PolicyTable
from serving.examples import SAMPLE_ITEMS, SAMPLE_RESULTS
from serving.model_card import ModelDescription
from serving.pages import Reload
from serving.wire import ScoreRequest, read_json, write_results

Spec = dict[str, Any]

VERSION = "1.0.0"  # of the contract: fields are added (minor), none is changed or taken away (major)
REF = "#/components/schemas/{model}"
ABOUT = """Risk classification of Chinese public-opinion crises. Times are ISO 8601 with a zone; `rank` rises with harm.

Additive versioning: new fields and codes may come at any time, so ignore what you do not know; none changes its
meaning.
Every error of the service is `{"error": {"code", "message"}}` and carries `X-Request-ID`."""

ERRORS = {
    400: ("The body breaks the schema; the message names place and reason.", "invalid_input", "items[1].text: …"),
    401: ("No key, or an unknown one.", "unauthorized", "no API key: send Authorization: Bearer <key>"),
    403: ("The key lacks the scope.", "forbidden", "press may not do this: /score needs …"),
    405: ("Another method.", "method_not_allowed", "Method Not Allowed"),
    408: ("The body came too slowly.", "body_timeout", "the body must arrive within 20 s"),
    409: ("The same thing is under way; see Retry-After.", "idempotency_key_in_use", "the first request with …"),
    413: ("The body is too large.", "too_large", "the body must be at most 2097152 bytes: send fewer items"),
    415: ("No JSON, or compressed.", "unsupported_media_type", "Content-Type must be application/json"),
    422: ("Understood, but not possible.", "idempotency_key_reused", "this Idempotency-Key came with …"),
    429: ("Too many requests of this key; see Retry-After.", "rate_limited", "press may ask 50 times a second: …"),
    500: ("A fault of the service.", "internal_error", "the service failed: tell the operator the request id …"),
    503: ("Too many requests at once; see Retry-After.", "overloaded", "32 requests are under way, …"),
    504: ("No answer within 120 s; `error` is a plain text here.", "timeout", "Not able to process the request …"),
}
RETRY = {409, 429, 503}
ALWAYS = (401, 403, 405, 408, 413, 415, 429, 500, 503)

TAXONOMY: Spec = {
    "type": "object",
    "required": ["version", "categories", "severities"],
    "properties": {
        "version": {"type": "string"},
        "categories": {"type": "array", "items": {"$ref": REF.format(model="Category")}},
        "severities": {"type": "array", "items": {"$ref": REF.format(model="Severity")}},
    },
}
RELOADED: Spec = {
    "type": "object",
    "required": ["model", "previous"],
    "properties": {"model": {"type": "string"}, "previous": {"type": "string"}},
    "example": {"model": "yujing-risk:4424b4be3613", "previous": "yujing-risk:1a2b3c4d5e6f"},
}
ERROR: Spec = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        }
    },
}
HEADERS: list[Spec] = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "Repeats get the first answer (24 h, until a restart); another body gets 422.",
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


def complete(spec: Spec, keyed: bool) -> Spec:
    """BentoML's spec with our paths, errors, keys and examples; 3.1, since its schemas are what pydantic writes."""
    score: Spec = spec["paths"]["/score"]["post"]
    infra = {path: item for path, item in spec["paths"].items() if path != "/score"}
    for path, item in infra.items():
        item["get"] |= {"operationId": path.strip("/"), "security": []}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Yujing 预警", "version": VERSION, "description": ABOUT},
        "servers": spec["servers"],
        "tags": spec["tags"],
        "security": [{"bearer": []}, {"header": []}] if keyed else [],
        "paths": {"/score": {"post": _score(score)}, **_pages(), **infra},
        "components": {"schemas": _schemas(), "securitySchemes": _keys()},
    }


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
        "responses": _responses(results, read_json(write_results(SAMPLE_RESULTS)), (400, 409, 422, 504)),
    }


def _pages() -> Spec:
    policy: Spec = {"$ref": REF.format(model="PolicyTable")}
    model: Spec = {"$ref": REF.format(model="ModelDescription")}
    reload = {"schema": {"$ref": REF.format(model="Reload")}, "example": {"bundle": None}}
    swap = _page("Exchange the bundle without dropping a request (scope admin)", RELOADED, (400, 409, 422, 504))
    return {
        "/taxonomy": {"get": _page("Categories and severities with their definitions", TAXONOMY)},
        "/model": {"get": _page("The model that answers now: card, metrics, age of the calibration", model)},
        "/policy": {"get": _page("The table that joins severity and likelihood", policy)},
        "/admin/reload": {
            "post": {**swap, "requestBody": {"required": False, "content": {"application/json": reload}}}
        },
    }


def _page(summary: str, schema: Spec, more: tuple[int, ...] = ()) -> Spec:
    name = "_".join(summary.lower().split()[:3])
    return {
        "summary": summary,
        "operationId": f"yujing__{name}",
        "tags": ["Service APIs"],
        "parameters": HEADERS[1:],
        "responses": _responses(schema, schema.get("example"), more),
    }


def _responses(schema: Spec, example: object, more: tuple[int, ...] = ()) -> Spec:
    media: Spec = {"schema": schema} | ({"example": example} if example is not None else {})
    done = {"description": "Done", "content": {"application/json": media}, "headers": _headers(200)}
    return {"200": done, **{str(status): _refused(status) for status in sorted((*ALWAYS, *more))}}


def _refused(status: int) -> Spec:
    description, code, message = ERRORS[status]
    schema = {"$ref": REF.format(model="Error")} if status != 504 else {"type": "object"}
    example = {"error": {"code": code, "message": message}} if status != 504 else {"error": message}
    content = {"application/json": {"schema": schema, "example": example}}
    return {"description": description, "content": content, "headers": _headers(status)}


def _headers(status: int) -> Spec:
    found: Spec = {"X-Request-ID": {"description": "stands in the logs", "schema": {"type": "string"}}}
    if status in RETRY:
        found["Retry-After"] = {"description": "seconds", "schema": {"type": "integer"}}
    return found


def _keys() -> Spec:
    return {
        "bearer": {"type": "http", "scheme": "bearer", "description": "a key of `yujing keys new`"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }


def _schema(kind: type, mode: Literal["validation", "serialization"]) -> Spec:
    schema = TypeAdapter[Any](kind).json_schema(ref_template=REF, mode=mode)
    return {**schema.pop("$defs", {}), kind.__name__: schema}


def _given(**types: str) -> Spec:
    """What a record's own check demands: these fields, not null."""
    return {"required": list(types), "properties": {name: {"type": kind} for name, kind in types.items()}}


def _schemas() -> Spec:
    found: Spec = {"Error": ERROR}
    for given in (ScoreRequest, Reload):
        found |= _schema(given, "validation")
    for answered in (Result, ModelDescription, PolicyTable, Category, Severity):
        found |= _schema(answered, "serialization")
    found["Item"]["anyOf"] = [_given(text="string"), _given(volume="object")]
    found["Volume"]["anyOf"] = [_given(counts="array"), _given(heat="array", alarm_threshold="number")]
    found["Band"]["properties"]["below"] = {"type": ["number", "null"]}  # JSON has no infinity
    found["Category"]["examples"] = [TypeAdapter(Category).dump_python(load_taxonomy().categories[1])]
    found["PolicyTable"]["examples"] = [{"version": Policy.load().version}]
    return found
