"""From the shards to the output: rows in their order, repeats with the answer of the first, rejects in a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic_core import from_json, to_json

from data.files import whole
from data.recent import Recent
from serving.batch.shard import Answered, read_error, read_shard
from serving.batch.sinks import KINDS


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of the rows: read = scored + failed, always.

    `repeated` of them have the answer of an equal text before, `resumed` were answered by a run that was stopped,
    `settled` by the first stage alone.
    """

    scored: int = 0
    failed: int = 0
    repeated: int = 0
    resumed: int = 0
    settled: int = 0

    @property
    def read(self) -> int:
        return self.scored + self.failed

    def add(self, rows: list[Answered], repeated: int) -> Summary:
        failed = sum(bool(row.error) for row in rows)
        return replace(
            self,
            scored=self.scored + len(rows) - failed,
            failed=self.failed + failed,
            repeated=self.repeated + repeated,
            settled=self.settled + sum(row.settled for row in rows),
        )


def rejects_path(target: Path) -> Path:
    """Where the rows that could not be scored are listed; the file is there only if there are any."""
    return target.with_name(target.name + ".rejects.jsonl")


def assemble(shards: Iterator[bytes], target: Path, kind: str, scratch: Path) -> Summary:
    """Write `target` and its rejects, in the folder `scratch` until they are whole; the rejects appear first."""
    summary, answers = Summary(), Recent[Answered]()
    rejects = rejects_path(target)
    with whole(target, scratch) as part, whole(rejects, scratch) as rejected:
        with KINDS[kind].open(part) as write, rejected.open("wb") as bad:
            for blob in shards:
                rows = list(read_shard(blob))
                repeated = sum(not row.body for row in rows)
                rows = [_complete(row, answers) for row in rows]
                write([(row.id, row.body) for row in rows])
                bad.writelines(map(_reject, filter(lambda row: row.error, rows)))
                summary = summary.add(rows, repeated)
        if not summary.failed:
            rejected.unlink()
            rejects.unlink(missing_ok=True)
    return summary


def _complete(row: Answered, answers: Recent[Answered]) -> Answered:
    if not row.key:
        return row
    if row.body:
        answers.put(row.key, row)
        return row
    first = answers.get(row.key)
    if first is None:
        raise RuntimeError(
            f"{row.file}:{row.line}: the answer that it repeats is not there: remove the output and retry"
        )
    return replace(row, body=first.body, error=first.error, settled=first.settled)


def _reject(row: Answered) -> bytes:
    error = read_error(row.error)
    place = {"file": row.file, "line": row.line, "id": from_json(row.id)}
    return to_json({**place, "code": error.code, "reason": error.message}) + b"\n"
