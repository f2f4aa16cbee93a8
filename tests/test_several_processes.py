"""Training in two CPU processes, as `torchrun` starts them: one bundle, made once, that answers."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from data.samples import sample_examples
from data.taxonomy import load_taxonomy
from models.bundle import open_bundle
from models.engine_build import load_text_model
from training.text_config import TextConfig

TAXONOMY = load_taxonomy()
ROOT = Path(__file__).parent.parent


def settings(config: TextConfig) -> list[str]:
    """The config as flags of `yujing train text`."""
    pairs = {
        "posts": f'["{config.posts[0]}"]',
        "extra": "[]",
        "annotated": "[]",
        "encoder": f'"{config.encoder}"',
        "rank": config.rank,
        "epochs": config.epochs,
        "batch_size": config.batch_size,
        "bf16": "false",
        "threads": 1,
        "out": f'"{config.out}"',
    }
    return [word for key, value in pairs.items() for word in ("--set", f"{key}={value}")]


def test_two_processes_make_one_bundle(tiny_config: TextConfig, own_folders: Path, tmp_path: Path) -> None:
    config = replace(tiny_config, out=str(tmp_path / "run"), batch_size=8)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*launcher, "-m", "serving.cli", "train", "text", *settings(config)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "YUJING_CACHE": str(own_folders / "cache")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    assert done.stdout.count("rows: {") == 2, done.stdout[-2000:]  # both processes read the corpus
    assert done.stdout.count("registered as yujing-risk") == 1
    bundle = open_bundle(Path(config.out) / "bundle")
    found = load_text_model(bundle, "torch", threads=1).predict([row.text for row in sample_examples()[:8]])
    np.testing.assert_allclose(found.category.sum(1), 1)
    assert not (Path(config.out) / "checkpoints").exists()
