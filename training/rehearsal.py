"""Rows that taught the bundle which a run goes on from: a share of them is taught again, lest it forget them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from rich.console import Console

from data.records import Example
from data.taxonomy import Taxonomy
from models.bundle import Bundle, text_part
from models.taught import changed_since, file_sha256, taught
from training.annotated import annotated_texts
from training.corpus import Corpus, teaching_rows
from training.text_config import TextConfig
from training.told import warn


def rehearsed(corpus: Corpus, start: Bundle, config: TextConfig, taxonomy: Taxonomy, console: Console) -> Corpus:
    """The corpus with `rehearsal_share` of the extra rows whose file taught `start`, drawn by the seed.

    Extra rows of other files, and all labelled posts, stay.
    """
    if config.rehearsal_share == 1:
        return corpus
    _tell_changed(start, config, console)
    known = _taught_before(start, config, taxonomy)
    places = [place for place, row in enumerate(corpus.extra) if _label(row) in known]
    again = Random(config.seed).sample(places, round(config.rehearsal_share * len(places)))
    left_out = {*places} - {*again}
    corpus.about["not_rehearsed"] = len(left_out)
    console.print(f"rehearsal: {len(again)} of {len(places)} rows that taught {start.model_id} are taught again")
    return replace(corpus, extra=tuple(row for place, row in enumerate(corpus.extra) if place not in left_out))


def _tell_changed(start: Bundle, config: TextConfig, console: Console) -> None:
    part = text_part(start)
    if changed := changed_since((*config.extra, *config.annotated), part.config, part.data):
        warn(console, "taught whole", f"{', '.join(changed)}: other rows than those that taught {start.model_id}")


def _label(row: Example) -> tuple[object, ...]:
    """A row as it was taught: its id alone may be that of another file's row, or its label a corrected one."""
    return row.id, row.text, row.category, row.severity


def _taught_before(start: Bundle, config: TextConfig, taxonomy: Taxonomy) -> set[tuple[object, ...]]:
    """The rows of those files that taught `start`, by their hashes; labels whose texts were not at hand did not."""
    hashes = taught(text_part(start).data)

    def known(paths: Sequence[str]) -> tuple[str, ...]:
        return tuple(path for path in paths if file_sha256(path) in hashes)

    texts = known(annotated_texts(config))
    before = replace(
        config,
        extra=known(config.extra),
        annotated=known(config.annotated),
        unlabelled=tuple(path for path in config.unlabelled if path in texts),
        record=config.record if config.record in texts else "",
    )
    return {_label(row) for row in teaching_rows(before, taxonomy, Console(quiet=True))}
