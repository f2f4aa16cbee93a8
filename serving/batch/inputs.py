"""What IN names: a file, a glob pattern, a folder, or a URI that pyarrow can open (s3://, gs://, hdfs://)."""

from __future__ import annotations

import gzip
import hashlib
import io
import logging
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
from pyarrow import fs

from data.encoding import detect
from data.errors import InputError
from serving.batch.walk import below, folders_below, matching

logger = logging.getLogger(__name__)

SUFFIXES = (".csv", ".jsonl", ".jsonl.gz", ".parquet")
BUFFER = 1 << 20  # bytes
SECRET = re.compile(r"(?<=://)[^/@\s]*:[^@\s]*@")  # a key and its secret in a URI
TOLD = 3  # names of files in a message


@contextmanager
def unpacking(path: str) -> Iterator[None]:
    """InputError for a packed file that is damaged, or was cut off."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be unpacked: {error}") from None


@dataclass(frozen=True)
class Input:
    """One file; `name` is its path below the folder that was asked for, or that holds all files of the pattern.

    Bytes of the path that are not UTF-8 stand in the name as `\\xcd`, for it goes into ids and rejects.
    """

    system: fs.FileSystem
    path: str
    name: str
    alone: bool = True

    @property
    def suffix(self) -> str:
        """One of SUFFIXES, or "" for another kind of file."""
        return next((suffix for suffix in SUFFIXES if self.name.lower().endswith(suffix)), "")

    @contextmanager
    def open(self) -> Iterator[io.BufferedReader]:
        """The bytes as they are stored; InputError when they cannot be read."""
        with _reading(self.path), io.BufferedReader(self._opened(), BUFFER) as file:
            yield file

    def _opened(self) -> pa.NativeFile:
        return self.system.open_input_file(os.fsencode(self.path))  # bytes: a path need not be UTF-8

    @contextmanager
    def unpacked(self) -> Iterator[io.BufferedReader | gzip.GzipFile]:
        """The content; InputError when it cannot be read or unpacked."""
        with self.open() as file, unpacking(self.path):
            yield gzip.GzipFile(fileobj=file) if self.suffix.endswith(".gz") else file

    @cached_property
    def encoding(self) -> str:
        """That of a text file, found out once: a long beginning of ASCII has to be read through for it."""
        with self.unpacked() as content:
            return detect(cast(BinaryIO, content), self.path)

    def fingerprint(self) -> str:
        """sha256 of the content, unpacked: 1 s for a GB or two, against hours of scoring.

        InputError when it cannot be unpacked to its end: found only when it is reached, it would end a run of hours.
        """
        with self.unpacked() as content:
            return hashlib.file_digest(content, "sha256").hexdigest()


def find_inputs(source: str) -> list[Input]:
    """The files in the order of their names; hidden ones and those that begin with _ are left out of folders.

    So are files of a folder that are of no known kind, which is logged. InputError when there is no file, or when one
    that was named is of an unknown kind.
    """
    with _reading(source):
        found = _find(source)
    if not found:
        named = "one file" if "://" in source else "a file, a pattern such as 'posts/*.csv'"
        shown = _shown(source) or "IN is empty"
        raise InputError(f"{shown}: no such file: give {named} or a folder with {', '.join(SUFFIXES)}")
    for one in found:
        if not one.suffix:
            raise InputError(f"{one.path}: unknown kind of file: use a name that ends in {', '.join(SUFFIXES)}")
    return [Input(one.system, one.path, one.name, alone=len(found) == 1) for one in found]


def would_read(source: str, path: Path) -> str:
    """How `source` takes in a local file that is not there yet: "lies in the folder", "matches the pattern", or ""."""
    if "://" in source:
        system, source = _by_uri(source)
        if not isinstance(system, fs.LocalFileSystem):
            return ""
    if Path(source).is_dir():
        inside = path.resolve().is_relative_to(Path(source).resolve())
        linked = inside or any(path.parent.samefile(one) for one in folders_below(source))
        return "lies in the folder" if linked else ""
    folder, pattern = os.path.split(source)
    if Path(source).exists() or not fnmatchcase(path.name, pattern):
        return ""
    folders = filter(os.path.isdir, matching(folder or "."))  # links to nothing match, too
    return "matches the pattern" if any(path.parent.samefile(one) for one in folders) else ""


def _shown(message: str) -> str:
    """The message without secrets of the URIs in it."""
    return SECRET.sub("***@", message)


@contextmanager
def _reading(place: str) -> Iterator[None]:
    """InputError in the place of an OSError."""
    try:
        yield
    except gzip.BadGzipFile:  # a file that can be read
        raise
    except OSError as error:
        raise InputError(_shown(f"{place} cannot be read: {error}")) from None


def _find(source: str) -> list[Input]:
    if "://" in source:
        system, path = _by_uri(source)
        kind = system.get_file_info(path).type
        return [Input(system, path, Path(path).name)] if kind == fs.FileType.File else _below(system, path)
    if not source:  # as a path it is the folder one stands in
        return []
    if Path(source).is_dir():
        return _below(fs.LocalFileSystem(), str(Path(source)))
    return _matching([source] if Path(source).exists() else matching(source))


def _matching(paths: list[str]) -> list[Input]:
    """Files by their paths below the innermost folder that holds them all: names alone may be the same."""
    folder = os.path.commonpath([os.path.dirname(path) for path in paths]) if paths else ""
    return [Input(fs.LocalFileSystem(), path, _name(path, folder)) for path in paths]


def _by_uri(uri: str) -> tuple[fs.FileSystem, str]:
    try:
        system, path = fs.FileSystem.from_uri(uri)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, UnicodeError) as error:
        raise InputError(_shown(f"{uri} cannot be opened: {error}")) from None
    return system, path


def _below(system: fs.FileSystem, folder: str) -> list[Input]:
    """Files of the known kinds in a folder and its folders."""
    inputs = [Input(system, path, _name(path, folder)) for path in sorted(_files(system, folder))]
    shown = [one for one in inputs if not any(part[0] in "._" for part in Path(one.name).parts)]
    if others := [one.name for one in shown if not one.suffix]:
        named = ", ".join(others[:TOLD]) + (", …" if len(others) > TOLD else "")
        logger.warning("%s: left out what is none of %s: %d (%s)", folder, ", ".join(SUFFIXES), len(others), named)
    return [one for one in shown if one.suffix]


def _files(system: fs.FileSystem, folder: str) -> list[str]:
    if isinstance(system, fs.LocalFileSystem):
        return below(folder)
    if system.get_file_info(folder).type != fs.FileType.Directory:
        return []
    found = system.get_file_info(fs.FileSelector(folder, recursive=True))
    return [info.path for info in found if info.type == fs.FileType.File]


def _name(path: str, folder: str) -> str:
    return os.fsencode(Path(path).relative_to(folder).as_posix()).decode("utf-8", "backslashreplace")
