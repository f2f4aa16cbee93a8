"""Ask a running service over HTTP: records in, records out."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
from pydantic import TypeAdapter

from data.records import MAX_ITEMS, Item
from data.results import Result
from serving.process import ServiceError

TOO_LARGE = 413

_ITEMS = TypeAdapter(dict[str, list[Item]])
_RESULTS = TypeAdapter(list[Result])


def post_items(url: str, items: Sequence[Item], seconds: float = 120) -> list[Result]:
    """Score items in as few requests as the limit allows; ServiceError when it does not answer well."""
    with httpx.Client(base_url=url, timeout=seconds, trust_env=False) as client:
        parts = (items[start : start + MAX_ITEMS] for start in range(0, len(items), MAX_ITEMS))
        return [result for part in parts for result in _post(client, part)]


def _post(client: httpx.Client, items: Sequence[Item]) -> list[Result]:
    """Score the items of one request; as two requests where the body is too large."""
    body = _ITEMS.dump_json({"items": list(items)}, exclude_none=True)
    try:
        answer = client.post("/score", content=body, headers={"Content-Type": "application/json"})
    except httpx.HTTPError as error:
        raise ServiceError(f"{client.base_url} did not answer: {error or type(error).__name__}") from None
    if answer.status_code == TOO_LARGE and len(items) > 1:
        half = len(items) // 2
        return [*_post(client, items[:half]), *_post(client, items[half:])]
    if not answer.is_success:
        raise ServiceError(f"{client.base_url} answered {answer.status_code}: {answer.text}")
    return _RESULTS.validate_json(answer.content)
