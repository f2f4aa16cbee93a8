"""Three labelled posts, as each kind of file has them, and what the loader says of a file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data.loaders import Loaded, load_examples
from data.records import Example, Series
from data.taxonomy import load_taxonomy

TAXONOMY = load_taxonomy()
ROWS = [
    {"id": "a", "text": "公司的充电宝漏电,\n“烧”了", "category": "product_quality", "severity": 3, "source": "weibo"},
    {"id": "b", "text": "今天天气不错", "category": "none", "severity": 0, "published_at": "2024-05-01T08:00:00+08:00"},
    {"id": "c", "text": "还没有标注", "event": "e1"},
]


def as_jsonl(*rows: object) -> bytes:
    return b"".join(
        (row if isinstance(row, bytes) else json.dumps(row, ensure_ascii=False).encode()) + b"\n" for row in rows
    )


def as_csv(rows: Sequence[dict[str, object]]) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [[str(row.get(name, "")) for name in names] for row in rows]
    return "\r\n".join(",".join(f'"{cell}"' for cell in line) for line in [names, *lines]).encode()


def as_parquet(rows: Sequence[dict[str, object]]) -> bytes:
    sink = pa.BufferOutputStream()
    names: dict[str, object] = dict.fromkeys(name for row in ROWS for name in row)
    pq.write_table(pa.Table.from_pylist([names | row for row in rows]), sink)
    return sink.getvalue().to_pybytes()


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def load(folder: Path, name: str, content: bytes) -> Loaded[Example]:
    return load_examples([write(folder, name, content)], TAXONOMY)


def told_of(loaded: Loaded[Example] | Loaded[Series]) -> list[tuple[int, str]]:
    return [(bad.line, bad.field) for bad in loaded.bad]
