"""Laws of the second kind: earlier topics teach, later ones test, it reaches the fallback and nothing of one kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
from second_kind import busy, busy_kind, settings
from self_exciting import CONFIG, model, trained

from models.escalation import OPTIONAL, SCALED, EscalationModel
from models.escalation_store import dump, load
from training.escalation_fit import WIDE, fit_model
from training.escalation_kinds import hot_decisions, kind_if_there, kind_of, mixed, read_if_there, taught_by


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
    features, labels = mixed(own, other, 0)
    assert (len(features), labels.sum()) == (8, 4)
    assert mixed(other, own, 0)[1].sum() == 9


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


def test_a_row_is_answered_alike_alone_and_in_company() -> None:
    _, _, where, table = trained()
    taught, features = _taught(), table.features[where.test][:20]
    inside = np.arange(20) % 3 > 0
    together = taught.probabilities(features, inside)
    alone = [taught.probabilities(features[i : i + 1], inside[i : i + 1])[0] for i in range(20)]
    np.testing.assert_array_equal(together, alone)
