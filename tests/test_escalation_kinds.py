"""Laws of the second kind: earlier topics teach, later ones test, it reaches the fallback and nothing of one kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from second_kind import busy, busy_kind, settings
from self_exciting import CONFIG, model, trained

from models.escalation import OPTIONAL, SCALED, EscalationModel
from models.escalation_store import dump, load
from training.escalation_fit import WIDE, fit_model
from training.escalation_kinds import hot_decisions, kind_if_there, kind_of, mixed, read_if_there, taught_by
from training.escalation_recalibrate import Recent, recalibrate_model


def _taught() -> EscalationModel:
    _, _, where, table = trained()
    return fit_model(table, where, CONFIG, other=busy_kind())


def test_decisions_on_the_list_are_taken_at_its_snapshots() -> None:
    start, found = hot_decisions(busy(), 300, 0)
    assert len(found.topic)
    assert len(start) == found.topic.max() + 1
    assert np.isin(found.end - 6, np.floor(busy().snapshots)).all()
    assert np.isnan(found.windows.authors).any(axis=1).all()


def test_earlier_topics_teach_and_later_ones_test() -> None:
    kind, embargo = busy_kind(), settings().embargo_hours
    fit, later, test = (kind.decisions.take(getattr(kind.where, name)) for name in ("fit", "calibration", "test"))
    assert fit.end.max() + embargo <= later.start.min()
    assert later.end.max() + embargo <= test.start.min()


def test_a_list_without_topics_before_the_date_teaches_nothing() -> None:
    assert kind_of(busy(), replace(settings(), record_until=date(1990, 1, 1))) is None
    assert read_if_there("nowhere.parquet") is read_if_there(None) is None
    alone = replace(CONFIG, record=None)
    assert taught_by(kind_if_there(alone), alone) == {}


def test_no_kind_outweighs_the_own() -> None:
    own, other = (np.zeros((4, 2)), np.zeros(4, int)), (np.ones((9, 2)), np.ones(9, int))
    for share in (0.25, 0.5, 1.0):
        features, labels = mixed(own, other, replace(CONFIG, record_share=share))
        assert labels.sum() == len(features) - 4 == 4 * share
    assert mixed(other, own, replace(CONFIG, record_share=1.0))[1].sum() == 9


def test_the_second_kind_changes_the_fallback_and_its_voice_in_domain_but_not_the_main_model() -> None:
    _, _, where, table = trained()
    taught, alone, features = _taught(), model(), table.features[where.test]
    inside = np.ones(len(features), bool)
    np.testing.assert_array_equal(taught.main.predict_proba(features), alone.main.predict_proba(features))
    assert (taught.probabilities(features, ~inside) != alone.probabilities(features, ~inside)).any()
    _, own, wide = taught.voices
    np.testing.assert_allclose(wide / (own + wide), WIDE)
    assert alone.voices == (0.0, 1.0, 0.0)


def test_the_fallback_reads_no_size_and_nothing_that_one_kind_only_has() -> None:
    names = _taught().fallback_names
    assert not {*names} & {*SCALED}
    assert not [name for name in names if name.startswith(tuple(OPTIONAL.values()))]


def test_a_stored_model_keeps_both_voices() -> None:
    _, _, where, table = trained()
    taught, features = _taught(), table.features[where.test][:50]
    inside = np.arange(50) % 2 == 0
    np.testing.assert_array_equal(
        load(dump(taught)).probabilities(features, inside), taught.probabilities(features, inside)
    )


def test_recalibration_hears_both_voices_again() -> None:
    _, _, where, table = trained()
    taught, features = _taught(), table.features[where.test]
    rare = table.labels[where.test] * (np.arange(len(features)) % 3 == 0)  # two of three escalations gone
    recent = Recent(features, rare, np.arange(len(features), dtype=float))
    fresh, _ = recalibrate_model(taught, {"main": recent}, 30)
    inside = np.ones(len(features), bool)
    assert fresh.probabilities(features, inside).mean() == pytest.approx(rare.mean(), abs=0.01)
    assert taught.probabilities(features, inside).mean() > 2 * rare.mean()


def test_a_row_is_answered_alike_alone_and_in_company() -> None:
    _, _, where, table = trained()
    taught, features = _taught(), table.features[where.test][:20]
    inside = np.arange(20) % 3 > 0
    together = taught.probabilities(features, inside)
    alone = [taught.probabilities(features[i : i + 1], inside[i : i + 1])[0] for i in range(20)]
    np.testing.assert_allclose(together, alone, rtol=1e-12)  # a matrix product rounds by the number of rows
