"""How a command ends: an expected failure is one line on stderr and exit code 2, never a traceback."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import NoReturn

import typer
from pydantic import ValidationError

from data.errors import YujingError


def run(app: typer.Typer) -> NoReturn:
    """Run what the arguments ask for and exit; arguments that are not understood are an expected failure, too."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal or a file name may know fewer characters than we write
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        sys.exit(app(standalone_mode=False))
    except YujingError as error:
        _refuse(str(error))
    except typer.TyperException as error:
        _refuse(_told(error))


def run_function(command: Callable[..., None]) -> NoReturn:
    """As `run`, for a module that is one command: its arguments and its help are those of the function."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    run(app)


def _told(error: typer.TyperException) -> str:
    """What is wrong with the arguments, "" where the help was shown in its place."""
    said = error.format_message().rstrip(".") + _given(error)
    context = getattr(error, "ctx", None)
    return f"{said}: see `{context.command_path} --help`" if said and context else said


def _given(error: typer.TyperException) -> str:
    """The value that an option does not take, where the message lacks it: a script may have passed an empty one."""
    cause = error.__cause__
    shown = repr(cause.errors()[0]["input"]) if isinstance(cause, ValidationError) else ""
    return f" (got {shown})" if shown and shown not in error.format_message() else ""


def _refuse(reason: str) -> NoReturn:
    if reason:
        print(f"yujing: {' '.join(reason.split())}", file=sys.stderr)
    sys.exit(2)
