"""`POST /feedback`, `DELETE /predictions/{id}` and `GET /drift`, as an application that BentoML mounts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from data.errors import InputError, YujingError
from data.rim import parse
from serving.drift.calibration import Calibration, calibration
from serving.drift.monitor import DriftReport
from serving.recorder import Recorder
from serving.store.database import StoreDownError
from serving.store.memory import Memory, UnknownPredictionError
from serving.store.records import Correction
from serving.wire import read_json

MAX_BODY = 64 * 1024  # bytes: a note of 2,000 characters, each escaped as \uXXXX, is 24 KB
RETRY_AFTER = 10  # seconds
OUTCOMES = 2_000  # newest escalations whose outcome is known


class OffError(YujingError):
    """Something that this service was not told to do."""

    code = "switched_off"


class TooLargeError(YujingError):
    """A body above the limit."""

    code = "too_large"


STATUS: dict[type[Exception], int] = {
    InputError: 400,
    TooLargeError: 413,
    OffError: 404,
    UnknownPredictionError: 404,
    StoreDownError: 503,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftAnswer(DriftReport):
    """The report and, where outcomes were fed back, how true the likelihood of escalation was."""

    escalation: Calibration | None


_DRIFT = TypeAdapter(DriftAnswer)


def recorder_app(recorder: Callable[[], Recorder]) -> Starlette:
    """The application; `recorder` gives the running service's own."""

    def memory() -> Memory:
        if (found := recorder().memory) is None:
            raise OffError("this service stores nothing: start it with YUJING_STORE=FOLDER (yujing serve --store)")
        return found

    async def feedback(request: Request) -> Response:
        correction = parse(Correction, read_json(await _body(request)))
        await run_in_threadpool(lambda: memory().correct(correction))
        return JSONResponse({"prediction_id": correction.prediction_id, "stored": True})

    async def forget(request: Request) -> Response:
        await run_in_threadpool(lambda: memory().delete(request.path_params["id"]))
        return Response(status_code=204)

    async def drift(request: Request) -> Response:
        return await run_in_threadpool(lambda: _drift(recorder()))

    routes = [
        Route("/feedback", feedback, methods=["POST"]),
        Route("/predictions/{id}", forget, methods=["DELETE"]),
        Route("/drift", drift, methods=["GET"]),
    ]
    return Starlette(routes=routes, exception_handlers=dict.fromkeys(STATUS, _refuse))


def _drift(recorder: Recorder) -> Response:
    if recorder.monitor is None:
        raise OffError("there are no reference statistics of this model: make them with `yujing drift reference`")
    report = recorder.monitor.report()
    known = {field.name: getattr(report, field.name) for field in fields(report)}
    answer = DriftAnswer(**known, escalation=_escalation(recorder.memory))
    return Response(_DRIFT.dump_json(answer), media_type="application/json")


def _escalation(memory: Memory | None) -> Calibration | None:
    try:
        return calibration(memory.outcomes(OUTCOMES)) if memory else None
    except StoreDownError:
        return None


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLargeError(f"the body must be at most {MAX_BODY} bytes: shorten the note")
    return bytes(body)


async def _refuse(_: Request, error: Exception) -> Response:
    status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
    code = getattr(error, "code", "error")
    headers = {"Retry-After": str(RETRY_AFTER)} if status == 503 else None
    return JSONResponse({"error": {"code": code, "message": str(error)}}, status, headers)
