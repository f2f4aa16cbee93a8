"""`yujing score IN OUT`: every row comes back, scored or with its own error, also after a kill in the middle."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from data.errors import InputError
from data.files import real
from data.recent import REMEMBERED
from serving.batch.assemble import Summary, assemble, rejects_path
from serving.batch.encoding import check_encoding
from serving.batch.inputs import Input, find_inputs, would_read
from serving.batch.journal import Journal, open_journal, writing
from serving.batch.pools import Pool
from serving.batch.rows import Columns
from serving.batch.sinks import KINDS
from serving.batch.sources import open_source
from serving.batch.windows import CHARACTERS, ROWS, Window, cut_windows, read_rows

FORMAT = 11  # of the shards: another one does not go on with what this one left


@dataclass(frozen=True, slots=True)
class Status:
    """How far a run is: `share` of the input (0-1), rows answered so far, how many of them by an earlier run."""

    share: float = 0.0
    rows: int = 0
    resumed: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be scored. `model`: whatever the answers depend on; a run goes on only with the same."""

    source: str
    target: Path
    columns: Columns = field(default_factory=Columns)
    encoding: str | None = None
    model: Mapping[str, str] = field(default_factory=dict)
    window: int = ROWS

    @property
    def kind(self) -> str:
        """Of the output, by its suffix; InputError for another."""
        found = [kind for kind in KINDS if self.target.name.lower().endswith(kind)]
        if not found:
            raise InputError(f"{self.target}: unknown kind of file: use a name that ends in {', '.join(KINDS)}")
        return found[0]


def score_files(job: Job, pool: Pool, progress: Callable[[Status], None] = lambda status: None) -> Summary:
    """Score `job.source` into `job.target` in constant memory, going on where a killed run of the same job was.

    InputError: a file, suffix, column or encoding that cannot be used, or a disk that is full; then the target is as
    it was before. A target that is a link stays one: the file to which it leads is written, its rejects beside it.
    """
    job = replace(job, target=real(job.target))
    kind = job.kind
    inputs = find_inputs(job.source)
    with writing(job.target):
        _check(job, inputs)
    with open_journal(job.target, _digest(job, inputs)) as journal:
        todo = _Todo(cut_windows(read_rows(inputs, job.columns, job.encoding), job.window), journal)
        resumed = sum(journal.rows.values())
        for window, blob in pool.run(iter(todo), kind):
            with writing(job.target):
                journal.save(window.number, blob, len(window.rows))
            progress(Status(window.share, sum(journal.rows.values()), resumed))
        with writing(job.target):
            summary = assemble(map(journal.read, range(todo.count)), job.target, kind, journal.folder)
        if summary.read != todo.rows:
            raise RuntimeError(f"{todo.rows} rows were read and {summary.read} answered: {job.target} is wrong")
    return replace(summary, resumed=resumed)


class _Todo:
    """The windows that the journal does not have; counts them all."""

    def __init__(self, windows: Iterator[Window], journal: Journal) -> None:
        self._windows, self._journal = windows, journal
        self.count = self.rows = 0

    def __iter__(self) -> Iterator[Window]:
        for window in self._windows:
            self.count += 1
            self.rows += len(window.rows)
            if window.number not in self._journal.rows:
                yield window


def _digest(job: Job, inputs: Sequence[Input]) -> str:
    """Identity of a job: the same files, columns, model and way of cutting give the same shards."""
    parts = {
        "format": FORMAT,
        "inputs": [(one.name, one.fingerprint()) for one in inputs],
        "columns": asdict(job.columns),
        "encoding": job.encoding,
        "model": dict(job.model),
        "cut": (job.window, CHARACTERS, REMEMBERED),
        "body": KINDS[job.kind].body.__name__,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _check(job: Job, inputs: Sequence[Input]) -> None:
    target = job.target
    _check_target(target)
    for written in (target, rejects_path(target)):
        if any(Path(one.path).exists() and written.exists() and written.samefile(one.path) for one in inputs):
            raise InputError(f"{written} is the input: give another file to write")
        if where := would_read(job.source, written):
            raise InputError(f"{written} {where} that is read, so the next run would read it: give a file elsewhere")
    if job.encoding:
        check_encoding(job.encoding)
    for one in inputs:
        with open_source(one, job.columns, job.encoding):
            pass


def _check_target(target: Path) -> None:
    if target.parts[0].endswith(":"):  # s3://bucket/out.csv, as a path has it
        raise InputError(f"{target}: OUT is a file on this machine: copy it from here to where it shall be")
    for written in (target, rejects_path(target)):
        if written.is_dir():
            raise InputError(f"{written} is a directory: give another file to write")
    if not target.parent.is_dir():
        raise InputError(f"{target.parent}: no such directory: make it first")
    if target.exists() and not os.access(target, os.W_OK):
        raise InputError(f"{target} is read-only: give another file to write")
