"""What a reader gives: rows, and how far it is; and the check that it has the columns asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from data.encoding import UNDECODABLE
from data.errors import InputError
from data.listed import listed
from serving.batch.inputs import Input
from serving.batch.rows import Columns, Row

TEXT = Columns().text


@dataclass(frozen=True, slots=True)
class Source:
    """Rows to come, and how much of the file has been read (0-1) for the progress bar."""

    rows: Iterator[Row]
    done: Callable[[], float]


def missing(columns: Columns, names: Sequence[str], extras: Sequence[str]) -> dict[str, str]:
    """Columns asked for that are not there, by option; volumes need no text beside them, unless its name was given."""
    wanted = {"--text-column": columns.text} | ({} if columns.id is None else {"--id-column": columns.id})
    alone = "volume" in extras and "volume" in names and columns.text == TEXT
    return {flag: name for flag, name in wanted.items() if name not in names and not (name == TEXT and alone)}


def require(columns: Columns, names: Sequence[str], file: Input, extras: Sequence[str] = ()) -> None:
    """InputError where a column is missing, or there twice.

    `extras`: further columns that are read where they are there.
    """
    for flag, name in missing(columns, names, extras).items():
        if not names:
            raise InputError(f"{file.path} has no column {name!r}: it is empty: take it away")
        if any("\0" in one or UNDECODABLE in one for one in names):
            raise InputError(f"{file.path} begins with bytes that are no text: give --encoding, or a name of its kind")
        raise InputError(f"{file.path} has no column {name!r}: give {flag}, one of: {listed(names)}")
    refuse_doubled(columns, names, file.path, extras)


def refuse_doubled(columns: Columns, names: Sequence[str], where: str, extras: Sequence[str] = ()) -> None:
    """InputError where a column that is read is there twice: one of the two would be read unsaid."""
    for name in (columns.text, columns.id_name, *extras):
        if (count := names.count(name)) > 1:
            raise InputError(f"{where} has {count} columns {name!r}: rename all but one of them")
