"""Lines and CSV records of damaged files: bounded in memory, and a record that is none costs its first line alone."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TextIO

# Characters of one line: a file that is not what it says must not fill the memory.
MAX_LINE = 16 * 1024 * 1024
MAX_CSV_LINE = 1024 * 1024  # less, as every other character may begin a cell
MARK = "\ufeff"  # of the byte order; codecs that know none leave it, and files joined by hand have two


@dataclass(frozen=True, slots=True)
class Line:
    """A line and its number from 1; a line past the limit is cut there and its rest skipped."""

    number: int
    text: str
    cut: bool = False


def bounded_lines(file: TextIO, limit: int) -> Iterator[Line]:
    """Every line, at most `limit` characters of each; the first without its byte order marks."""
    number = 0
    while text := file.readline(limit):
        number += 1
        more, cut = text, False
        while len(more) == limit and not more.endswith(("\n", "\r")):
            more = file.readline(limit)
            cut = cut or bool(more)
        yield Line(number, text.lstrip(MARK) if number == 1 else text, cut)


@dataclass(frozen=True, slots=True)
class Record:
    """Cells of a record and the line on which it begins; or why its first line is none."""

    line: int
    cells: list[str]
    fault: str = ""


class _Feed:
    """Lines for csv.reader that remembers those of the record under way, so that they can be given back."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = iter(lines)
        self._back: deque[Line] = deque()
        self.taken: list[Line] = []

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else next(self._lines)
        self.taken.append(line)
        return line.text

    def give_back(self) -> None:
        """All lines of the record but the first come again."""
        self._back.extendleft(reversed(self.taken[1:]))


def csv_records(lines: Iterable[Line], separator: str = ",") -> Iterator[Record]:
    """RFC 4180 records. A quote that is broken or never closed, or a cut, costs its own line, not those after it.

    The search for the closing quote ends at csv.field_size_limit (131,072 characters), so memory is bounded. One that
    was forgotten and is closed by a quote at the end of a later line (15") takes the lines between into its record:
    a post with a numbered list looks the same.
    """
    feed = _Feed(lines)
    reader = csv.reader(feed, delimiter=separator, strict=True)
    while True:
        feed.taken = []
        try:
            cells = next(reader)
            if any(line.cut for line in feed.taken):  # what stood behind the cut is lost, a part of the text maybe
                raise csv.Error(f"a line of more than {MAX_CSV_LINE} characters")
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(feed.taken[0].number, [], str(error))
            feed.give_back()
        else:
            yield Record(feed.taken[0].number, cells)
