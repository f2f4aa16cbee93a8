"""Long texts in pieces: they cover the text, a severe one decides, what is read is bounded, evidence lies in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from data.records import Item
from models.batching import Float, Ids
from models.bundle import Bundle
from models.calibration import Calibration, FirstStage
from models.engine_build import load_text_model
from models.pieces import LONGEST, MOST, spans
from models.scorer import Scorer
from models.text import SEVERE, TextModel

CALM = "今天的天气真好，一家人都很开心，晚饭也好吃。"
GRAVE = "有人中毒死亡。"
BURIED = CALM * 25 + GRAVE + CALM * 25


@dataclass
class Reader:
    """An engine that finds category 2 of rank 4 where it reads these ids, rank 1 where `mild`, and none elsewhere."""

    grave: list[int]
    mild: list[int]
    rows: list[int] = field(default_factory=list)

    def logits(self, rows: Ids) -> tuple[Float, Float]:
        self.rows.append(len(rows))
        category, severity = np.zeros((len(rows), 17), np.float32), np.full((len(rows), 3), -9, np.float32)
        for place, row in enumerate(rows):
            severe, some = _holds(row, self.grave), _holds(row, self.mild)
            category[place, 2 if severe or some else 0] = 20
            severity[place] = 9 if severe else -9
        return category, severity


def _holds(row: list[int], part: list[int]) -> bool:
    return any(row[start : start + len(part)] == part for start in range(len(row)))


@pytest.fixture
def model(tiny_bundle: Bundle) -> TextModel:
    whole = load_text_model(tiny_bundle, "torch", threads=1)
    grave, mild = (whole.tokens.encode([text])[0][2:-1] for text in ("死亡", "难吃"))
    return replace(whole, engine=Reader(grave, mild), calibration=Calibration(review_doubt=1.0), lexical=None)


@given(st.text("今天好。！？!?；;\n a", max_size=600), st.integers(1, 50))
def test_pieces_are_the_text_and_none_is_too_long(text: str, longest: int) -> None:
    found = spans(text, longest)
    assert "".join(text[start:end] for start, end in found) == text
    assert all(0 < end - start <= longest for start, end in found)


def test_a_sentence_that_is_too_long_is_cut_at_a_pause() -> None:
    text = "今天的天气真好，一家人都很开心，" * 40
    assert all(text[start:end].endswith("，") for start, end in spans(text, 100))
    assert [end - start for start, end in spans("好" * 250, 100)] == [100, 100, 50]


def test_a_sentence_that_fits_is_whole_in_a_piece() -> None:
    pieces = [BURIED[start:end] for start, end in spans(BURIED)]
    assert sum(GRAVE in piece for piece in pieces) == 1
    assert all(piece.endswith("。") for piece in pieces)
    assert min(map(len, pieces[:-1])) > LONGEST - len(CALM)


def test_a_severe_piece_decides_and_its_neighbours_do_not_change(model: TextModel) -> None:
    texts = [CALM, BURIED[: 12 * len(CALM)] + GRAVE + CALM * 6, CALM * 50, "菜很难吃。" + CALM * 50, GRAVE]
    plain, found = model.at_once().predict(texts), model.predict(texts)
    assert [*plain.rank] == [0, 0, 0, 1, 4]
    assert [*found.rank] == [0, 4, 0, 1, 4]
    assert [*found.chosen] == [0, 2, 0, 2, 2]
    assert [*found.needs_review] == [False, True, True, True, False]
    ((row, (start, end)),) = found.parts.items()
    assert row == 1
    assert GRAVE in texts[1][start:end]
    np.testing.assert_array_equal(found.category[[0, 2, 3, 4]], plain.category[[0, 2, 3, 4]])


def test_what_is_not_severe_leaves_the_answer_as_it_is(model: TextModel) -> None:
    mild = CALM * 10 + "菜很难吃。" + CALM * 30
    assert SEVERE > 1
    assert model.predict([mild]).parts == {}
    assert [*model.predict([mild]).rank] == [*model.at_once().predict([mild]).rank]


def test_what_a_text_denies_does_not_decide(model: TextModel) -> None:
    denied = CALM * 12 + GRAVE + CALM * 12 + "以上系谣言，请勿传播。" + CALM * 12
    assert [*model.predict([denied, BURIED]).rank] == [0, 4]
    assert [*model.predict([denied]).needs_review] == [True]


def test_what_is_read_of_a_text_is_bounded(model: TextModel) -> None:
    assert isinstance(model.engine, Reader)
    model.predict([CALM * 200, CALM])
    assert sum(model.engine.rows) == 2 + MOST


def test_of_many_pieces_those_are_read_that_the_second_reader_fears(model: TextModel) -> None:
    class Afraid:
        def logits(self, texts: list[str]) -> NDArray[np.float32]:
            logits = np.zeros((len(texts), 17), np.float32)
            logits[:, 0] = [-3 if "死" in text else 3 for text in texts]
            return logits

    both = replace(model, lexical=Afraid(), calibration=replace(model.calibration, lexical_weight=0.0))  # type: ignore[arg-type]
    late = CALM * 150 + GRAVE + CALM * 50
    assert [*both.predict([late]).rank] == [4]
    assert [*model.predict([late]).rank] == [0]  # without a second reader the first ones are read


class Carefree:
    """A second reader that takes every text for none."""

    def logits(self, texts: list[str]) -> NDArray[np.float32]:
        return np.tile(np.eye(1, 17, dtype=np.float32) * 9, (len(texts), 1))


def test_the_first_stage_does_not_settle_a_long_text_with_a_severe_piece(model: TextModel) -> None:
    stage = FirstStage(floor=0.5, temperature=1.0, severity_logits=(0.0, 0.0, 0.0))
    calm = replace(model.calibration, lexical_weight=0.0)
    staged = replace(model, lexical=Carefree(), first_stage=stage, calibration=calm)  # type: ignore[arg-type]
    found = staged.predict([BURIED, CALM * 50, GRAVE])
    assert found.settled is not None
    assert [*found.settled] == [False, True, True]
    assert [*found.parts] == [0]
    assert [*found.rank] == [4, 0, 0]


def test_evidence_lies_in_the_part_that_decided(tiny_scorer: Scorer, model: TextModel) -> None:
    (found,) = replace(tiny_scorer, text=model).score([Item(text=BURIED, explain=True)])
    assert found.severity is not None
    assert found.severity.rank == 4
    assert found.needs_review
    start, end = model.predict([BURIED]).parts[0]
    assert found.evidence
    for word in found.evidence:
        assert BURIED[word.start : word.end] == word.text
        assert start <= word.start < word.end <= end
