"""What an unfinished run keeps to go on from: only with the same settings, on the same data."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from transformers.trainer_utils import get_last_checkpoint

from data.errors import ConfigError
from training.config import load_config
from training.text_config import TextConfig

LEARNT_FROM = ("files", "start", "teacher")  # what a manifest says of a run's data, and must not change under way


def last_checkpoint(config: TextConfig, about: Mapping[str, Any]) -> str | None:
    """Where an interrupted run with the same settings and data stopped, or None; ConfigError if either differs.

    A setting that the interrupted run did not know counts with its default. `about` is what the manifest will say of
    the data: with other rows the split is another one, and the checkpoint may have learnt what is held out now.
    """
    note, data = config.checkpoints / "settings.json", {key: about[key] for key in LEARNT_FROM if key in about}
    if not note.exists():
        note.parent.mkdir(parents=True, exist_ok=True)
        settings = {**asdict(config), "data": data}
        note.write_text(json.dumps(settings, ensure_ascii=False, indent=1, default=str), encoding="utf-8")
        return None
    found = json.loads(note.read_text(encoding="utf-8"))
    seen = found.pop("data", None)
    if load_config(TextConfig, flags=found) != config:
        raise ConfigError(
            f"{note.parent} holds an interrupted run with other settings: repeat them, delete it, or give --out"
        )
    if seen is None:
        raise ConfigError(
            f"{note.parent} is of an earlier version, which kept no note of its data: delete it, or give --out"
        )
    if seen != data:
        raise ConfigError(
            f"{note.parent} holds an interrupted run on other data ({', '.join(_changed(seen, data))}): what is held "
            "out now may have taught it: put the data back, delete it, or give --out"
        )
    return get_last_checkpoint(str(note.parent))  # type: ignore[no-any-return, no-untyped-call]


def _changed(seen: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    """Files and bundles that are not what they were."""
    before, now = ({**one, **one.get("files", {})} for one in (seen, data))
    return sorted(name for name in {*before, *now} - {"files"} if before.get(name) != now.get(name)) or ["files"]


def forget_checkpoints(config: TextConfig) -> None:
    """Delete the checkpoints of a run that is over, so that the next one starts afresh."""
    shutil.rmtree(config.checkpoints, ignore_errors=True)
