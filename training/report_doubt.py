"""How far the doubt can be trusted: calibration before and after scaling, conformal sets, what a review catches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.signals import SignalLexicon
from data.taxonomy import Taxonomy
from models.policy import Policy
from models.text import TextModel, TextPredictions
from training import metrics
from training.bootstrap import interval, intervals
from training.calibrate import REVIEW_SHARE
from training.text_report import Labels, Truth

Flags = NDArray[np.bool_]


def unscaled(model: TextModel) -> TextModel:
    """The same model with its stretch, bias and temperatures taken out."""
    calibration = model.calibration
    plain = replace(calibration, gap_power=1.0, category_bias=(), category_temperature=1.0, severity_temperature=1.0)
    return replace(model, calibration=plain)


def calibration_figures(truth: Truth, probabilities: NDArray[np.float64], draws: int) -> dict[str, Any]:
    """ECE and log-loss with intervals, and the bins of the reliability curve."""
    arrays = (probabilities, truth.category)
    figures = {"ece": metrics.ece, "log_loss": metrics.log_loss}
    spreads = {name: interval(one, *arrays, groups=truth.groups, n=draws) for name, one in figures.items()}
    bins = [asdict(one) for one in metrics.reliability(*arrays)]
    return {name: spread.rounded for name, spread in spreads.items()} | {"bins": bins}


def severity_calibration(truth: Truth, severity: NDArray[np.float64], draws: int) -> dict[str, Any]:
    """ECE of P(rank >= r), by r, for the ranks that disturb a desk and that must not be missed: [value, low, high]."""
    found = {}
    for rank in (metrics.ALARM, metrics.SEVERE):
        arrays = ((truth.rank >= rank).astype(np.int64), severity[:, rank:].sum(1))
        found[f"from_{rank}"] = interval(metrics.binary_ece, *arrays, groups=truth.groups, n=draws).rounded
    return found


def most_doubtful(confidence: NDArray[np.float64], share: float) -> Flags:
    """The `share` of the rows (rounded up) that the model is least sure of."""
    flags = np.zeros(len(confidence), bool)
    flags[np.argsort(confidence, kind="stable")[: int(np.ceil(share * len(confidence)))]] = True
    return flags


def _shares(sets: Labels, held: Flags, review: Flags, doubtful: Flags, wrong: Flags, any_wrong: Flags) -> Any:
    return np.array(
        [
            held.mean(),
            sets.mean(),
            (sets == 1).mean(),
            review.mean(),
            _caught(review, wrong),
            _caught(review, any_wrong),
            _caught(doubtful, wrong),
            _caught(doubtful, any_wrong),
        ]
    )


def contradicted(texts: Sequence[str], seen: TextPredictions, taxonomy: Taxonomy) -> Flags:
    """Texts [n] with a signal that contradicts their rank, by the packaged lexicon and risk policy."""
    lexicon, policy = SignalLexicon.load(), Policy.load(taxonomy=taxonomy)
    pairs = zip(texts, seen.rank, strict=True)
    return np.array([policy.contradicted(int(rank), [one.id for one in lexicon.find(text)]) for text, rank in pairs])


def with_signals(truth: Truth, seen: TextPredictions, signalled: Flags, draws: int) -> dict[str, list[float]]:
    """`needs_review` of an answer, which `signalled` texts [n] have, too: share of posts, of wrong categories."""
    arrays = (seen.needs_review | signalled, seen.chosen != truth.category)
    marked, caught = intervals(_marked, *arrays, groups=truth.groups, n=draws)
    return {"reviewed": marked.rounded, "errors_caught": caught.rounded}


def _marked(review: Flags, wrong: Flags) -> Any:
    return np.array([review.mean(), _caught(review, wrong)])


def _caught(flags: Flags, errors: Flags) -> float:
    return float(flags[errors].mean()) if errors.any() else float("nan")


NAMES = (
    "coverage",
    "set_size",
    "single_sets",
    "reviewed",
    "errors_caught",
    "errors_caught_rank_too",
    "errors_caught_at_share",
    "errors_caught_rank_too_at_share",
)


def doubt_figures(truth: Truth, seen: TextPredictions, draws: int) -> dict[str, Any]:
    """Conformal sets and `needs_review` by the text model alone on held-out rows, each as [value, low, high].

    An error is a wrong category; with `rank_too`, a wrong category or rank. `errors_caught` takes the shipped
    threshold, whatever share of these rows it flags; `…_at_share` flags the most doubtful `review_share` of them.
    `most_possible` is what a review of that share could catch at best, when it flagged nothing but errors.
    """
    rows = np.arange(len(truth.category))
    wrong = seen.chosen != truth.category
    either = wrong | (seen.rank != truth.rank)
    held = seen.members[rows, truth.category]
    doubtful = most_doubtful(seen.confidence, REVIEW_SHARE)
    arrays = (seen.members.sum(1), held, seen.needs_review, doubtful, wrong, either)
    spreads = intervals(_shares, *arrays, groups=truth.groups, n=draws)
    found: dict[str, Any] = {name: one.rounded for name, one in zip(NAMES, spreads, strict=True)}
    possible = {name: errors.mean() for name, errors in (("category", wrong), ("category_or_rank", either))}
    most = {name: round(min(1.0, REVIEW_SHARE / share), 4) if share else 1.0 for name, share in possible.items()}
    return found | {"review_share": REVIEW_SHARE, "most_possible": most}
