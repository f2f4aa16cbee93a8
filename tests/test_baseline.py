"""The TF-IDF peer: it learns, gives probabilities, and reads texts as the BERT does."""

from __future__ import annotations

import numpy as np
import pytest

from data.samples import sample_examples
from data.taxonomy import load_taxonomy
from training.baseline import Baseline
from training.text import labels

TAXONOMY = load_taxonomy()
ROWS = sample_examples()
TEXTS = [row.text for row in ROWS]
CATEGORY, RANK = labels(ROWS, TAXONOMY)


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return Baseline(TEXTS, CATEGORY, RANK)


def test_it_learns_its_rows(baseline: Baseline) -> None:
    _, category, rank = baseline.predict(TEXTS)
    assert (category == CATEGORY).mean() > 0.95
    assert (rank == RANK).mean() > 0.95


def test_probabilities_are_of_the_classes_seen(baseline: Baseline) -> None:
    probabilities, category, rank = baseline.predict(TEXTS[:9])
    assert probabilities.shape == (9, len(TAXONOMY.ids))
    assert np.allclose(probabilities.sum(1), 1)
    assert (baseline.category.classes_[probabilities.argmax(1)] == category).all()
    assert set(rank) <= set(RANK)


def test_a_class_that_was_never_seen_is_never_said() -> None:
    kept = np.flatnonzero(CATEGORY != 3)
    found = Baseline([TEXTS[i] for i in kept], CATEGORY[kept], RANK[kept])
    probabilities, category, _ = found.predict(TEXTS)
    assert probabilities.shape == (len(TEXTS), len(TAXONOMY.ids) - 1)
    assert 3 not in category


def test_a_text_does_not_depend_on_its_neighbours_or_their_order(baseline: Baseline) -> None:
    order = np.random.default_rng(0).permutation(len(TEXTS))
    whole = baseline.predict(TEXTS)[0]
    assert np.allclose(whole[order], baseline.predict([TEXTS[i] for i in order])[0])
    assert np.allclose(whole[:1], baseline.predict(TEXTS[:1])[0])


def test_the_same_rows_give_the_same_model(baseline: Baseline) -> None:
    assert (Baseline(TEXTS, CATEGORY, RANK).predict(TEXTS)[0] == baseline.predict(TEXTS)[0]).all()


def test_texts_are_normalised_first(baseline: Baseline) -> None:
    plain, odd = "APP卖假货!我要投诉12315", "ＡＰＰ卖假\u200b货！我要投诉１２３１５"
    assert np.allclose(*(baseline.predict([text])[0] for text in (plain, odd)))
    assert np.allclose(*(baseline.predict([text])[0] for text in (plain, plain.lower())))


def test_a_text_of_unknown_words_still_gets_an_answer(baseline: Baseline) -> None:
    probabilities, category, rank = baseline.predict(["", "☃", "zzz"])
    assert np.isfinite(probabilities).all()
    assert len(category) == len(rank) == 3
