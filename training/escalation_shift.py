"""How the `counts` head stands up to series unlike those it learnt from, simulated with the data at hand.

`larger`: learn from the smaller half of the topics before a date, answer the larger half of those after it.
`other_kind`: learn from all topics before that date and from nothing else, answer hourly discussions of hot-search
topics, 11 years later, of whole topics instead of single posts. `kind_met_before`: the same topics, when the fallback
has also learnt from earlier ones of their kind, as it is shipped. A topic is seen there only while it stays on the
list, so calm futures are missing from it and escalations are four times as frequent. `as_served_recalibrated`: the
later half of the test with a sigmoid fitted on what was known by its beginning, where that has escalations and calm
decisions; `as_served_later_half`: the same decisions as served.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console

from data.errors import CorpusError
from data.volume import count_features
from data.volume_windows import Floats, Ints
from models.escalation import EscalationModel
from models.escalation_head import design, log_odds
from training.decisions import Decisions, Topics
from training.escalation_blend import calibrated, logistic, sigmoid, trees
from training.escalation_blocks import Blocks, Rows, blocks, require
from training.escalation_config import EscalationConfig
from training.escalation_fit import Table, fit_model, tabulate
from training.escalation_kinds import Kind, kind_if_there, require_record
from training.escalation_report import figures, sheet
from training.told import left_out

Answers = dict[str, Floats]


def larger_later(topics: Topics, decisions: Decisions, where: Blocks) -> Blocks:
    """Fit and calibrate on topics below the median size before the test block, test on those above it."""
    size = np.array([np.nansum(counts) for counts in topics.counts])[decisions.topic]
    known = np.unique(decisions.topic[where.fit | where.calibration])
    small = size < np.median([np.nansum(topics.counts[topic]) for topic in known])
    return Blocks(where.fit & small, where.calibration & small, where.test & ~small)


def _answers(model: EscalationModel, table: Table, where: Blocks, test: Decisions, config: EscalationConfig) -> Answers:
    """The head as it would be served, as it answers one kind alone, and plain trees and a plain line beside it."""
    features = design(count_features(test.windows, model.diurnal), model.names)
    inside = model.in_domain(test.windows, features)
    whole, fallback = (model.answered(features, np.full(len(features), one)) for one in (1.0, 0.0))
    found = {"as_served": model.probabilities(features, inside), "model": whole, "fallback": fallback}
    for name, plain in (("trees_alone", trees(table.names, config)), ("logistic_regression", logistic())):
        plain.fit(table.features[where.fit], table.labels[where.fit])
        curve = calibrated(plain, table.features[where.calibration], table.labels[where.calibration])
        found[name] = curve.predict_proba(features)[:, 1]
    return found


def with_sigmoid(likelihood: Floats, labels: Ints, early: Rows, later: Rows) -> Floats:
    """Likelihoods of the later rows by a sigmoid from the earlier ones: [later]."""
    score = log_odds(likelihood)
    curve = sigmoid(score[early], labels[early])
    return np.asarray(curve.predict_proba(score[later].reshape(-1, 1))[:, 1])


def _report(answers: Answers, labels: Ints, test: Decisions, draws: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "decisions": len(labels),
        "prevalence": round(float(labels.mean()), 4),
        "mean_answer": round(float(answers["as_served"].mean()), 4),
        "models": {name: figures(labels, p, test.topic, draws) for name, p in answers.items()},
    }
    half = np.median(test.start)
    later, early = test.start > half, test.end <= half  # what is known by then
    if later.any() and 0 < labels[early].sum() < early.sum():
        repaired = with_sigmoid(answers["as_served"], labels, early, later)
        both = {"as_served_later_half": answers["as_served"][later], "as_served_recalibrated": repaired}
        found["models"] |= {name: figures(labels[later], p, test.topic[later], draws) for name, p in both.items()}
    return found


@dataclass(frozen=True, slots=True)
class Shifts:
    """What the simulations learn from, and ask about: topics with their decisions, in blocks, and the second kind."""

    topics: Topics
    decisions: Decisions
    where: Blocks
    config: EscalationConfig
    other: Kind | None = None

    def larger(self) -> dict[str, Any]:
        """Figures of `larger`; CorpusError where the halves of the topics are too few."""
        moved = larger_later(self.topics, self.decisions, self.where)
        table = tabulate(self.topics, self.decisions, self.where)
        require(table.labels, moved)
        test, labels = self.decisions.take(moved.test), table.labels[moved.test]
        answers = _answers(fit_model(table, moved, self.config, other=self.other), table, moved, test, self.config)
        return _report(answers, labels, test, self.config.draws)

    def other_kind(self, met: bool = False) -> dict[str, Any]:
        """Figures of `other_kind`, or of `kind_met_before`; CorpusError without a decision to test on."""
        if self.other is None or not self.other.where.test.any():
            raise CorpusError(f"no decision on record={self.config.record!r} from {self.config.record_until} on")
        table = tabulate(self.topics, self.decisions, self.where)
        test = self.other.decisions.take(self.other.where.test)
        model = fit_model(table, self.where, self.config, other=self.other if met else None)
        answers = _answers(model, table, self.where, test, self.config)
        return _report(answers, test.labels(table.diurnal), test, self.config.draws)

    def kind_met_before(self) -> dict[str, Any]:
        """Figures of `kind_met_before`."""
        return self.other_kind(met=True)


SIMULATIONS = (Shifts.larger, Shifts.other_kind, Shifts.kind_met_before)


def shifts(of: Shifts, console: Console) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each simulation by name with its figures; one that the data do not suffice for is told and left out."""
    for simulation in SIMULATIONS:
        try:
            yield simulation.__name__, simulation(of)
        except (CorpusError, ValueError) as error:  # ValueError: scikit-learn's word for a block of one kind only
            left_out(console, f"shift {simulation.__name__}: {error}")


def _second_kind(config: EscalationConfig, console: Console) -> Kind | None:
    require_record(config)
    try:
        return kind_if_there(config, console)
    except CorpusError as error:
        left_out(console, f"shift, the second kind: {error}")
        return None


def shift_reports(
    topics: Topics, decisions: Decisions, config: EscalationConfig, console: Console
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The simulations on the test block, printed."""
    try:
        where = blocks(decisions, topics.start, 1 - config.test, 1.0, config)
        for name in ("fit", "calibration", "test"):
            if not getattr(where, name).any():
                raise CorpusError(f"the {name} block has no decision: give more topics, or a longer time")
    except CorpusError as error:
        return left_out(console, f"shift {', '.join(one.__name__ for one in SIMULATIONS)}: {error}")
    for name, found in shifts(Shifts(topics, decisions, where, config, _second_kind(config, console)), console):
        about = f"{found['decisions']} decisions, prevalence {found['prevalence']:.3f}, mean {found['mean_answer']:.3f}"
        console.print(sheet(f"shift {name}: {about}", found["models"]))
        yield name, found
