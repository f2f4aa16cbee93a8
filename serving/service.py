"""The BentoML service: a shell around the scorer.

    yujing serve  # or: bentoml serve serving.service:Yujing
    curl localhost:3000/score -H 'Content-Type: application/json' -d '{"items": [{"id": "w1", "text": "…"}]}'

No adaptive batching, on purpose: a request already is a batch (1-256 items). In a merged batch one failure is
every caller's failure, a request above max_batch_size is refused, and the default max_latency_ms lets a
caller wait for a minute. On a CPU it gains little: cost grows with the number of tokens, not of calls.
"""

from __future__ import annotations

import time
from typing import Annotated

import bentoml
from starlette.responses import Response

from data.records import Result
from serving.examples import SAMPLE_ITEMS, SAMPLE_RESULTS, WithExample
from serving.guard import Guard
from serving.recorder import Recorder
from serving.recorder_app import recorder_app
from serving.scoring import load_scorer, score_aligned
from serving.settings import Settings
from serving.wire import Items, write_results

Results = Annotated[list[Result], WithExample(SAMPLE_RESULTS)]


@bentoml.service(name="yujing", workers=1, http={"host": "127.0.0.1", "port": 3000}, traffic={"timeout": 120})
class Yujing:
    """Category, severity and likelihood of escalation of Chinese posts; who should act, and how fast."""

    def __init__(self) -> None:
        settings = Settings.from_env()
        self.scorer = load_scorer(settings)
        self.recorder = Recorder.open(settings, self.scorer.model_id)

    @bentoml.api(route="/score")  # type: ignore[untyped-decorator]
    def score(self, items: Items = SAMPLE_ITEMS) -> Results:
        """Score 1-256 items; the answer is a list aligned with them, each with its own error if any."""
        start = time.perf_counter()
        results = score_aligned(self.scorer, [*items])
        results = self.recorder.record(items, results, time.perf_counter() - start)
        # Written here because BentoML's own writer escapes all Chinese as \uXXXX.
        return Response(write_results(results), media_type="application/json")  # type: ignore[return-value]

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def close(self) -> None:
        """Write what waits for the store."""
        self.recorder.close()


Yujing.mount_asgi_app(recorder_app(lambda: bentoml.get_current_service().recorder))  # type: ignore[attr-defined]
Yujing.add_asgi_middleware(Guard)  # type: ignore[attr-defined]
