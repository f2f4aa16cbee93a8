"""Blocks by time and the `hotlist` model: trees and a logistic regression, each with a sigmoid from a later block."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from data.hotlist_features import AWAY
from data.volume_windows import HORIZON, ZONE, Floats, Ints
from models.escalation_head import log_odds
from models.hotlist import HotlistModel, within
from models.staleness import WARN_AFTER_DAYS
from training.escalation_blend import boosted_trees, calibrated, near_trees, sigmoid
from training.escalation_blocks import MIN_EVENTS, Blocks, Rows
from training.hotlist_config import HotlistConfig
from training.hotlist_decisions import HotDecisions

MONOTONE: Mapping[str, int] = {
    "ratio": 1,
    "step": 1,
    "linear_1h": 1,
    "linear_6h": 1,
    "exponential_3h": 1,
    "intensity_1.5h": 1,
    "rank": -1,
}  # nearer to the line, faster or higher on the list is never less likely to cross it
TAILS = (0.001, 0.999)  # quantiles beyond which the fallback reads no value
WEEK = 168  # hours


def hour_of(day: date) -> float:
    """Absolute hour at which a day begins in Asia/Shanghai."""
    return datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp() / 3600


def hot_blocks(time: Floats, test_from: date, test_to: date, config: HotlistConfig) -> Blocks:
    """Test on [test_from, test_to), calibrate on the days before, fit on all before that.

    A decision belongs to an earlier block only if its label ends `embargo_hours` before the next block begins.
    """
    begin = hour_of(test_from)
    calibrate = hour_of(test_from - timedelta(days=config.calibration_days))
    end = time + HORIZON + config.embargo_hours
    return Blocks(
        fit=end <= calibrate,
        calibration=(time >= calibrate) & (end <= begin),
        test=(time >= begin) & (time < hour_of(test_to)),
    )


def rarest(labels: Ints) -> int:
    """How many decisions the rarer label has."""
    return int(min(labels.sum(), (1 - labels).sum()))


def monotone_trees(names: tuple[str, ...], config: HotlistConfig) -> HistGradientBoostingClassifier:
    """Unfitted gradient-boosted trees, monotone where the line, the speed and the place say so.

    Those for `alarm_6h` learn from near misses too (`near_trees`). On four rolling origins before the test block:
    AUROC 0.886 against 0.884, AUPRC 0.235 against 0.232.
    """
    return boosted_trees(config, [MONOTONE.get(name, 0) for name in names])


Day = tuple[CalibratedClassifierCV | None, float]


def fit_day(decisions: HotDecisions, where: Blocks, config: HotlistConfig) -> Day:
    """Trees for `alarm_24h` on the decisions where it is resolved, and its base rate; None where that is rare.

    A label may end 18 h later than that of 6 h: an embargo of 18 h or more keeps it out of the next block.
    """
    known = ~np.isnan(decisions.day_labels)
    fit, later = where.fit & known, where.calibration & known
    labels = np.nan_to_num(decisions.day_labels).astype(np.int64)
    if not config.day or min(rarest(labels[fit]), rarest(labels[later])) < MIN_EVENTS:
        return None, 0.0
    trees = monotone_trees(decisions.names, config).fit(decisions.features[fit], labels[fit])
    rate = float(labels[fit | later].mean())
    return calibrated(trees, decisions.features[later], labels[later]), rate


def fit_hot_model(decisions: HotDecisions, where: Blocks, config: HotlistConfig) -> HotlistModel:
    """The trees, and the logistic regression that answers where the target is not defined.

    Every feature must be known somewhere in the fit block (`HotDecisions.known`).
    """
    decisions = decisions.without((AWAY,))  # 0 at every decision about a topic on the list
    learnt, later = decisions.features[where.fit], decisions.features[where.calibration]
    labels = decisions.labels[where.calibration]
    low, middle, high = np.nanquantile(learnt, [TAILS[0], 0.5, TAILS[1]], axis=0)
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    linear.fit(within(learnt, low, middle, high), decisions.labels[where.fit])
    trees = near_trees(monotone_trees(decisions.names, config), learnt, decisions.nearness[where.fit])
    day, day_rate = fit_day(decisions, where, config)
    return HotlistModel(
        head="hotlist",
        main=calibrated(trees, later, labels),
        fallback=calibrated(linear, within(later, low, middle, high), labels),
        names=decisions.names,
        low=low,
        middle=middle,
        high=high,
        base_rate=float(decisions.labels[where.fit | where.calibration].mean()),
        calibrated_until=float(decisions.time[where.calibration].max()) + HORIZON,
        warn_after_days=config.warn_after_days or WARN_AFTER_DAYS,
        day=day,
        day_base_rate=day_rate,
    )


def recalibrated(decisions: HotDecisions, likelihood: Floats, test: Rows, config: HotlistConfig) -> Floats:
    """Likelihoods of the test block when each week's sigmoid is refitted on the latest days before it: [test rows].

    Only labels that were known when the week began are read. `likelihood` is that of all decisions: [n].
    """
    score = log_odds(likelihood)
    time, found = decisions.time, np.full(len(likelihood), np.nan)
    for begin in np.arange(time[test].min(), time[test].max() + 1, WEEK):
        week = test & (time >= begin) & (time < begin + WEEK)
        recent = (time >= begin - 24 * config.recalibrate_days) & (time + HORIZON <= begin)
        if week.any() and 0 < decisions.labels[recent].mean() < 1:
            curve = sigmoid(score[recent], decisions.labels[recent])
            found[week] = curve.predict_proba(score[week].reshape(-1, 1))[:, 1]
    return np.where(np.isnan(found), likelihood, found)[test]
