"""What the model card says of where a text model comes from: its start, its teacher, and what calibrated it."""

from __future__ import annotations

from typing import Any

from models.manifest import TextPart
from training.text_config import ANNOTATED, AUTHORED, POSTS

RECALIBRATED = "recalibrated"  # in `data`: whose weights these are, when only the calibration was fitted again
OLD = "old_calibration"  # in `metrics`: those weights with their calibration before, on the same rows

AGAIN = (
    "`make model` takes the whole way from the corpora in fewer runs than this bundle took, with a similar result; the "
    "configuration of the last run is in `manifest.json` (seed {seed}).\n"
    "`make figures` measures the shipped bundle again."
)
OTHERS_AGAIN = "`yujing train text` with the configuration in `manifest.json` (seed {seed}) on the same files."
CALIBRATED_AGAIN = "The calibration: `yujing train text --recalibrate` on the same posts, with `{start}` as `start`."
COLUMNS = (
    "`yujing` is the whole model, `bert` its BERT alone (calibrated by itself), `tfidf` the baseline on the same rows."
)
NOT_TAUGHT = "The files of `text` calibrated and measured; they taught no weight, `ancestors` are those that did."


def is_ours(text: TextPart | None) -> bool:
    """Whether the project's corpus taught the text model."""
    files = {*text.data["files"]} if text else set()
    return {*POSTS, *AUTHORED} <= files and not files.isdisjoint(ANNOTATED)


def only_calibrated(text: TextPart | None) -> bool:
    """Whether the files of the text part calibrated it and taught none of its weights."""
    return text is not None and "calibration" in text.data.get("rows", {})


def lineage(text: TextPart) -> str:
    """What the run began with, who taught it beside the labels, and whose weights it has if it is recalibrated."""
    start = text.data.get(RECALIBRATED)
    if only_calibrated(text):
        return f"all weights, also those of the second reader, are those of `{start}`; only its calibration is its own"
    told = _training(text.config, text.data)
    return told if start is None else f"{told}; recalibrated: the weights are those of `{start}`"


def _training(config: dict[str, Any], data: dict[str, Any]) -> str:
    began = "the adapter began afresh"
    if "start" in data:
        began = f"the run began with the adapter of `{data['start']}`"
        began += f" and ended as an average with {config.get('start_share', 0):.0%} of it"
    if left_out := data.get("not_rehearsed"):
        began += f"; {left_out} rows that only teach and had taught that one were not taught again"
    if config.get("teacher") is None:
        return began
    if config.get("imitate"):
        return (
            f"{began}; it learnt how `{data['teacher']}` reads the posts and {data['rows']['soft']} unlabelled ones "
            "(hidden states and logits), not their labels"
        )
    return (
        f"{began}; {data['rows']['soft']} unlabelled posts were taught beside the labelled ones, with the "
        f"probabilities that `{data['teacher']}` gives them"
    )


def columns(text: TextPart | None) -> str:
    """What the columns of the text table are."""
    start = text.data.get(RECALIBRATED) if text else None
    if text is None or start is None:
        return COLUMNS
    told = f"`yujing` is the whole model, `{OLD}` the same weights with the calibration that `{start}` has"
    if {*text.metrics} <= {"yujing", OLD}:
        return f"{told}, on the same rows."
    return f"{told}; the others are of the training, on the same rows: `bert` its BERT alone, `tfidf` the baseline."


def again(text: TextPart | None) -> str:
    """How to make the text model again."""
    told = (AGAIN if is_ours(text) else OTHERS_AGAIN).format(seed=text.config.get("seed", "") if text else "")
    if text is None or RECALIBRATED not in text.data:
        return told
    calibrated = CALIBRATED_AGAIN.format(start=text.data[RECALIBRATED])
    return calibrated if only_calibrated(text) else f"{told}\n{calibrated}"
