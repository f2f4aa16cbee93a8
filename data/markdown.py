"""Markdown: tables, and blocks of a page that are written by a command."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from data.errors import ConfigError


def table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A table without a final line break."""
    first, *rest = (f"| {' | '.join(map(str, cells))} |" for cells in [head, *rows])
    return "\n".join([first, "|---" * len(head) + "|", *rest])


def fill(page: str, name: str, block: str) -> str:
    """The page with the block between its two marks; ConfigError when they are not there once."""
    marks = f"<!-- {name} -->", f"<!-- /{name} -->"
    pattern = re.compile(f"{re.escape(marks[0])}.*?{re.escape(marks[1])}", re.DOTALL)
    filled, found = pattern.subn(lambda _: f"{marks[0]}\n{block}\n{marks[1]}", page)
    if found != 1:
        raise ConfigError(f"{found} blocks between {' and '.join(marks)}: the page needs exactly one")
    return filled
