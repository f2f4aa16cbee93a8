"""Structured JSON logs with request ids, in which no post's text can stand.

An exception is written as its types and places, never its message: messages quote their input. A message that
repeats the exception's own words (asyncio does that) has them cut out. No client address is written.
"""

from __future__ import annotations

import logging
import logging.config
import traceback
from contextvars import ContextVar
from copy import copy
from typing import Any

from pythonjsonlogger.json import JsonFormatter

REQUEST_ID: ContextVar[str | None] = ContextVar("yujing_request_id", default=None)

LOUD = {"bentoml": logging.INFO, "uvicorn.error": logging.WARNING, "circus": logging.WARNING}


def describe(fault: BaseException) -> str:
    """Types and places of an exception and its causes, without their messages."""
    frames = traceback.extract_tb(fault.__traceback__)
    place = f" in {frames[-1].name}, {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    cause = fault.__cause__ or (None if fault.__suppress_context__ else fault.__context__)
    return f"{type(fault).__name__}{place}" + (f"; from {describe(cause)}" if cause else "")


class SafeFormatter(JsonFormatter):
    """One JSON object per line: time, level, logger, message, request_id, and the fields that a caller adds."""

    def __init__(self) -> None:
        super().__init__(
            "{asctime}{levelname}{name}{message}",
            style="{",
            datefmt="%Y-%m-%dT%H:%M:%S%z",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            json_ensure_ascii=True,  # some readers end a line at U+2028 or U+0085
        )

    def format(self, record: logging.LogRecord) -> str:
        """Write a record without what an exception says."""
        safe = copy(record)
        safe.msg, safe.args = record.getMessage(), None
        fault = record.exc_info[1] if record.exc_info else None
        if fault is not None:
            safe.msg = _without(safe.msg, fault)
            safe.__dict__["fault"] = describe(fault)
        safe.exc_info = safe.exc_text = safe.stack_info = None
        if (request_id := REQUEST_ID.get()) is not None:
            safe.__dict__["request_id"] = request_id
        return super().format(safe)


def _without(message: str, fault: BaseException) -> str:
    for words in (repr(fault), str(fault)):
        message = message.replace(words, f"<{type(fault).__name__}>") if words else message
    return message


def configuration() -> dict[str, Any]:
    """For logging.config: every logger, BentoML's included, writes through the safe formatter to stdout."""
    handler = {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "safe"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"safe": {"()": SafeFormatter}},
        "handlers": {"stdout": handler},
        "loggers": {name: {"level": level, "handlers": [], "propagate": True} for name, level in LOUD.items()},
        "root": {"level": logging.WARNING, "handlers": ["stdout"]},
    }


def configure() -> None:
    """Set the logging of this process; called in the worker and in its supervisor."""
    logging.config.dictConfig(configuration())
    logging.captureWarnings(True)
