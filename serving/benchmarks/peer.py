"""The peer of the service: the shortest web app around the same scorer (Starlette and uvicorn, as in FastAPI).

The scorer is the one that the service has: warm, and requests that come together are one batch.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import anyio.to_thread
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from data.records import Item
from models.scorer import Scorer


def build(scorer: Scorer) -> Starlette:
    """An app of POST /score and GET /readyz without checks, limits, logs or metrics."""

    async def score(request: Request) -> Response:
        items = [Item(**raw) for raw in (await request.json())["items"]]
        results = await anyio.to_thread.run_sync(scorer.score, items)
        return JSONResponse([asdict(result) for result in results])

    async def ready(_: Request) -> Response:
        return Response("")

    return Starlette(routes=[Route("/score", score, methods=["POST"]), Route("/readyz", ready)])


def main() -> None:
    """`python -m serving.benchmarks.peer PORT [BUNDLE]`."""
    port, *bundle = sys.argv[1:]
    scorer = Scorer.load(Path(bundle[0]) if bundle else None, threads=1, shared=True)  # warm, as ours is
    uvicorn.run(build(scorer), host="127.0.0.1", port=int(port), log_level="error")


if __name__ == "__main__":
    main()
