"""What the rows that only teach add: the TF-IDF baseline with and without them: `python -m training.ablation [SOURCE]`.

The baseline, because it learns in minutes; with a source, that one is left out and tested on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from data.command_line import run_function
from data.splits import HeldOut
from data.taxonomy import load_taxonomy
from models.bundle import open_bundle
from training.compare import differences
from training.corpus import Corpus, read_corpus
from training.earlier import held_out_before
from training.text import baseline_answers
from training.text_config import TextConfig
from training.text_report import Truth

SETS = {"extra": ("extra",), "annotated": ("annotated",), "both": ("extra", "annotated")}  # settings that are kept
SHOWN = ("accuracy", "macro_f1", "qwk")


def _corpus(config: TextConfig, kept: tuple[str, ...], console: Console, held_out: HeldOut | None) -> Corpus:
    extra, annotated = (getattr(config, name) if name in kept else () for name in SETS["both"])
    return read_corpus(replace(config, extra=extra, annotated=annotated), load_taxonomy(), console, held_out)


def ablation(
    config: TextConfig, console: Console, draws: int = 500, held_out: HeldOut | None = None
) -> dict[str, dict[str, Any]]:
    """For each of SETS its rows and the paired differences to the posts alone (see `compare.differences`).

    The test part is the same for all: it depends on the posts and the seed only, or is what a bundle `held_out`.
    """
    taxonomy = load_taxonomy()
    alone = _corpus(config, (), console, held_out)
    truth = Truth.of(alone.part("test"), alone.test_groups, taxonomy)
    first = baseline_answers(alone, taxonomy)
    found = {}
    for name, kept in SETS.items():
        corpus = _corpus(config, kept, console, held_out)
        answers = baseline_answers(corpus, taxonomy)
        found[name] = {"rows": len(corpus.extra), **differences(truth, first, answers, draws)}
    return found


def ablation_table(found: Mapping[str, Mapping[str, Any]]) -> Table:
    """The labelled posts alone, then what each set of further rows changes."""
    sheet = Table("taught as well", "rows", *SHOWN)
    first = next(iter(found.values()))
    sheet.add_row("nothing", "0", *("{:.3f} [{:.3f}, {:.3f}]".format(*first[name]["first"]) for name in SHOWN))
    for key, row in found.items():
        changes = ("{:+.3f} [{:+.3f}, {:+.3f}]".format(*row[name]["difference"]) for name in SHOWN)
        sheet.add_row(key, str(row["rows"]), *changes)
    return sheet


def command(
    source: Annotated[str | None, typer.Argument(help="Source that is left out and tested on.")] = None,
) -> None:
    """Measure what the rows that only teach add to the TF-IDF baseline; it takes minutes.

    Without a source on what the shipped bundle held out.
    """
    console, config = Console(), TextConfig(held_out_source=source)
    before = held_out_before([open_bundle(None)], config) if source is None else None
    console.print(ablation_table(ablation(config, console, held_out=before)))


if __name__ == "__main__":
    run_function(command)
