"""Text files (also gzipped) as lines: their encoding is found out, and bytes that are none of it are marked."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from data.encoding import MARKS, decoded, detect
from data.errors import CorpusError, InputError

MARK = "\ufeff"  # of the byte order
CONVERT = "convert the file"


@dataclass(frozen=True, slots=True)
class Text:
    """Lines with their ends, UNDECODABLE in the place of bytes that are not of the encoding."""

    lines: Iterator[str]
    encoding: str

    @property
    def foreign(self) -> str:
        """What is wrong with a line that has such bytes."""
        return f"is not {self.encoding.upper()}: {CONVERT}"


@contextmanager
def _content(path: Path) -> Iterator[BinaryIO]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        try:
            yield cast(BinaryIO, file)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise CorpusError(f"{path} is no readable gzip file ({error}): make it again") from None


@contextmanager
def open_text(path: Path, newline: str) -> Iterator[Text]:
    """UTF-8, GB18030 or, by its mark, UTF-16 or UTF-32. CorpusError where it is none of them, or cannot be unpacked."""
    with _content(path) as file:
        try:
            encoding = detect(file, str(path), f"{CONVERT} to UTF-8")
        except InputError as error:
            raise CorpusError(str(error)) from None
        file.seek(0)
        text = decoded(file, encoding, newline)
        yield Text(chain([text.readline().lstrip(MARK)], text), encoding)


def begins_with_nul(path: Path) -> bool:
    """Whether a file's first line has NUL bytes and no mark, as UTF-16 without one has."""
    with _content(path) as file:
        line = file.readline()
    return b"\0" in line and not line.startswith((*MARKS,))
