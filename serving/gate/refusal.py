"""How the service says no: one JSON shape, `{"error": {"code", "message"}}`, whatever the reason."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed", 500: "internal_error"}
GONE = 499  # nginx's word for it, in our metrics and log: nobody is there to be answered


class RefusedError(Exception):
    """A request that gets `status` and a JSON error instead of an answer; `message` never holds a post's text."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.response = answer(status, code, message, headers)


def answer(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An error as a response."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status, headers=headers)


def say_http(request: Request, error: Exception) -> Response:
    """Starlette's own errors (`requires`, unknown method) in our shape."""
    if not isinstance(error, HTTPException):
        raise error
    message = say_method((error.headers or {}).get("Allow", "")) if error.status_code == 405 else error.detail
    return answer(error.status_code, CODES.get(error.status_code, "refused"), message, error.headers)


def say_method(allowed: str) -> str:
    """What a 405 says; `allowed`: the header that tells what would do."""
    return f"method not allowed: use {allowed}" if allowed else "method not allowed: see /docs.json"
