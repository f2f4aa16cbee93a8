"""What every operation of the OpenAPI text may answer: errors with an example each, headers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Spec = dict[str, Any]

REF = "#/components/schemas/{model}"

ERRORS = {
    400: ("The body breaks the schema; the message names place and reason.", "invalid_input", "items[1].text: …"),
    401: ("No key, or an unknown one.", "unauthorized", "no API key: send Authorization: Bearer <key>"),
    403: (
        "The key lacks the scope; or no key is configured and the caller is not this machine itself.",
        "forbidden",
        "press may not do this: /score needs …",
    ),
    404: ("Nothing by this id, or the service was not told to do this.", "unknown_prediction", "no prediction …"),
    405: ("Another method.", "method_not_allowed", "method not allowed: use POST"),
    408: ("The body came too slowly.", "body_timeout", "the body must arrive within 20 s"),
    409: ("The same thing is under way; see Retry-After.", "idempotency_key_in_use", "the first request with …"),
    413: ("The body is too large.", "too_large", "the body must be at most 2097152 bytes: send fewer items"),
    415: ("No JSON, or compressed.", "unsupported_media_type", "Content-Type must be application/json"),
    422: ("Understood, but not possible.", "idempotency_key_reused", "this Idempotency-Key came with …"),
    429: ("Too many requests of this key; see Retry-After.", "rate_limited", "press may ask 50 times a second: …"),
    500: ("A fault of the service.", "internal_error", "the service failed: tell the operator the request id …"),
    503: ("Too many requests, or the store is away; see Retry-After.", "overloaded", "64 requests are under way, …"),
    504: (
        "No answer within 120 s; `error` is a plain text here. What was begun goes on: repeat it with the same "
        "Idempotency-Key (409 until it has ended).",
        "timeout",
        "Not able to process the request in 120 seconds",
    ),
}
RETRY = {409, 429, 503}
ALWAYS = (401, 403, 405, 408, 413, 415, 429, 500, 503)


def responses(schema: Spec, example: object, more: tuple[int, ...] = ()) -> Spec:
    media: Spec = {"schema": schema} | ({"example": example} if example is not None else {})
    done = {"description": "Done", "content": {"application/json": media}, "headers": _headers(200)}
    return {"200": done, **refusals(sorted((*ALWAYS, *more)))}


def refusals(statuses: Iterable[int]) -> Spec:
    return {str(status): _refused(status) for status in statuses}


def _refused(status: int) -> Spec:
    description, code, message = ERRORS[status]
    schema = {"$ref": REF.format(model="Error")} if status != 504 else {"type": "object"}
    example = {"error": {"code": code, "message": message}} if status != 504 else {"error": message}
    content = {"application/json": {"schema": schema, "example": example}}
    headers = {"headers": _headers(status)} if status != 504 else {}
    return {"description": description, "content": content, **headers}


def _headers(status: int) -> Spec:
    found: Spec = {"X-Request-ID": {"description": "stands in the logs", "schema": {"type": "string"}}}
    if status in RETRY:
        found["Retry-After"] = {"description": "seconds", "schema": {"type": "integer"}}
    return found
