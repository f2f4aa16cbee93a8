"""Corrections as training data: the columns that `yujing train text` reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from data.errors import InputError
from data.files import whole
from data.records import Example
from data.taxonomy import implied
from serving.store.memory import stored_corrections
from serving.store.records import Stored
from serving.store.settings import StoreSettings
from serving.writable import check_writable, private, writing

SOURCE = "feedback"

_EXAMPLE = TypeAdapter(Example)


@dataclass(frozen=True, slots=True)
class Summary:
    """Corrections that were written, and those without a text to learn from."""

    written: int
    textless: int


def to_example(stored: Stored, none_id: str) -> Example:
    """A labelled post; a label that was not given, also not earlier, is null, unless the other implies it (none = 0).

    An earlier one that contradicts the last correction does not count.
    """
    category, severity = stored.last_category, stored.last_severity
    if None not in (category, severity) and (category == none_id) != (severity == 0):
        category, severity = stored.category, stored.severity
    category, severity = implied(category, severity, none_id)
    text = stored.text or ""
    return Example(id=stored.prediction_id, text=text, category=category, severity=severity, source=SOURCE)


def export_corrections(settings: StoreSettings, target: Path, none_id: str) -> Summary:
    """Write all corrections to `target`, or nothing; StoreDownError, InputError for what cannot be written.

    Like the store it is its owner's alone, and no later deletion reaches it.
    `none_id`: the category that severity 0 implies, and that implies it.
    """
    if target.suffix != ".jsonl":
        raise InputError(f"{target}: corrections are written as JSON lines: give a name that ends in .jsonl")
    if not target.parent.is_dir():
        raise InputError(f"{target}: no folder {target.parent}: make it first")
    check_writable(target)
    written = textless = 0
    with (
        writing(target),
        whole(target) as part,
        open(part, "wb", opener=private) as file,
        stored_corrections(settings) as rows,
    ):
        for row in rows:
            if row.text:
                file.write(_EXAMPLE.dump_json(to_example(row, none_id)) + b"\n")
                written += 1
            else:
                textless += 1
    return Summary(written, textless)
