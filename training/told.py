"""What a run tells on the console; texts of files are printed as they are, never read as rich's markup."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from data.loaders import BadRow
from data.records import Example
from models.bundle import Bundle

SHOWN = 10  # bad rows that are named
EXAMPLES = 3  # texts with two labels that are named


def warn(console: Console, what: str, why: str) -> None:
    """One line: `what` stands out, `why` holds names or cells. A label such as `[/b]` would end the run as markup."""
    console.print(f"[yellow]{what}[/] {escape(why)}")


def left_out(console: Console, why: str) -> None:
    """What does not take part, and why."""
    warn(console, "left out", why)


def tell_bad_rows(console: Console, bad: Sequence[BadRow]) -> None:
    """The first rows that were left out, and how many more there are."""
    _tell(console, "left out", bad, "bad rows")


def tell_unread(console: Console, unread: Sequence[BadRow]) -> None:
    """The first cells that were not read, of rows that are used, and how many more there are."""
    _tell(console, "not read", unread, "cells")


def tell_golden(console: Console, bundle: Bundle) -> None:
    """How to keep golden posts: a bundle that has just been made has none, those of the one before it do not fit."""
    command = f"yujing self-test --write --bundle {shlex.quote(str(bundle.folder))}"
    console.print(f"to test its answers at every start, keep those of today: {command}", markup=False, soft_wrap=True)


def tell_contradictions(console: Console, rows: Sequence[Example]) -> None:
    """How many texts have two labels, with the first ones of them; a label that is not given contradicts none."""
    first: dict[tuple[str, str], Example] = {}
    found: dict[str, str] = {}
    for row in rows:
        for name in ("category", "severity"):
            label = getattr(row, name)
            known = row if label is None else first.setdefault((name, row.text), row)
            if label is not None and getattr(known, name) != label and row.text not in found:
                found[row.text] = f"{known.id} ({name} {getattr(known, name)}) and {row.id} ({label})"
    if found:
        shown = ", ".join([*found.values()][:EXAMPLES])
        warn(console, "labelled in two ways", f"{len(found)} texts, such as {shown}: all of them count: decide on one")


def _tell(console: Console, what: str, rows: Sequence[BadRow], kind: str) -> None:
    for row in rows[:SHOWN]:
        warn(console, what, str(row))
    if len(rows) > SHOWN:
        warn(console, what, f"{len(rows) - SHOWN} more {kind}")
