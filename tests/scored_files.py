"""Files to score by the small scorer, and what comes of them: what the tests of `score_files` share."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path

from keyword_scorer import KeywordScorer

from serving.batch.assemble import Summary
from serving.batch.pools import Here
from serving.batch.rows import Columns
from serving.batch.run import Job, score_files


def score(source: Path | str, target: Path, columns: Columns | None = None, encoding: str | None = None) -> Summary:
    return score_files(Job(str(source), target, columns or Columns(), encoding), Here(KeywordScorer))


def write_csv(path: Path, rows: Sequence[Sequence[str]], encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_jsonl(path: Path) -> list[dict]:  # type: ignore[type-arg]
    blob = path.read_bytes()
    blob = gzip.decompress(blob) if path.suffix == ".gz" else blob
    return [json.loads(line) for line in blob.splitlines()]
