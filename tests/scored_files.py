"""Files to score and what comes of them, by the small scorer: what the tests of `score_files` share."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from keyword_scorer import POISON, KeywordScorer

from data.records import Item
from data.results import Result
from serving.batch.assemble import Summary
from serving.batch.pools import Here
from serving.batch.rows import Columns
from serving.batch.run import Job, score_files

POSTS = [("a", "买到假货"), ("b", "挺好的"), ("c", f"{POISON}了"), ("d", '仓库爆炸，\n多人受伤，"急"')]


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


def source_of(kind: str, folder: Path) -> Path:
    path = folder / f"in{kind}"
    if kind == ".csv":
        return write_csv(path, [("id", "text"), *POSTS])
    if kind == ".parquet":
        ids, texts = zip(*POSTS, strict=True)
        pq.write_table(pa.table({"text": texts, "id": ids, "unused": texts}), path)
        return path
    lines = "".join(json.dumps({"id": i, "text": text, "source": "x"}) + "\n" for i, text in POSTS).encode()
    path.write_bytes(gzip.compress(lines) if kind.endswith(".gz") else lines)
    return path


def direct() -> list[Result]:
    return KeywordScorer().score([Item(id=i, text=text) for i, text in POSTS])
