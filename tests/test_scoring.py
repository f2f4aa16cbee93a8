"""How serving calls the scorer: results that belong to nobody are refused, and long work keeps nobody else waiting."""

from __future__ import annotations

import asyncio
import threading
import warnings
from types import SimpleNamespace

import pytest
from keyword_scorer import KeywordScorer

from data.records import Item
from data.results import Result
from serving.scoring import score_aligned


def test_a_short_list_of_results_is_refused() -> None:
    class Short(KeywordScorer):
        def score(self, items: object) -> list:  # type: ignore[type-arg]
            return []

    with pytest.raises(RuntimeError, match="0 results for 1 items"):
        score_aligned(Short(), [Item(text="好")])


@pytest.mark.parametrize(
    ("posts", "beside"), [([5] * 16, False), ([5] * 17, True), ([5_000], True), ([200] * 16, True)]
)
def test_what_takes_long_to_write_keeps_nobody_else_waiting(posts: list[int], beside: bool) -> None:
    """For the store each text is masked: 16 of 5,000 characters full of numbers stopped the event loop for a second."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # BentoML's own
        from serving.service import Yujing
    threads = []

    async def scored(*_: object) -> list[Result]:
        return []

    def written(*_: object) -> bytes:
        threads.append(threading.current_thread())
        return b"[]"

    live = SimpleNamespace(current=SimpleNamespace(scorer=None))
    service = SimpleNamespace(live=live, batcher=SimpleNamespace(score=scored), _answer=written)
    items = [Item(text="1" * length) for length in posts]
    asyncio.run(Yujing.inner.respond(service, items))  # type: ignore[attr-defined]
    assert [thread is not threading.main_thread() for thread in threads] == [beside]
