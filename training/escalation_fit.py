"""Blocks by time, the model, and the baselines it must beat, all calibrated on the same block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression

from data.errors import CorpusError
from data.volume import Floats, Ints, count_features
from models.escalation import EscalationModel, scale_free, total_posts
from models.escalation_head import design, log_odds
from training.decisions import Decisions, Topics
from training.escalation_blend import blend, calibrated, logistic
from training.escalation_config import EscalationConfig

MIN_EVENTS = 30  # escalations (and calm decisions) that each block needs
MIN_TOPICS = 10  # topics that escalate in each block
LARGEST = (
    0.75  # of the largest topic: recorded topics end somewhere, so beyond it escalations are missing from the data
)
Rows = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Blocks:
    """Decisions to fit on, then to calibrate on, then to test on; an embargo between them."""

    fit: Rows
    calibration: Rows
    test: Rows


def blocks(decisions: Decisions, starts: Floats, origin: float, end: float, config: EscalationConfig) -> Blocks:
    """Test on topics from share `origin` to `end` of all by time, calibrate on the latest before, fit on the rest.

    A topic belongs to an earlier block only if its last label ends `embargo_hours` before the next block begins.
    """
    test_from, test_to = np.quantile(starts, [origin, end], method="lower")
    before = starts[starts < test_from]
    if not len(before):
        raise CorpusError(f"no topic begins before the test block: {len(starts)} are too few: give more topics")
    calibrate_from = np.quantile(before, 1 - config.calibration, method="lower")
    last = np.full(len(starts), -np.inf)
    np.maximum.at(last, decisions.topic, decisions.end)
    last = last[decisions.topic] + config.embargo_hours
    upper = decisions.start <= test_to if end >= 1 else decisions.start < test_to
    return Blocks(
        fit=last <= calibrate_from,
        calibration=(decisions.start >= calibrate_from) & (last <= test_from),
        test=(decisions.start >= test_from) & upper,
    )


def require(labels: Ints, where: Blocks, topics: Ints | None = None) -> None:
    """CorpusError when a block is too small or one-sided to say anything.

    `topics` [n]: escalations of one topic are one story, so each block needs them from several.
    """
    for name in ("fit", "calibration", "test"):
        taken = labels[getattr(where, name)]
        events, calm = int(taken.sum()), int((1 - taken).sum())
        if min(events, calm) < MIN_EVENTS:
            raise CorpusError(
                f"the {name} block has {events} escalations and {calm} calm decisions: "
                f"at least {MIN_EVENTS} of each are needed: give more topics, or a longer time"
            )
        stories = None if topics is None else len(np.unique(topics[getattr(where, name)][taken == 1]))
        if stories is not None and stories < MIN_TOPICS:
            raise CorpusError(
                f"the {name} block has escalations of {stories} topics only: "
                f"at least {MIN_TOPICS} are needed: give more topics, or a longer time"
            )


@dataclass(frozen=True, slots=True)
class Table:
    """Features and labels of all decisions, with the hours of the day learnt before the test block."""

    names: tuple[str, ...]
    features: Floats
    labels: Ints
    diurnal: Floats


def tabulate(topics: Topics, decisions: Decisions, where: Blocks) -> Table:
    """Compute features and labels; only topics of the fit and calibration blocks teach the hours of the day.

    A feature that is never known, such as a share of authors that nobody gave, is left out.
    """
    diurnal = topics.diurnal(np.unique(decisions.topic[where.fit | where.calibration]))
    features = count_features(decisions.windows, diurnal)
    names = tuple(name for name, values in features.items() if not np.isnan(values[where.fit]).all())
    return Table(names, design(features, names), decisions.labels(diurnal), diurnal)


def _blend(
    table: Table, columns: list[int], fit: Rows, later: Rows, config: EscalationConfig
) -> CalibratedClassifierCV:
    features, names = table.features[:, columns], [table.names[i] for i in columns]
    return blend(names, (features[fit], table.labels[fit]), (features[later], table.labels[later]), config)


def held(table: Table, limit: float) -> Rows:
    """Decisions at which an escalation fits into the recorded series: [n]."""
    needed = np.exp(table.features[:, table.names.index("log_needed")])
    return np.asarray(total_posts(table.features, table.names) + needed <= limit)


def fit_model(table: Table, where: Blocks, config: EscalationConfig, until: float | None = None) -> EscalationModel:
    """The main blend and its scale-free fallback, which learns where an escalation fits into the recorded series.

    `until`: hour at which the last label of the calibration block ends.
    """
    known = where.fit | where.calibration
    limit = LARGEST * float(total_posts(table.features, table.names)[known].max())
    inside, free = held(table, limit), scale_free(table.names)
    return EscalationModel(
        head="counts",
        main=_blend(table, list(range(len(table.names))), where.fit, where.calibration, config),
        fallback=_blend(table, free, where.fit & inside, where.calibration & inside, config),
        names=table.names,
        diurnal=table.diurnal,
        middle=np.nan_to_num(np.nanmedian(table.features[where.fit], axis=0)),
        limit=limit,
        base_rate=float(table.labels[known].mean()),
        calibrated_until=until,
        warn_after_days=config.warn_after_days,
    )


def _hour_rates(table: Table, where: Blocks) -> Floats:
    """Log-odds of escalation at each decision's hour of day, from the fit block."""
    hours = table.features[:, table.names.index("hour")].astype(int)
    events = np.bincount(hours[where.fit], table.labels[where.fit], minlength=24)
    seen = np.bincount(hours[where.fit], minlength=24)
    return np.asarray(log_odds((events + 1) / (seen + 10))[hours])


SCORES: Mapping[str, Callable[[Table, Blocks], Floats]] = {
    "constant": lambda table, where: np.zeros(len(table.labels)),
    "hour_of_day": _hour_rates,
    "level": lambda table, where: table.features[:, table.names.index("log_6h")],
    "growth_rate": lambda table, where: table.features[:, table.names.index("growth_3h")],
    "weighted_intensity": lambda table, where: table.features[:, table.names.index("intensity_1.44h")],
}


def baseline_probabilities(table: Table, where: Blocks) -> dict[str, Floats]:
    """Likelihoods on the test block by one-number baselines, each with a sigmoid from the calibration block."""
    found = {}
    for name, score_of in SCORES.items():
        score = score_of(table, where).reshape(-1, 1)
        sigmoid = LogisticRegression(C=1e6).fit(score[where.calibration], table.labels[where.calibration])
        found[name] = sigmoid.predict_proba(score[where.test])[:, 1]
    return found | {"logistic_regression": _logistic(table, where)}


def _logistic(table: Table, where: Blocks) -> Floats:
    """Logistic regression on every feature."""
    line = logistic().fit(table.features[where.fit], table.labels[where.fit])
    sigmoid = calibrated(line, table.features[where.calibration], table.labels[where.calibration])
    return np.asarray(sigmoid.predict_proba(table.features[where.test])[:, 1])
