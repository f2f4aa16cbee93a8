"""The second reader: what it learns, what it keeps on disk, what it refuses, and how it is blended with the BERT."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load, save

from data.errors import BundleError
from data.samples import sample_examples
from data.taxonomy import load_taxonomy
from models.bundle import LEXICAL, Bundle, text_part
from models.engine_build import load_text_model
from models.lexical import LexicalModel, dump_lexical, load_lexical
from models.text import blend, interpret
from training.calibrate import fit_calibration, fit_category
from training.lexical import fit_lexical, informative, vectorizer

TAXONOMY = load_taxonomy()
EXAMPLES = sample_examples()
TEXTS = [row.text for row in EXAMPLES]
LABELS = np.array([TAXONOMY.index(row.category or TAXONOMY.none_id) for row in EXAMPLES])
CATEGORIES = len(TAXONOMY.ids)


@pytest.fixture(scope="module")
def model() -> LexicalModel:
    return fit_lexical(TEXTS, LABELS, CATEGORIES, 2_000)


def test_it_learns_its_training_posts(model: LexicalModel) -> None:
    assert (model.logits(TEXTS).argmax(1) == LABELS).mean() > 0.95


@pytest.mark.parametrize("text", [*TEXTS[::10], "a  b\t\tc 货", "假", "ꙮ", "假货" * 300])
def test_it_reads_ngrams_as_scikit_learn_does(model: LexicalModel, text: str) -> None:
    features = vectorizer([*model.ngrams])
    features.idf_ = model.idf
    wanted = features.transform([text]) @ model.coefficients + model.intercept
    np.testing.assert_allclose(model.logits([text]), wanted, atol=1e-5)


def test_a_text_is_read_alike_alone_and_in_company(model: LexicalModel) -> None:
    assert np.array_equal(model.logits(TEXTS), np.concatenate([model.logits([text]) for text in TEXTS]))


def test_only_the_most_telling_ngrams_are_kept() -> None:
    texts = ["假货真糟", "假货退钱", "发货真慢", "发货退钱"] * 2
    kept = informative(texts, np.array([0, 0, 1, 1] * 2), 4)
    assert set(kept) <= {"假", "假货", "发", "发货"}
    assert kept == sorted(kept)


def test_writing_and_reading_keeps_the_answers(model: LexicalModel) -> None:
    again = load_lexical(dump_lexical(model), CATEGORIES)
    np.testing.assert_allclose(again.logits(TEXTS), model.logits(TEXTS), atol=5e-3)


def test_traditional_wide_and_upper_case_letters_read_alike(model: LexicalModel) -> None:
    plain, other = model.logits(["这家店卖假货，客服app不处理", "這家店賣假貨，客服ＡＰＰ不處理"])
    np.testing.assert_allclose(plain, other, atol=1e-5)


def test_a_text_without_known_ngrams_gets_the_intercept(model: LexicalModel) -> None:
    np.testing.assert_allclose(model.logits(["ꙮ"])[0], model.intercept)


def test_an_unseen_category_is_never_chosen() -> None:
    seen = LABELS != 3
    model = fit_lexical([text for text, keep in zip(TEXTS, seen, strict=True) if keep], LABELS[seen], CATEGORIES, 500)
    logits = model.logits(TEXTS)
    assert np.isfinite(logits).all()
    assert (logits.argmax(1) != 3).all()


def test_two_categories_get_opposite_logits() -> None:
    model = fit_lexical(TEXTS, (LABELS == 0).astype(int), 2, 500)
    logits = model.logits(TEXTS)
    np.testing.assert_allclose(logits[:, 0], -logits[:, 1], atol=1e-5)
    assert (logits.argmax(1) == (LABELS == 0)).mean() > 0.9


@pytest.mark.parametrize("name", ["ngrams", "idf", "coefficients", "intercept"])
def test_a_missing_or_misshapen_part_is_refused(model: LexicalModel, name: str) -> None:
    parts = load(dump_lexical(model))
    with pytest.raises(BundleError, match="cannot be read"):
        load_lexical(save({key: value for key, value in parts.items() if key != name}), CATEGORIES)
    with pytest.raises(BundleError, match="cannot be read"):
        load_lexical(save({**parts, name: parts[name][:-1].copy()}), CATEGORIES)


@pytest.mark.parametrize(
    ("name", "value"), [("idf", 0.0), ("idf", np.inf), ("coefficients", np.inf), ("intercept", np.nan)]
)
def test_numbers_that_would_make_nan_are_refused(model: LexicalModel, name: str, value: float) -> None:
    parts = load(dump_lexical(model))
    parts[name] = parts[name].copy()
    parts[name].flat[0] = value
    with pytest.raises(BundleError, match="not finite"):
        load_lexical(save(parts), CATEGORIES)


def test_noise_is_refused() -> None:
    with pytest.raises(BundleError, match="train the text model again"):
        load_lexical(b"no safetensors", CATEGORIES)


def test_a_reader_that_knows_gets_weight_and_one_that_guesses_gets_none() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 4, 600)
    weak = np.eye(4)[truth] + random.normal(size=(600, 4))
    other = np.eye(4)[truth] + random.normal(size=(600, 4))
    assert fit_category(weak, truth, other).lexical_weight > 0.5
    assert fit_category(weak, truth, random.normal(size=(600, 4))).lexical_weight < 0.2


def test_the_blend_is_calibrated_as_one() -> None:
    random = np.random.default_rng(1)
    truth = random.integers(0, 3, 400)
    first, second = (np.eye(3)[truth] * 2 + random.normal(size=(400, 3)) for _ in range(2))
    severity, rank = random.normal(size=(400, 3)), np.minimum(truth, 2)
    fitted = fit_calibration(first, severity, truth, rank, second)
    logits = blend(first, second, fitted)
    alone = fit_calibration(logits, severity, truth, rank)
    for one in ("category", "severity"):
        np.testing.assert_allclose(
            *(getattr(interpret(logits, severity, found), one) for found in (fitted, alone)),
            atol=0.02,  # what is usual for two readers and for their sum differs a little
        )


def test_a_trained_bundle_answers_with_both_readers(trained_bundle: Bundle) -> None:
    whole = load_text_model(trained_bundle, "torch", threads=1)
    assert LEXICAL in trained_bundle.manifest.files
    assert whole.lexical is not None
    weight = text_part(trained_bundle).calibration.lexical_weight
    assert weight > 0
    category, _ = whole.engine.logits(whole.tokens.encode(TEXTS))
    bare = replace(whole, lexical=None, calibration=replace(whole.calibration, lexical_weight=0.0))
    temperature = whole.calibration.category_temperature
    ratio = np.log(whole.predict(TEXTS).category / bare.predict(TEXTS).category) * temperature
    extra = weight * whole.lexical.logits(TEXTS)
    np.testing.assert_allclose(ratio - ratio[:, :1], extra - extra[:, :1], atol=1e-3)
    assert category.shape == extra.shape
