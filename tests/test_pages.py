"""The pages beside the scoring: what they show is what is in use."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
from keyword_scorer import KeywordScorer

from models.bundle import open_bundle
from models.policy import Policy
from serving.live import Live, Loaded
from serving.pages import build_pages
from serving.settings import Settings


class Edited(KeywordScorer):
    policy = replace(Policy.load(), version="edited")


def get(path: str, scorer: KeywordScorer) -> Any:
    pages = build_pages()
    pages.state.live = Live(Settings(), lambda _: Loaded(scorer, open_bundle(None)))
    pages.state.recorder = SimpleNamespace(memory=None, monitor=None)

    async def run() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(pages), base_url="http://x") as http:
            return (await http.get(path)).json()

    return asyncio.run(run())


def test_a_slash_too_many_is_an_error_and_no_redirect() -> None:
    assert get("/policy/", KeywordScorer())["error"]["code"] == "not_found"
    assert get(f"/predictions/{'0' * 32}/", KeywordScorer())["error"]["code"] == "not_found"


def test_the_policy_is_that_of_the_scorer_that_answers() -> None:
    assert get("/policy", Edited())["version"] == "edited"
    found = get("/policy", KeywordScorer())
    assert found["version"] == Policy.load().version
    assert found["signals"]["watch_word"]["name"] == "关键词监测"
