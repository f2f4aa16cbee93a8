"""Corpora of a run: rows as a file, and what the run reads of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console

from data.records import Example
from data.taxonomy import load_taxonomy
from models.bundle import Bundle, save_part, text_part
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


def as_if(bundle: Bundle, config: TextConfig, folder: Path, **data: object) -> Bundle:
    """The same weights with the manifest of a run on other files."""
    shutil.copytree(bundle.folder, folder)
    part, about = text_part(bundle), read_corpus(config, TAXONOMY, Console(quiet=True)).about
    changed = {**part.config, "posts": config.posts, "extra": config.extra}
    return save_part(folder, TAXONOMY, {}, text=replace(part, config=changed, data={**about, **data}))
