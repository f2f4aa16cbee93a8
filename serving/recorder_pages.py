"""`POST /feedback`, `DELETE /predictions/{id}` and `GET /drift`, as routes of the pages."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from data.errors import InputError, YujingError
from serving.drift.calibration import Calibration, calibration
from serving.drift.report import DriftReport
from serving.gate.refusal import answer
from serving.recorder import Recorder
from serving.store.errors import StoreDownError, UnknownPredictionError
from serving.store.records import Correction
from serving.wire import read_record

if TYPE_CHECKING:
    from serving.store.memory import Memory

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
    """The report and, where there is a store, how true this model's likelihoods of escalation were."""

    escalation: Calibration | None
    """Likelihoods against known outcomes; null without a store that can be read."""


_DRIFT = TypeAdapter(DriftAnswer)
_CORRECTION = TypeAdapter(Correction)


def _recorder(request: Request) -> Recorder:
    recorder: Recorder = request.app.state.recorder
    return recorder


def _memory(request: Request) -> Memory:
    if (found := _recorder(request).memory) is None:
        raise OffError("this service stores nothing: start it with YUJING_STORE=FOLDER (yujing serve --store)")
    return found


async def feedback(request: Request) -> Response:
    """Keep a correction; it is on the disk when this answers."""
    correction = read_record(_CORRECTION, await _body(request))
    await run_in_threadpool(_memory(request).correct, correction)
    return JSONResponse({"prediction_id": correction.prediction_id, "stored": True})


async def forget(request: Request) -> Response:
    """Delete an answer with all that was kept of it."""
    await run_in_threadpool(_memory(request).delete, request.path_params["id"])
    return Response(status_code=204)


async def drift(request: Request) -> Response:
    """The newest posts against the reference."""
    return await run_in_threadpool(_drift, _recorder(request))


def recorder_routes() -> list[Route]:
    """Routes of an application whose `state.recorder` is the running service's own."""
    return [
        Route("/feedback", feedback, methods=["POST"]),
        Route("/predictions/{id}", forget, methods=["DELETE"]),
        Route("/drift", drift, methods=["GET"]),
    ]


def _drift(recorder: Recorder) -> Response:
    if (monitor := recorder.monitor) is None:  # read once: a reload may exchange it meanwhile
        raise OffError("there are no reference statistics of this model: make them with `yujing drift reference`")
    report = monitor.report()
    known = {field.name: getattr(report, field.name) for field in fields(report)}
    found = DriftAnswer(**known, escalation=_escalation(recorder.memory, report.reference_model))
    return Response(_DRIFT.dump_json(found), media_type="application/json")


def _escalation(memory: Memory | None, model: str) -> Calibration | None:
    """Of this model only: what an earlier one said does not tell how true this one is."""
    try:
        return calibration(memory.outcomes(model, OUTCOMES)) if memory else None
    except StoreDownError:
        return None


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLargeError(f"the body must be at most {MAX_BODY} bytes: shorten the note")
    return bytes(body)


async def refuse(_: Request, error: Exception) -> Response:
    """An error of `STATUS` as an answer."""
    status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
    headers = {"Retry-After": str(RETRY_AFTER)} if status == 503 else None
    return answer(status, getattr(error, "code", "error"), str(error), headers)
