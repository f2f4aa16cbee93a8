"""The endpoints beside `POST /score`: what the answers mean, what model gives them, its exchange, metrics, docs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import anyio.to_thread
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import ConfigDict, Field, TypeAdapter
from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.authentication import requires
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from data.errors import InputError, YujingError
from models.policy_table import PolicyTable
from serving import metrics
from serving.docs_page import documentation
from serving.gate.places import BODY
from serving.gate.refusal import answer, say_http
from serving.live import BusyError, Live
from serving.model_card import describe_model
from serving.recorder import Recorder
from serving.recorder_pages import STATUS, recorder_routes, refuse
from serving.wire import read_record

_POLICY = TypeAdapter(PolicyTable)


@dataclass(frozen=True, slots=True)
class Reload:
    """The body of `POST /admin/reload`: a folder on the server, None = the one that it was started with."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    bundle: Annotated[str, Field(min_length=1, max_length=4_096)] | None = None


_RELOAD = TypeAdapter(Reload)


def _json(value: Any) -> Response:
    return Response(to_json(value, inf_nan_mode="null"), media_type="application/json")


async def taxonomy(request: Request) -> Response:
    """Categories and severities of the model that answers now, with their definitions."""
    live: Live = request.app.state.live
    table = live.current.bundle.taxonomy
    return _json({"version": table.version, "categories": table.categories, "severities": table.severities})


async def policy(request: Request) -> Response:
    """The risk policy that the answers follow now; a band without an upper end has `below: null`."""
    live: Live = request.app.state.live
    return _json(_POLICY.dump_python(live.current.scorer.policy))


async def model(request: Request) -> Response:
    """The model that answers now: card, metrics, age of the calibration."""
    live: Live = request.app.state.live
    return _json(asdict(describe_model(live.current.bundle, live.settings.calibration_days)))


@requires("admin")
async def reload(request: Request) -> Response:
    """Exchange the bundle; 422 and no exchange when the new one fails its self-test."""
    live: Live = request.app.state.live
    recorder: Recorder = request.app.state.recorder
    previous = live.current.scorer.model_id
    try:
        wanted = read_record(_RELOAD, request.scope[BODY] or b"{}")
    except InputError as error:
        return answer(400, error.code, str(error))
    folder = Path(wanted.bundle) if wanted.bundle else None
    # One function for the thread: it goes on where the caller got BentoML's 504 and this coroutine has ended.
    swap = partial(live.swap, folder, lambda fresh: recorder.follow(fresh.bundle.folder, fresh.scorer.model_id))
    try:
        loaded = await anyio.to_thread.run_sync(swap)
    except BusyError as error:
        return answer(409, error.code, str(error), {"Retry-After": "5"})
    except YujingError as error:
        return answer(422, error.code, str(error))
    return _json({"model": loaded.scorer.model_id, "previous": previous})


async def exposition(_: Request) -> Response:
    """Prometheus metrics."""
    return Response(await anyio.to_thread.run_sync(metrics.exposition), media_type=CONTENT_TYPE_LATEST)


async def openapi(request: Request) -> Response:
    """The whole contract for machines."""
    return _json(request.app.state.openapi)


def build_pages() -> Starlette:
    """The app; `state.live`, `state.recorder` and `state.openapi` must be set before it answers."""
    routes = [
        Route("/taxonomy", taxonomy),
        Route("/model", model),
        Route("/policy", policy),
        Route("/admin/reload", reload, methods=["POST"]),
        Route("/metrics", exposition),
        Route("/docs.json", openapi),
        Route("/", documentation),
        *recorder_routes(),
    ]
    handlers: dict[Any, Any] = {HTTPException: say_http, **dict.fromkeys(STATUS, refuse)}
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False  # a redirect of a DELETE that nobody follows looks like success
    return app
