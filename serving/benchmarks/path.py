"""The whole path against its bare engine: what scoring and `yujing score` add to the forward passes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from data.records import Item
from models.calibration import FirstStage
from models.scorer import Scorer
from serving.batch.pools import Here
from serving.batch.run import Job, score_files
from serving.benchmarks.clock import compare, take_turns

ENGINE, SCORER, FILES, STAGED = "bare engine", "Scorer.score", "yujing score", "Scorer.score, first stage on"


def run_path(scorer: Scorer, texts: Sequence[str], rounds: int, stage: FirstStage | None = None) -> dict[str, Any]:
    """Rows per second of each, and its share of the bare engine's speed on the same rows; with `stage` also that."""
    if scorer.text is None:
        raise ValueError("the bundle has no text model: give one that has")
    texts = list(dict.fromkeys(texts))  # a repeat would not be scored again
    engine, ids = scorer.text.engine, scorer.text.tokens.encode(texts)
    items = [Item(text=text) for text in texts]
    with tempfile.TemporaryDirectory(prefix="yujing-bench-") as folder:
        contenders: dict[str, Callable[[], object]] = {
            ENGINE: lambda: engine.logits(ids),
            SCORER: lambda: scorer.score(items),
            FILES: _files(scorer, texts, Path(folder)),
        }
        if stage is not None:
            staged = replace(scorer, text=replace(scorer.text, first_stage=stage))
            contenders[STAGED] = lambda: staged.score(items)
        spent = take_turns(contenders, rounds)
    names = [name for name in contenders if name != ENGINE]
    shares = {
        name: {key: asdict(value) for key, value in compare(spent, name, ENGINE, len(texts)).items()} for name in names
    }
    return {"texts": len(texts), "rounds": rounds, "shares": shares}


def _files(scorer: Scorer, texts: Sequence[str], folder: Path) -> Callable[[], object]:
    """What `yujing score IN.jsonl OUT.jsonl --workers 1` does once it is loaded."""
    source = folder / "in.jsonl"
    lines = (json.dumps({"id": str(number), "text": text}, ensure_ascii=False) for number, text in enumerate(texts))
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    job = Job(str(source), folder / "out.jsonl")
    return lambda: score_files(job, Here(lambda: scorer))
