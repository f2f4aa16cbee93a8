"""Laws of the gate: it knows a topic by its course and not by its size or the clock, and weighs what is answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest
from second_kind import busy_kind
from self_exciting import CONFIG, model, trained

from data.records import Volume
from data.volume import count_features
from data.volume_windows import HORIZON, WIDTH, Floats, Windows
from models.escalation import EVEN, MIN_RECENT, MIN_TOTAL, OPTIONAL, EscalationModel
from models.escalation_head import design, log_odds
from models.escalation_store import dump, load
from training.escalation_fit import FAR, fit_model
from training.escalation_gate import CLOCK, gate_names, thinned
from training.escalation_recalibrate import Recent, recalibrate_model


@cache
def taught() -> EscalationModel:
    _, _, where, table = trained()
    return fit_model(table, where, CONFIG, other=busy_kind())


def _features(windows: Windows) -> Floats:
    return design(count_features(windows, taught().diurnal), taught().names)


def _kind(windows: Windows) -> Floats:
    return taught().kind(_features(windows))


def _own() -> Windows:
    _, decisions, where, _ = trained()
    return decisions.windows.take(where.test)


def _other() -> Windows:
    return busy_kind().decisions.windows.take(busy_kind().where.test)


def test_later_topics_of_both_kinds_are_told_apart() -> None:
    own, other = _kind(_own()), _kind(_other())
    assert np.mean(own >= EVEN) > 0.9
    assert np.mean(other < EVEN) > 0.75  # in their first hours some look like the own


def test_a_topic_with_more_posts_keeps_its_kind() -> None:
    """A border at the largest recorded topic made every larger one the other kind."""
    assert np.mean(_kind(replace(_own(), counts=_own().counts * 5)) >= EVEN) > 0.85


def test_the_gate_reads_no_clock_and_nothing_that_one_kind_only_has() -> None:
    names = taught().gate_names
    assert names == gate_names(taught().names)
    assert {"log_total", "growth_3h"} <= {*names} <= {*taught().names} - {*CLOCK}
    assert not [name for name in names if name.startswith(tuple(OPTIONAL.values()))]


def test_likeness_ends_with_the_size_of_the_recorded_topics() -> None:
    """Beyond it the main model knows calm only: a topic of thousands that doubles would get nothing."""
    features = _features(_own())
    columns = [taught().names.index(name) for name in ("log_total", "log_needed")]
    features, every = np.repeat(features[:1], 4, axis=0), np.ones(4, bool)
    features[:, columns] = np.log(taught().limit * np.array([0.4, 0.5, 0.5 * 2**0.5, 1.0]))[:, None]  # half of it each
    found = taught().likeness(features, every) / taught().kind(features)
    assert found == pytest.approx([1, 1, 0.5, 0], abs=0.01)


def test_thinned_topics_keep_their_unknown_hours_and_enough_posts() -> None:
    counts = np.zeros((3, WIDTH))
    counts[:, -HORIZON:] = [[1_000.0] * HORIZON, [None, *[1_000.0] * 5], [3.0] * HORIZON]
    nothing = np.full_like(counts, np.nan)
    found = thinned(Windows(counts, np.full(3, 6), np.arange(3), nothing, nothing), 0.1, np.random.default_rng(0))
    assert found.hour.tolist() == [0, 1]  # the third has too few posts left
    np.testing.assert_array_equal(np.isnan(found.counts), np.isnan(counts[:2]))
    recent = np.nansum(found.counts[:, -HORIZON:], axis=1)
    assert ((recent >= max(MIN_TOTAL, MIN_RECENT)) & (recent == recent.round())).all()
    assert recent == pytest.approx([600, 500], rel=0.2)


def test_the_likeness_weighs_the_answers_of_both_kinds() -> None:
    features = _features(_own())
    every = np.ones(len(features), bool)
    own, other = (log_odds(taught().answered(features, np.full(len(features), one))) for one in (1.0, 0.0))
    share = taught().likeness(features, every)
    served = log_odds(taught().probabilities(features, every))
    np.testing.assert_allclose(served, share * own + (1 - share) * other, atol=1e-6)
    fallback = log_odds(taught().fallback.predict_proba(features[:, taught().free])[:, 1])
    np.testing.assert_allclose(other, FAR * own + (1 - FAR) * fallback, atol=1e-6)


def test_what_explains_an_answer_leaves_its_likeness_as_it_is() -> None:
    features = _features(_own())[:5]
    other = np.repeat(_features(_other())[:1], 5, axis=0)
    every = np.ones(5, bool)
    found = taught().altered(other, features, every)
    np.testing.assert_array_equal(found, taught().answered(other, taught().likeness(features, every)))
    assert (found != taught().probabilities(other, every)).any()


def test_a_topic_of_the_other_kind_is_out_of_domain_and_the_desk_is_told() -> None:
    row = int(np.argmin(_kind(_other())))
    hours = int(_other().length[row])
    posts = tuple(float(one) for one in np.nan_to_num(_other().counts[row, WIDTH - hours :]))
    volume = Volume(as_of=datetime(2026, 1, 1, tzinfo=UTC), counts=posts)
    found, without = (one.predict([volume])[0] for one in (taught(), model()))
    assert not found.in_domain
    assert any("走势更像热搜话题" in one for one in found.warnings)
    assert all("走势" not in one for one in without.warnings)


def test_a_stored_head_keeps_its_gate() -> None:
    features, inside = _features(_own())[:50], np.ones(50, bool)
    again = load(dump(taught()))
    assert isinstance(again, EscalationModel)
    assert again.gate_names == taught().gate_names
    np.testing.assert_array_equal(again.probabilities(features, inside), taught().probabilities(features, inside))


def test_recalibration_fits_one_sigmoid_of_what_is_served() -> None:
    """The level follows the latest days for both kinds, and no two topics change places."""
    _, _, where, table = trained()
    features, every = table.features[where.test], np.ones(where.test.sum(), bool)
    rare = table.labels[where.test] * (np.arange(len(features)) % 3 == 0)  # two of three escalations gone
    fresh, about = recalibrate_model(
        taught(), {"as_served": Recent(features, rare, np.arange(len(rare), dtype=float))}, 30
    )
    before, after = (one.probabilities(features, every) for one in (taught(), fresh))
    assert list(about) == ["as_served"]
    assert after.mean() == pytest.approx(rare.mean(), abs=0.01)
    assert before.mean() > 2 * rare.mean()
    assert (np.argsort(before, kind="stable") == np.argsort(after, kind="stable")).all()
    assert (fresh.voices != taught().voices) & (fresh.outside != taught().outside)
