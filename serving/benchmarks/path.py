"""The whole path against its bare engine: what scoring and `yujing score` add to the forward passes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from data.records import Item
from models.calibration import FirstStage
from models.scorer import Scorer
from serving.batch.pools import Here
from serving.batch.run import Job, score_files
from serving.benchmarks.clock import Work, compare, take_turns

ENGINE, SCORER, FILES, STAGED = "bare engine", "Scorer.score", "yujing score", "Scorer.score, first stage on"


def run_path(scorer: Scorer, slices: Sequence[Sequence[str]], stage: FirstStage | None = None) -> dict[str, Any]:
    """Rows per second of each, and its share of the bare engine's speed on the same rows; with `stage` also that.

    The first slice warms up, then each round has its own; no post may come twice: a repeat would not be scored again.
    """
    if scorer.text is None:
        raise ValueError("the bundle has no text model: give one that has")
    engine, ids = scorer.text.engine, [scorer.text.tokens.encode(texts) for texts in slices]
    items = [[Item(text=text) for text in texts] for texts in slices]
    rounds, rows = len(slices) - 1, len(slices[0])
    with tempfile.TemporaryDirectory(prefix="yujing-bench-") as folder:
        contenders: dict[str, Work] = {
            ENGINE: lambda turn: engine.logits(ids[turn]),
            SCORER: lambda turn: scorer.score(items[turn]),
            FILES: _files(scorer, slices, Path(folder)),
        }
        if stage is not None:
            staged = replace(scorer, text=replace(scorer.text, first_stage=stage))
            contenders[STAGED] = lambda turn: staged.score(items[turn])
        spent = take_turns(contenders, rounds)
    names = [name for name in contenders if name != ENGINE]
    shares = {name: {key: asdict(value) for key, value in compare(spent, name, ENGINE, rows).items()} for name in names}
    return {"texts": rounds * rows, "rounds": rounds, "shares": shares}


def _files(scorer: Scorer, slices: Sequence[Sequence[str]], folder: Path) -> Work:
    """What `yujing score IN.jsonl OUT.jsonl --workers 1` does once it is loaded."""
    for turn, texts in enumerate(slices):
        lines = (json.dumps({"id": str(number), "text": text}, ensure_ascii=False) for number, text in enumerate(texts))
        (folder / f"in{turn}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return lambda turn: score_files(
        Job(str(folder / f"in{turn}.jsonl"), folder / f"out{turn}.jsonl"), Here(lambda: scorer)
    )
