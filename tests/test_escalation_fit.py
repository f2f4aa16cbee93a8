"""Laws of the blocks and of the fit: nothing of the test block leaks, and noise teaches nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from self_exciting import CONFIG, model, topic, trained

from data.errors import CorpusError
from data.records import Series
from data.volume_pace import PRIOR
from training.decisions import decide_on, topics_of
from training.escalation import measure
from training.escalation_blocks import Blocks, blocks, require
from training.escalation_fit import SCORES, baseline_probabilities, fit_model, tabulate
from training.metrics import auroc

PARTS = ("fit", "calibration", "test")


def test_blocks_are_ordered_in_time_with_an_embargo_between() -> None:
    _, decisions, where, _ = trained()
    for earlier, later in (("fit", "calibration"), ("calibration", "test")):
        last = decisions.end[getattr(where, earlier)].max()
        assert last + CONFIG.embargo_hours <= decisions.start[getattr(where, later)].min()


def test_no_topic_is_in_two_blocks_and_none_is_cut() -> None:
    _, decisions, where, _ = trained()
    owners = np.stack([getattr(where, part) for part in PARTS])
    assert owners.sum(axis=0).max() == 1
    for number in np.unique(decisions.topic):
        assert len(np.unique(owners[:, decisions.topic == number], axis=1).T) == 1


@pytest.mark.parametrize("embargo", [0, 12, 96])
@pytest.mark.parametrize("origin", [0.5, 0.75])
def test_the_laws_of_blocks_hold_for_every_origin_and_embargo(origin: float, embargo: int) -> None:
    topics, decisions, _, _ = trained()
    where = blocks(decisions, topics.start, origin, origin + 0.1, replace(CONFIG, embargo_hours=embargo))
    assert decisions.end[where.fit].max() + embargo <= decisions.start[where.calibration].min()
    assert decisions.end[where.calibration].max() + embargo <= decisions.start[where.test].min()
    tested = len(np.unique(decisions.topic[where.test])) / len(topics.start)
    assert tested == pytest.approx(0.1, abs=0.02)


def test_the_test_block_teaches_nothing() -> None:
    topics, decisions, where, table = trained()
    ahead = decisions.ahead.copy()
    ahead[where.test] = 9_999.0
    counts = [
        c * 9 if start >= decisions.start[where.test].min() else c
        for c, start in zip(topics.counts, topics.start, strict=True)
    ]
    altered = tabulate(replace(topics, counts=counts), replace(decisions, ahead=ahead), where)
    np.testing.assert_array_equal(altered.diurnal, table.diurnal)
    features = table.features[where.test]
    inside = np.ones(len(features), bool)
    np.testing.assert_array_equal(
        fit_model(altered, where, CONFIG).probabilities(features, inside), model().probabilities(features, inside)
    )


def test_the_model_learns_and_says_probabilities() -> None:
    _, _, where, table = trained()
    labels = table.labels[where.test]
    for main in (True, False):
        likelihood = model().probabilities(table.features[where.test], np.full(len(labels), main))
        assert auroc(labels, likelihood) > 0.7
        assert likelihood.mean() == pytest.approx(labels.mean(), abs=0.1)
        assert ((likelihood > 0) & (likelihood < 1)).all()


def test_shuffled_labels_teach_nothing() -> None:
    _, _, where, table = trained()
    random = np.random.default_rng(0)
    found = []
    for _ in range(4):
        labels, nearness = table.labels.copy(), table.nearness.copy()
        for part in (where.fit, where.calibration):
            order = random.permutation(np.flatnonzero(part))
            labels[part], nearness[part] = labels[order], nearness[order]
        shuffled = fit_model(replace(table, labels=labels, nearness=nearness), where, CONFIG)
        features = table.features[where.test]
        found.append(auroc(table.labels[where.test], shuffled.probabilities(features, np.ones(len(features), bool))))
    assert np.mean(found) == pytest.approx(0.5, abs=0.1)


def test_the_same_seed_gives_the_same_model() -> None:
    _, _, where, table = trained()
    again = fit_model(table, where, CONFIG)
    features = table.features[where.test]
    for main in (True, False):
        inside = np.full(len(features), main)
        np.testing.assert_array_equal(again.probabilities(features, inside), model().probabilities(features, inside))


def test_baselines_answer_the_test_block_and_the_constant_ranks_nothing() -> None:
    _, _, where, table = trained()
    answers = baseline_probabilities(table, where)
    assert set(SCORES) < set(answers)
    for likelihood in answers.values():
        assert likelihood.shape == (where.test.sum(),)
        assert ((likelihood > 0) & (likelihood < 1)).all()
    assert len(set(answers["constant"].round(9))) == 1
    assert answers["constant"][0] == pytest.approx(table.labels[where.calibration].mean(), abs=0.01)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("left", [0, 1])
def test_a_one_sided_block_is_refused(part: str, left: int) -> None:
    _, _, where, table = trained()
    require(table.labels, where)
    labels = table.labels.copy()
    labels[getattr(where, part)] = left
    with pytest.raises(CorpusError, match=f"the {part} block has .* at least 30 of each"):
        require(labels, where)


def test_escalations_of_one_topic_only_are_refused() -> None:
    _, decisions, where, table = trained()
    require(table.labels, where, decisions.topic)
    with pytest.raises(CorpusError, match="the fit block has escalations of 1 topics only: at least 10"):
        require(table.labels, where, np.zeros_like(decisions.topic))


def _bare(series: Series) -> Series:
    return replace(series, authors=None, negative=None)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_too_few_topics_are_told(size: int) -> None:
    topics = topics_of([topic(number) for number in range(size)])
    decisions = decide_on(topics)
    labels = decisions.labels(np.full(24, 1 / 24))
    with pytest.raises(CorpusError, match="give more topics"):
        require(labels, blocks(decisions, topics.start, 0.75, 1.0, CONFIG))


def test_series_without_authors_and_negative_posts_train_too() -> None:
    topics = topics_of([_bare(topic(number)) for number in range(200)])
    decisions = decide_on(topics)
    where = blocks(decisions, topics.start, 0.75, 1.0, CONFIG)
    table = tabulate(topics, decisions, where)
    bare = fit_model(table, where, CONFIG)
    baseline_probabilities(table, where)
    for main in (True, False):
        likelihood = bare.probabilities(table.features[where.test], np.full(where.test.sum(), main))
        assert auroc(table.labels[where.test], likelihood) > 0.7


def test_an_empty_fit_block_is_one_clear_error() -> None:
    """All topics within the embargo of the next block: there was a traceback."""
    topics, decisions, where, _ = trained()
    with pytest.raises(CorpusError, match="the fit block has no decision: give more topics"):
        tabulate(topics, decisions, replace(where, fit=np.zeros_like(where.fit)))


def test_a_straight_line_is_extrapolated() -> None:
    """Two posts more each hour: the score is then what really comes, over what is needed."""
    rising = Series(
        topic_id="line",
        start=topic(0).start,
        interval_minutes=60,
        counts=tuple(float(2 * hour + 1) for hour in range(60)),
    )
    topics = topics_of([rising])
    decisions = decide_on(topics)
    everything = np.ones(len(decisions.topic), bool)
    table = tabulate(topics, decisions, Blocks(everything, everything, everything))
    old = decisions.windows.length >= 6
    score = SCORES["linear_extrapolation"](table, Blocks(everything, everything, everything))
    share = (decisions.ahead + PRIOR) / np.exp(table.column("log_needed"))
    np.testing.assert_allclose(np.exp(score[old]), share[old], rtol=1e-6)


def test_the_head_is_measured_by_month_and_by_hour() -> None:
    _, decisions, where, table = trained()
    found = measure(model(), decisions.take(where.test), baseline_probabilities(table, where), 3)
    for kind in ("by_month", "by_hour"):
        assert 0 < sum(part["rows"] for part in found[kind].values()) <= where.test.sum()
    assert {*found["by_hour"]} <= {f"{hour}-{hour + 3} h" for hour in range(0, 24, 4)}
    assert "linear_extrapolation" in found["models"]
