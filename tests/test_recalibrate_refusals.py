"""What `train text --recalibrate` refuses: settings of a training, and posts that cannot calibrate."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from recalibrated import STREAM, config_of
from rich.console import Console

from data.errors import BundleError, ConfigError, CorpusError
from data.taxonomy import load_taxonomy
from models.bundle import Bundle, save_part, text_part
from models.taught import file_sha256
from training.text_config import TextConfig
from training.text_recalibrate import recalibrate_text

TAXONOMY = load_taxonomy()
QUIET = Console(quiet=True)


def rewritten(path: Path, change: Callable[[dict[str, object]], dict[str, object]], rows: int | None = None) -> str:
    lines = Path(STREAM).read_text(encoding="utf-8").splitlines()[:rows]
    made = (json.dumps(change(json.loads(line)), ensure_ascii=False) + "\n" for line in lines)
    path.write_text("".join(made), encoding="utf-8")
    return str(path)


def test_settings_of_a_training_are_refused(tiny_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"start=None: --recalibrate needs .*--set 'start="):
        recalibrate_text(TextConfig(posts=(STREAM,), out=str(tmp_path)), QUIET)
    odd: dict[str, object] = {"epochs": 3, "teacher": "x", "held_out_source": "sample", "extra": ()}
    for name, value in odd.items():
        with pytest.raises(ConfigError, match=rf"^{name}=.* reads only posts, start, test, seed, threads, out"):
            recalibrate_text(config_of(tiny_bundle, STREAM, tmp_path, **{name: value}), QUIET)
    with pytest.raises(BundleError, match=r"no readable manifest\.json"):
        recalibrate_text(TextConfig(start=str(tmp_path / "nowhere"), posts=(STREAM,)), QUIET)
    bare = save_part(tmp_path / "bare", None, {})
    with pytest.raises(BundleError, match="has no text model"):
        recalibrate_text(config_of(bare, STREAM, tmp_path), QUIET)


def test_posts_that_cannot_calibrate_are_refused(tiny_bundle: Bundle, tmp_path: Path) -> None:
    def refused(posts: str, says: str) -> None:
        with pytest.raises(CorpusError, match=says):
            recalibrate_text(config_of(tiny_bundle, posts, tmp_path / "out"), QUIET)
        assert not (tmp_path / "out").exists()

    refused(rewritten(tmp_path / "a.jsonl", dict, 150), r"150 labelled posts in .*a\.jsonl: at least 200")
    refused(rewritten(tmp_path / "b.jsonl", dict, 220), r"18\d labelled posts of .*b\.jsonl are left .*--set test=0\.1")
    none = {"category": "none", "severity": 0}
    refused(rewritten(tmp_path / "c.jsonl", lambda row: {**row, **none}), "posts that calibrate have category none")

    def seldom(row: dict[str, object]) -> dict[str, object]:
        return row if str(row["id"]).endswith("00") else {**row, **none}

    refused(
        rewritten(tmp_path / "d.jsonl", seldom), r"calibrate 46\d are none, only \d \w+: two categories with 10 posts"
    )
    refused(str(tmp_path / "nowhere.jsonl"), "no such file|No such file")


def test_files_that_only_taught_the_start_are_refused(tiny_bundle: Bundle, tmp_path: Path) -> None:
    shutil.copytree(tiny_bundle.folder, tmp_path / "bundle")
    part = text_part(tiny_bundle)
    files = {**part.data["files"], STREAM: file_sha256(STREAM)}
    start = save_part(tmp_path / "bundle", TAXONOMY, {}, text=replace(part, data={**part.data, "files": files}))
    with pytest.raises(CorpusError, match="as rows that only teach"):
        recalibrate_text(config_of(start, STREAM, tmp_path / "out"), QUIET)
