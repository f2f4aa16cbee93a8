"""The pages beside the scoring: what they show is what is in use."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from keyword_scorer import KeywordScorer

from models.bundle import SHIPPED, open_bundle
from models.policy import Policy
from serving.live import Live, Loaded
from serving.pages import build_pages
from serving.settings import Settings


class Edited(KeywordScorer):
    policy = replace(Policy.load(), version="edited")


def get(path: str, scorer: KeywordScorer) -> Any:
    return answer(path, scorer).json()


def answer(path: str, scorer: KeywordScorer, folder: Path = SHIPPED) -> httpx.Response:
    pages = build_pages()
    pages.state.live = Live(Settings(), lambda _: Loaded(scorer, replace(open_bundle(None), folder=folder)))
    pages.state.recorder = SimpleNamespace(memory=None, monitor=None)

    async def run() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(pages), base_url="http://x") as http:
            return await http.get(path)

    return asyncio.run(run())


def test_a_slash_too_many_is_an_error_and_no_redirect() -> None:
    assert get("/policy/", KeywordScorer())["error"]["code"] == "not_found"
    assert get(f"/predictions/{'0' * 32}/", KeywordScorer())["error"]["code"] == "not_found"


@pytest.mark.parametrize("blob", [None, b"", "模型卡".encode("gbk"), "模型卡".encode("utf-16")])
def test_a_card_that_cannot_be_read_costs_only_itself(blob: bytes | None, tmp_path: Path) -> None:
    if blob is not None:
        (tmp_path / "MODEL_CARD.md").write_bytes(blob)
    found = answer("/model", KeywordScorer(), tmp_path)
    assert found.status_code == 200
    assert (found.json()["card"] is None) == (blob is None)


def test_the_policy_is_that_of_the_scorer_that_answers() -> None:
    assert get("/policy", Edited())["version"] == "edited"
    found = get("/policy", KeywordScorer())
    assert found["version"] == Policy.load().version
    assert found["signals"]["watch_word"]["name"] == "关键词监测"


def test_the_documentation_loads_nothing_from_elsewhere_and_forbids_it() -> None:
    page = answer("/", KeywordScorer())
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert len(loaded) == 6
    assert all(address.startswith("./static_content/") for address in loaded)
    assert "<script>" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "script-src" not in policy  # as default-src: no inline script, no other host
