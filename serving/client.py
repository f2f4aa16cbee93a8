"""Ask a running service over HTTP: records in, records out."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
from pydantic import TypeAdapter

from data.records import MAX_ITEMS, Item, Result
from serving.process import ServiceError

_ITEMS = TypeAdapter(dict[str, list[Item]])
_RESULTS = TypeAdapter(list[Result])


def post_items(url: str, items: Sequence[Item], seconds: float = 120) -> list[Result]:
    """Score items in as few requests as the limit allows; ServiceError when it does not answer well."""
    results: list[Result] = []
    with httpx.Client(base_url=url, timeout=seconds, trust_env=False) as client:
        for start in range(0, len(items), MAX_ITEMS):
            body = _ITEMS.dump_json({"items": list(items[start : start + MAX_ITEMS])}, exclude_none=True)
            try:
                answer = client.post("/score", content=body, headers={"Content-Type": "application/json"})
            except httpx.HTTPError as error:
                raise ServiceError(f"{url} did not answer: {error or type(error).__name__}") from None
            if not answer.is_success:
                raise ServiceError(f"{url} answered {answer.status_code}: {answer.text}")
            results += _RESULTS.validate_json(answer.content)
    return results
