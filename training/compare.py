"""`yujing compare`: two bundles on the same held-out posts, what the second does better or worse."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from rich.console import Console
from rich.table import Table

from data.errors import BundleError, CorpusError
from data.records import Example
from data.taxonomy import Taxonomy
from models.bundle import Bundle, open_bundle
from models.engine_build import load_text_model
from models.engine_name import EngineName
from training import metrics
from training.bootstrap import intervals
from training.corpus import read_rows
from training.evaluate_rows import trained_corpus
from training.place import report_place
from training.report_html import write_json
from training.steady_f1 import Metric, steady_macro_f1
from training.text import answers_of
from training.text_config import POSTS
from training.text_report import Answers, Labels, Truth

MIN_SHARED = 30  # posts that neither bundle learnt from, below which a difference says nothing
NAMES = ("accuracy", "macro_f1", "qwk", "log_loss")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareConfig:
    """Which bundles, on which posts; files that taught a bundle count with its own test part only."""

    posts: tuple[str, ...] = POSTS
    engine: EngineName = "onnx"
    draws: Annotated[int, Field(ge=10)] = 1_000  # of the bootstrap
    out: str | None = None  # JSON of the same figures


def _open(folder: str, taxonomy: Taxonomy | None = None) -> Bundle:
    """A bundle (of that taxonomy, if given), by its own folder or by that of the run that made it."""
    path = Path(folder)
    bundle = open_bundle(path / "bundle" if (path / "bundle").is_dir() else path, taxonomy)
    if bundle.manifest.text is None:
        raise BundleError(f"{folder} holds no text model: only text models are compared")
    return bundle


def shared_rows(
    bundles: tuple[Bundle, Bundle], config: CompareConfig, taxonomy: Taxonomy, console: Console
) -> tuple[list[Example], list[int]]:
    """Posts that taught neither bundle, with their near-duplicate groups; CorpusError when they are too few."""
    rows, groups = read_rows(config.posts, taxonomy, console)
    for bundle in bundles:
        corpus = trained_corpus(bundle, config.posts, taxonomy, console)
        if corpus is not None:
            test = {(row.id, row.text) for row in corpus.part("test")}
            kept = [i for i, row in enumerate(rows) if (row.id, row.text) in test]
            rows, groups = [rows[i] for i in kept], [groups[i] for i in kept]
    if len(rows) < MIN_SHARED:
        raise CorpusError(
            f"{len(rows)} posts taught neither bundle: at least {MIN_SHARED} are needed; give other posts, "
            "or train both with one seed"
        )
    return rows, groups


def _figures(
    macro_f1: Metric, y: Labels, r: Labels, p: NDArray[np.float64], c: Labels, k: Labels
) -> NDArray[np.float64]:
    return np.array([metrics.accuracy(y, c), macro_f1(y, c), metrics.qwk(r, k), metrics.log_loss(p, y)], np.float64)


def differences(truth: Truth, first: Answers, second: Answers, draws: int) -> dict[str, dict[str, list[float]]]:
    """`first`, `second` and `difference` (second - first) of each figure as [value, low, high].

    Paired: each draw takes the same near-duplicate groups for both models (95 %, percentile bootstrap).
    """
    steady = [steady_macro_f1(truth.category, answers.category) for answers in (first, second)]

    def statistic(y: Labels, r: Labels, *answers: Any) -> NDArray[np.float64]:
        one, other = _figures(steady[0], y, r, *answers[:3]), _figures(steady[1], y, r, *answers[3:])
        return np.concatenate([one, other, other - one])

    arrays = [array for a in (first, second) for array in (a.probabilities, a.category, a.rank)]
    spreads = intervals(statistic, truth.category, truth.rank, *arrays, groups=truth.groups, n=draws)
    blocks = [spreads[i : i + len(NAMES)] for i in range(0, len(spreads), len(NAMES))]
    return {
        name: {key: block[i].rounded for key, block in zip(("first", "second", "difference"), blocks, strict=True)}
        for i, name in enumerate(NAMES)
    }


def verdict(difference: list[float], lower_is_better: bool = False) -> str:
    """Whether the interval of a difference leaves zero out, and on which side."""
    _, low, high = difference
    if low <= 0 <= high:
        return "not told apart"
    return "second is better" if (low > 0) != lower_is_better else "first is better"


def compare_table(title: str, found: dict[str, dict[str, list[float]]]) -> Table:
    """One row per figure."""
    sheet = Table("figure", "first", "second", "difference", "verdict", title=title)
    for name, row in found.items():
        cells = ["{:.3f} [{:.3f}, {:.3f}]".format(*row[key]) for key in ("first", "second")]
        difference = "{:+.3f} [{:+.3f}, {:+.3f}]".format(*row["difference"])
        sheet.add_row(name, *cells, difference, verdict(row["difference"], lower_is_better=name == "log_loss"))
    return sheet


def compare(first: str, second: str, config: CompareConfig, console: Console | None = None) -> dict[str, Any]:
    """Measure both bundles on the posts that taught neither, print the paired differences, write them if asked."""
    console, out = console or Console(), report_place(config.out) if config.out else None
    bundle = _open(first)
    taxonomy, bundles = bundle.taxonomy, (bundle, _open(second, bundle.taxonomy))
    rows, groups = shared_rows(bundles, config, taxonomy, console)
    one, other = (answers_of(load_text_model(bundle, config.engine), rows) for bundle in bundles)
    figures = differences(Truth.of(rows, groups, taxonomy), one, other, config.draws)
    console.print(compare_table(f"{len(rows)} posts that taught neither bundle", figures))
    ids = {"first": bundles[0].model_id, "second": bundles[1].model_id}
    found = {**ids, "rows": len(rows), "config": asdict(config), "figures": figures}
    if out is not None:
        console.print(f"written to {write_json(found, out)}", markup=False)
    return found
