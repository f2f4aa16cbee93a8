"""A server that takes what is sent and never answers (stopped, its disk stuck): its connection is cut after seconds.

`statement_timeout` lies with the server, and TCP's own limits hear the kernel, which still acknowledges. Without this
the writer waited for ever, and the metric said that all was well.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Timer
from typing import Any

from sqlalchemy import Engine

STEPS = ("do_ping", "do_execute", "do_executemany", "do_execute_no_params", "do_commit", "do_rollback")  # of a dialect


def cut_when_silent(engine: Engine, seconds: float) -> None:
    """Each step of the engine that waits for the server fails as a lost connection once it has waited so long."""
    for name in STEPS:
        setattr(engine.dialect, name, _bounded(getattr(engine.dialect, name), seconds))


def _bounded(step: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    def bounded(asked: Any, *arguments: Any, **options: Any) -> Any:
        """`asked`: a cursor, or its connection, which a pool may hold."""
        timer = Timer(seconds, _cut, [asked])
        timer.daemon = True
        timer.start()
        try:
            return step(asked, *arguments, **options)
        finally:
            timer.cancel()

    return bounded


def _cut(asked: Any) -> None:
    """Shut the socket down, so that who reads from it hears the end; psycopg closes it."""
    held = "driver_connection" if hasattr(asked, "driver_connection") else "connection"
    connection = getattr(asked, held, asked)
    with suppress(Exception), socket.socket(fileno=os.dup(connection.fileno())) as link:
        link.shutdown(socket.SHUT_RDWR)
