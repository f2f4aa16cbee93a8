"""What an unfinished run keeps to go on from: only with the same settings, on the same data."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from accelerate import PartialState
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from data.errors import ConfigError
from data.files import whole
from training.config import load_config
from training.text_config import TextConfig

LEARNT_FROM = (
    "files",
    "start",
    "teacher",
    "taxonomy",
    "encoder",
    "held_out_ids",
)  # of `about`: must not change under way


def last_checkpoint(config: TextConfig, about: Mapping[str, Any]) -> str | None:
    """Where an interrupted run with the same settings and data stopped, or None; ConfigError if either differs.

    A setting that the interrupted run did not know counts with its default. `about` is what the manifest will say of
    the data, with the hashes of taxonomy and encoder: with other rows the split is another one, and the checkpoint may
    have learnt what is held out now; in another taxonomy its heads mean other categories.
    """
    note, data = config.checkpoints / "settings.json", {key: about[key] for key in LEARNT_FROM if key in about}
    processes = PartialState().num_processes
    if not note.exists():
        note.parent.mkdir(parents=True, exist_ok=True)
        settings = {**asdict(config), "data": data, "processes": processes}
        with whole(note) as part:
            part.write_text(json.dumps(settings, ensure_ascii=False, indent=1, default=str), encoding="utf-8")
        return None
    settings = json.loads(note.read_text(encoding="utf-8"))
    seen, begun_by = settings.pop("data", None), settings.pop("processes", processes)
    known = {field.name for field in fields(TextConfig)}
    if not known.issuperset(settings) or load_config(TextConfig, flags=settings) != config:
        raise ConfigError(
            f"{note.parent} holds an interrupted run with other settings: repeat them, delete it, or give --out"
        )
    if begun_by != processes:  # the Trainer counts steps, and an epoch has half as many in two processes
        raise ConfigError(
            f"{note.parent} holds a run that was begun by {begun_by} processes, and these are {processes}: go on with "
            "as many, delete it, or give --out"
        )
    if seen is None:
        raise ConfigError(
            f"{note.parent} is of an earlier version, which kept no note of its data: delete it, or give --out"
        )
    if seen != data:
        raise ConfigError(
            f"{note.parent} holds an interrupted run on other data ({', '.join(_changed(seen, data))}): what is held "
            "out now may have taught it, or it means other categories: put the data back, delete it, or give --out"
        )
    found = {_steps(place): str(place) for place in note.parent.glob(f"{PREFIX_CHECKPOINT_DIR}-*") if _is_whole(place)}
    return found[max(found)] if found else None


def _steps(checkpoint: Path) -> int:
    return int(checkpoint.name.rpartition("-")[2])


def _is_whole(checkpoint: Path) -> bool:
    """Whether the Trainer's state, which it writes last, can be read: a kill may leave half a checkpoint."""
    try:
        json.loads((checkpoint / TRAINER_STATE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True


def _changed(seen: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    """Files and bundles that are not what they were."""
    before, now = ({**one, **one.get("files", {})} for one in (seen, data))
    return sorted(name for name in {*before, *now} - {"files"} if before.get(name) != now.get(name)) or ["files"]


def forget_checkpoints(config: TextConfig) -> None:
    """Delete the checkpoints of a run that is over, so that the next one starts afresh."""
    shutil.rmtree(config.checkpoints, ignore_errors=True)
