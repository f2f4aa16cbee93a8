"""The `counts` model, and the baselines it must beat, all calibrated on the same block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression

from data.errors import CorpusError
from data.volume import count_features
from data.volume_pace import PRIOR, log_posts
from data.volume_windows import HORIZON, Floats, Ints, Windows
from models.escalation import OPTIONAL, SCALED, EscalationModel, Voices, total_posts
from models.escalation_head import design, log_odds
from models.staleness import WARN_AFTER_DAYS
from training.decisions import Decisions, Topics
from training.escalation_baselines import by_score, hour_rates
from training.escalation_blend import EVEN, blend, calibrated, logistic, sigmoid
from training.escalation_blocks import Blocks, Rows
from training.escalation_config import EscalationConfig
from training.escalation_gate import fit_gate, gate_names
from training.escalation_kinds import Kind, mixed

WIDE = 0.3  # share of the fallback for the own kind if two kinds taught it: no worse on earlier origins, else better
FAR = 0.2  # share for other topics of what is answered for the own: under every shift on earlier origins it ranks best
LARGEST = 0.9  # of the largest topic: recorded topics end somewhere, so beyond it escalations are missing from the data


@dataclass(frozen=True, slots=True)
class Table:
    """Features, labels and nearness of all decisions, with the hours of the day learnt before the test block."""

    names: tuple[str, ...]
    features: Floats
    labels: Ints
    nearness: Floats
    diurnal: Floats
    windows: Windows

    def column(self, name: str) -> Floats:
        return np.asarray(self.features[:, self.names.index(name)])


def tabulate(topics: Topics, decisions: Decisions, where: Blocks, diurnal: Floats | None = None) -> Table:
    """Compute features and labels; only topics of the fit and calibration blocks teach the hours of the day.

    `diurnal`: the hours of the day of a head that these decisions measure, instead. A feature that is never known, such
    as a share of authors that nobody gave, is left out. CorpusError for an empty fit block.
    """
    if not where.fit.any():
        raise CorpusError("the fit block has no decision: give more topics, or a longer time")
    if diurnal is None:
        diurnal = topics.diurnal(np.unique(decisions.topic[where.fit | where.calibration]))
    features = count_features(decisions.windows, diurnal)
    names = tuple(name for name, values in features.items() if not np.isnan(values[where.fit]).all())
    matrix, labels, nearness = design(features, names), decisions.labels(diurnal), decisions.nearness(diurnal)
    return Table(names, matrix, labels, nearness, diurnal, decisions.windows)


def _fallback(
    table: Table, fit: Rows, later: Rows, other: Kind | None, config: EscalationConfig
) -> tuple[tuple[str, ...], CalibratedClassifierCV]:
    """What the fallback reads, and the fallback; features of one kind only would tell trees which kind they see."""
    names = tuple(name for name in table.names if name not in SCALED)
    if other is not None:
        names = tuple(name for name in names if not name.startswith(tuple(OPTIONAL.values())))
    features = table.features[:, [table.names.index(name) for name in names]]
    early, late = (features[fit], table.nearness[fit]), (features[later], table.labels[later])
    if min(len(np.unique(table.labels[rows])) for rows in (fit, later)) < 2:
        raise CorpusError(
            f"where an escalation fits below {LARGEST:.0%} of the largest topic, decisions to fit or to calibrate on "
            "are of one kind only, so nothing teaches the fallback: give more topics"
        )
    if other is None:
        return names, blend(names, early, late, config)
    early = mixed(early, other.early(names, table.diurnal), config)
    late = mixed(late, other.late(names, table.diurnal), config)
    return names, blend(names, early, late, config, EVEN)


def held(table: Table, limit: float) -> Rows:
    """Decisions at which an escalation fits into the recorded series: [n]."""
    needed = np.exp(table.column("log_needed"))
    return np.asarray(total_posts(table.features, table.names) + needed <= limit)


def fit_model(
    table: Table, where: Blocks, config: EscalationConfig, until: float | None = None, other: Kind | None = None
) -> EscalationModel:
    """The main blend and its scale-free fallback, which learns where an escalation fits into the recorded series.

    `until`: hour at which the last label of the calibration block ends; `other`: a second kind, for the fallback and
    for the gate that then weighs the two.
    """
    known = where.fit | where.calibration
    limit = LARGEST * float(total_posts(table.features, table.names)[known].max())
    inside = held(table, limit)
    free, fallback = _fallback(table, where.fit & inside, where.calibration & inside, other, config)
    early = table.features[where.fit], table.nearness[where.fit]
    late = table.features[where.calibration], table.labels[where.calibration]
    model = EscalationModel(
        head="counts",
        main=blend(table.names, early, late, config),
        fallback=fallback,
        names=table.names,
        fallback_names=free,
        diurnal=table.diurnal,
        middle=np.nan_to_num(np.nanmedian(table.features[where.fit], axis=0)),
        limit=limit,
        base_rate=float(table.labels[known].mean()),
        calibrated_until=until,
        warn_after_days=config.warn_after_days or WARN_AFTER_DAYS,
    )
    return model if other is None else _gated(model, table, where, other, config.seed)


def _gated(model: EscalationModel, table: Table, where: Blocks, other: Kind, seed: int) -> EscalationModel:
    """Both models heard everywhere: for the own kind `WIDE` is the share of the fallback, then a sigmoid.

    It is from later decisions at which an escalation fits into the recorded series. For other topics that answer has
    the share `FAR` of the log-odds, the fallback the rest.
    """
    later = where.calibration & held(table, model.limit)
    voices = tuned(model, (0.0, 1 - WIDE, WIDE), table.features[later], table.labels[later])
    constant, own, wide = (FAR * one for one in voices)
    names = gate_names(table.names)
    gate = fit_gate(table.windows.take(where.fit), other.early_windows, names, table.diurnal, seed)
    return replace(model, voices=voices, outside=(constant, own, wide + 1 - FAR), gate=gate, gate_names=names)


def tuned(model: EscalationModel, voices: Voices, features: Floats, labels: Ints) -> Voices:
    """The same voices after a sigmoid from some decisions."""
    return _after(sigmoid(model.heard(features, voices), labels), voices)


def tuned_as_served(model: EscalationModel, features: Floats, labels: Ints) -> EscalationModel:
    """A head with a gate after one sigmoid of what it answers, from some decisions."""
    served = log_odds(model.probabilities(features, np.ones(len(features), bool)))
    curve = sigmoid(served, labels)
    return replace(model, voices=_after(curve, model.voices), outside=_after(curve, model.outside))


def _after(curve: LogisticRegression, voices: Voices) -> Voices:
    constant, slope = float(curve.intercept_[0]), float(curve.coef_[0, 0])
    return constant + slope * voices[0], slope * voices[1], slope * voices[2]


SCORES: Mapping[str, Callable[[Table, Blocks], Floats]] = {
    "constant": lambda table, where: np.zeros(len(table.labels)),
    "hour_of_day": lambda table, where: hour_rates(table.column("hour"), table.labels, where.fit),
    "level": lambda table, where: table.column("log_6h"),
    "growth_rate": lambda table, where: table.column("growth_3h"),
    "linear_extrapolation": lambda table, where: _extrapolated(table),
    "weighted_intensity": lambda table, where: table.column("intensity_1.44h"),
}


def _extrapolated(table: Table) -> Floats:
    """Log of the posts of the next 6 h over those needed, if the change between the last two 3 h goes on: [n]."""
    recent, whole = (np.exp(table.column(name)) - PRIOR for name in ("log_3h", "log_6h"))
    slope = (recent - (whole - recent)) / 9  # posts an hour, each hour: the middles of the two lie 3 h apart
    ahead = HORIZON * (recent / 3 + slope * (1.5 + HORIZON / 2))
    return log_posts(ahead) - table.column("log_needed")


def baseline_probabilities(table: Table, where: Blocks) -> dict[str, Floats]:
    """Likelihoods on the test block by one-number baselines, each with a sigmoid from the calibration block."""
    scores = {name: score_of(table, where) for name, score_of in SCORES.items()}
    return by_score(scores, table.labels, where) | {"logistic_regression": _logistic(table, where)}


def _logistic(table: Table, where: Blocks) -> Floats:
    """Logistic regression on every feature."""
    line = logistic().fit(table.features[where.fit], table.labels[where.fit])
    curve = calibrated(line, table.features[where.calibration], table.labels[where.calibration])
    return np.asarray(curve.predict_proba(table.features[where.test])[:, 1])
