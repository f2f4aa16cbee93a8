"""The BentoML service: a shell around the scorer.

    yujing serve  # or: bentoml serve serving.service:Yujing
    curl localhost:3000/score -H 'Content-Type: application/json' -d '{"items": [{"id": "w1", "text": "…"}]}'

BentoML's adaptive batching is off: in its merged batches one failure is every caller's failure, a request above
max_batch_size is refused, and the default max_latency_ms lets a caller wait for a minute. Requests meet in
`serving.micro_batch` instead: those that come while the scorer is busy are one call.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from functools import partial
from typing import Annotated

from serving.heap import calm, resting, settle

with resting():  # what is imported stays, and was walked again and again
    import bentoml
    from anyio.to_thread import run_sync
    from starlette.responses import Response

    from data.records import Item
    from data.results import Result
    from models.lean import hide
    from serving import live, logs, metrics
    from serving.direct import Direct
    from serving.examples import SAMPLE_ITEMS, SAMPLE_RESULTS, WithExample
    from serving.gate.chain import Gate
    from serving.gate.key_ring import KeyRing
    from serving.known_settings import idle_settings, unknown_settings
    from serving.micro_batch import SMALL, MicroBatcher
    from serving.openapi import complete
    from serving.pages import build_pages
    from serving.recorder import Recorder
    from serving.scoring import SupportsServing
    from serving.settings import Settings
    from serving.wire import Items, write_results

Results = Annotated[list[Result], WithExample(SAMPLE_RESULTS)]

QUICK = 2_000  # characters of all items

PAGES = build_pages()

logger = logging.getLogger("bentoml.yujing")


def _is_long(items: Items) -> bool:
    """Whether `_answer` may take longer than the event loop should: 0.1 to 0.3 ms an item, and masking for the store.

    Masking takes up to 15 ms for 1,000 characters full of numbers: 16 posts of 5,000 stopped the probes for 1.2 s.
    """
    return len(items) > SMALL or sum(len(item.text or "") for item in items) > QUICK


def without_spans(env: Mapping[str, str]) -> str:
    """Pattern of the addresses for which no span is begun; one that nobody gets costs 0.1 ms a request."""
    return "" if env.get("OTEL_SDK_DISABLED", "true").strip().lower() == "false" else ".*"


@bentoml.asgi_app(PAGES, path="/")
@bentoml.service(
    name="yujing",
    workers=1,
    http={"host": "127.0.0.1", "port": 3000},
    traffic={"timeout": 120},
    envs=[  # yours win
        {"name": "OTEL_SDK_DISABLED", "value": "true"},  # BentoML has no exporter to send spans to
        {"name": "HF_HUB_OFFLINE", "value": "1"},  # a base encoder is at hand, or refused before the start
    ],
    tracing={"excluded_urls": without_spans(os.environ)},
    metrics={"enabled": False},  # ours are in serving.metrics, which says why
    logging={"access": {"enabled": False}},  # ours is in serving.gate.front
)
class Yujing:
    """Category, severity and likelihood of escalation of Chinese posts; who should act, and how fast."""

    def __init__(self) -> None:
        calm()
        hide("pandas")
        logs.configure()
        metrics.forget_dead_workers()
        for told in (*unknown_settings(os.environ), *idle_settings(os.environ)):
            logger.warning(told)
        settings = Settings.from_env()
        keys = PAGES.state.keys = KeyRing.of(settings)
        self.live = PAGES.state.live = live.Live(settings, live.load_tested)
        model = self.live.current.scorer.model_id
        self.recorder = PAGES.state.recorder = Recorder.open(settings, model)
        self.batcher = MicroBatcher()
        PAGES.state.respond = self.respond
        PAGES.state.openapi = complete(Yujing.openapi_spec.asdict(), keys.configured, settings.public)  # type: ignore[attr-defined]
        settle()
        who = "callers with a key" if keys.configured else "anybody" if settings.anonymous else "this machine only"
        logger.info("ready", extra={"model": model, "answers": who})

    @bentoml.on_deployment  # type: ignore[untyped-decorator]
    @staticmethod
    def supervise() -> None:
        """Runs once in the supervisor, before its workers: its lines shall be JSON too."""
        logs.configure()

    @bentoml.api(route="/score")  # type: ignore[untyped-decorator]
    async def score(self, items: Items = SAMPLE_ITEMS) -> Results:
        """Score 1-256 items; the answer is a list aligned with them, each with its own error if any."""
        return await self.respond(items)  # type: ignore[return-value]

    async def respond(self, items: list[Item]) -> Response:
        """What `score` sends, also where `Direct` calls it."""
        scorer = self.live.current.scorer
        start = time.perf_counter()
        results = await self.batcher.score(scorer, items)
        seconds = time.perf_counter() - start
        metrics.ENGINE_SECONDS.observe(seconds)
        answer = partial(self._answer, scorer, items, results, seconds)
        blob = await run_sync(answer) if _is_long(items) else answer()
        # Written here because BentoML's own writer escapes all Chinese as \uXXXX.
        return Response(blob, media_type="application/json")

    def _answer(self, scorer: SupportsServing, items: Items, results: list[Result], seconds: float) -> bytes:
        """Count, remember and write results."""
        metrics.count(results, scorer.policy)
        return write_results(self.recorder.record(items, results, seconds))

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        """Answer what is under way; write what waits for the store."""
        self.batcher.close()
        self.recorder.close()


# The first is the outermost.
Yujing.add_asgi_middleware(Gate, keys=lambda: PAGES.state.keys)  # type: ignore[attr-defined]
Yujing.add_asgi_middleware(Direct, respond=lambda items: PAGES.state.respond(items))  # type: ignore[attr-defined]
