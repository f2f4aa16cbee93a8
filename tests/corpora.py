"""Corpora of a run: rows as a file, and what the run reads of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console

from data.records import Example
from data.taxonomy import load_taxonomy
from training.corpus import Corpus, read_corpus
from training.text_config import TextConfig

TAXONOMY = load_taxonomy()


def write(path: Path, rows: Iterable[Example]) -> str:
    lines = (json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)


def read(config: TextConfig) -> Corpus:
    return read_corpus(config, TAXONOMY, Console(quiet=True))


def annotated(config: TextConfig, folder: Path, source: str, labels: str) -> TextConfig:
    """The config with labels of two unlabelled posts of a source."""
    posts = [Example(id="u1", text="商场扶梯突然倒转", source=source), Example(id="u2", text="晚霞很美", source=source)]
    (folder / "labels.csv").write_text(f"id,category,severity\n{labels}", encoding="utf-8")
    labelled = (str(folder / "labels.csv"),)
    return replace(config, unlabelled=(write(folder / "un.jsonl", posts),), annotated=labelled, record="no list")
