"""Faithfulness: evidence that is true beats chance, evidence that is not does not, its cost is what the engine ran."""

from __future__ import annotations

import numpy as np
import pytest

from data.results import Evidence
from data.samples import sample_examples
from models.bundle import Bundle
from models.engine_build import load_text_model
from models.evidence import content
from models.text import TextModel
from training.evaluate_evidence import LEAST, evidence_line, faithfulness

ROWS = sample_examples()[::3]
ALONE = range(len(ROWS))  # each post is its own group


@pytest.fixture(scope="module")
def model(tiny_bundle: Bundle) -> TextModel:
    return load_text_model(tiny_bundle, "torch", threads=1)


def test_the_figures_are_of_the_crisis_posts_asked_for(model: TextModel) -> None:
    found = faithfulness(model, ROWS, ALONE, "none", 12, seed=0, draws=20)
    assert found["posts"] == 12
    assert 0 < found["cost_mean"] <= found["cost_most"]
    assert found["faithful"][1] <= found["faithful"][0] <= found["faithful"][2]
    assert found["predicted_crises"] <= 12
    assert found == faithfulness(model, ROWS, ALONE, "none", 12, seed=0, draws=20)
    assert "12 crisis posts" in evidence_line(found)
    crises = [row for row in ROWS if row.category != "none" and len(content(row.text)) >= LEAST]
    assert faithfulness(model, ROWS, ALONE, "none", 10_000, seed=0, draws=20)["posts"] == len(crises)


def test_the_best_words_beat_chance_and_no_evidence_fails(model: TextModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def oracle(model: TextModel, text: str, chosen: int, probability: float) -> tuple[Evidence, ...]:
        whole = [Evidence(word.text, word.start, word.end, 1.0) for word in content(text)]
        rests = [text[: word.start] + text[word.end :] for word in whole]
        return tuple(whole[i] for i in np.argsort(model.predict(rests).category[:, chosen]))

    monkeypatch.setattr("training.evaluate_evidence.evidence", oracle)
    good = faithfulness(model, ROWS, ALONE, "none", 20, seed=0, draws=20)
    assert good["faithful"][0] > 0.7
    assert good["log_odds_lost"][0] > good["log_odds_lost_by_chance"][0]
    assert good["cost_mean"] > 5  # one pass a word
    monkeypatch.setattr("training.evaluate_evidence.evidence", lambda *_: ())
    none = faithfulness(model, ROWS, ALONE, "none", 20, seed=0, draws=20)
    assert none["faithful"] == [0, 0, 0]
    assert none["cost_mean"] == 0


def test_without_crisis_posts_there_is_nothing_to_say(model: TextModel) -> None:
    calm = [row for row in ROWS if row.category == "none"]
    found = faithfulness(model, calm, range(len(calm)), "none", 5, seed=0, draws=10)
    assert found == {"posts": 0}
    assert "no crisis post" in evidence_line(found)


def test_near_duplicates_are_resampled_together(model: TextModel) -> None:
    """A post that stands there ten times is one post: its copies narrow no interval."""
    rows, groups = [row for row in ROWS for _ in range(10)], [i for i in ALONE for _ in range(10)]
    once = faithfulness(model, ROWS, ALONE, "none", 10_000, seed=0, draws=200)["log_odds_lost"]
    copies, alone = (
        faithfulness(model, rows, by, "none", 10_000, seed=0, draws=200)["log_odds_lost"]
        for by in (groups, range(len(rows)))
    )
    assert copies[2] - copies[1] == pytest.approx(once[2] - once[1], rel=0.2)
    assert alone[2] - alone[1] < 0.5 * (once[2] - once[1])
