"""The `counts` head on series that taught it nothing, beside baselines that learn from the earlier ones of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rich.console import Console

from data.errors import CorpusError
from data.volume import count_features
from data.volume_windows import Floats
from models.escalation import EscalationModel
from models.escalation_head import design
from training.decisions import Decisions, Topics
from training.escalation import measure, test_block
from training.escalation_blocks import Blocks, Rows, require
from training.escalation_config import EscalationConfig
from training.escalation_fit import Table, baseline_probabilities, tabulate
from training.escalation_report import figures, sheet
from training.escalation_shift import with_sigmoid
from training.told import left_out


def beside_baselines(
    model: EscalationModel,
    topics: Topics,
    decisions: Decisions,
    unseen: Rows,
    config: EscalationConfig,
    console: Console,
) -> dict[str, Any]:
    """Figures of the latest topics, printed; nothing, and told, where the series are too few to learn from.

    The target, and what the baselines read, are by the head's hours of the day, not by those of these series.
    `as_served_recalibrated`: with one sigmoid for all answers from the block before (`--recalibrate` fits one in domain
    and one out of it, on the latest days).
    """
    try:
        where = test_block(topics, decisions, config)
        where = replace(where, test=where.test & unseen)
        table = tabulate(topics, decisions, where, model.diurnal)
        require(table.labels, where, decisions.topic)
        found = _figures(model, decisions, table, where, config)
    except (CorpusError, ValueError) as error:  # ValueError: scikit-learn's word for a block of one kind only
        left_out(console, f"baselines that learn from these series: {error}")
        return {}
    title = f"the latest {config.test:.0%} of these topics, beside baselines that learnt from the earlier ones"
    console.print(sheet(title, found))
    return {"beside_baselines": found}


def _figures(
    model: EscalationModel, decisions: Decisions, table: Table, where: Blocks, config: EscalationConfig
) -> dict[str, Any]:
    test, labels = decisions.take(where.test), table.labels
    found: dict[str, Any] = measure(model, test, baseline_probabilities(table, where), config.draws)["models"]
    both = where.calibration | where.test
    early, later = where.calibration[both], where.test[both]
    likelihood = with_sigmoid(_served(model, decisions.take(both)), labels[both], early, later)
    return found | {"as_served_recalibrated": figures(labels[where.test], likelihood, test.topic, config.draws)}


def _served(model: EscalationModel, decisions: Decisions) -> Floats:
    """What the head would answer: [n]."""
    features = design(count_features(decisions.windows, model.diurnal), model.names)
    return model.probabilities(features, model.in_domain(decisions.windows, features))
