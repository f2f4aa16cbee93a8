"""A stream of posts to recalibrate a text model on, and the settings that say so."""

from __future__ import annotations

from pathlib import Path

from models.bundle import Bundle
from training.text_config import TextConfig

STREAM = str(Path(__file__).parents[1] / "data" / "authored" / "negatives.jsonl")  # 550 posts, seven in ten are none


def config_of(start: Bundle, posts: str, out: Path, **changes: object) -> TextConfig:
    return TextConfig(start=str(start.folder), posts=(posts,), out=str(out), threads=1, **changes)  # type: ignore[arg-type]
