"""The examples of the documentation say what the service would answer."""

from __future__ import annotations

from data.taxonomy import load_taxonomy
from models.escalation import TARGET
from models.escalation_words import GROUPS
from models.policy import Policy
from serving.examples import SAMPLE_ITEMS, SAMPLE_RESULTS


def test_examples_are_consistent() -> None:
    taxonomy, policy = load_taxonomy(), Policy.load()
    for sample, result in zip(SAMPLE_ITEMS, SAMPLE_RESULTS, strict=True):
        assert result.category is not None
        assert result.severity is not None
        assert (sample.id, sample.volume is None) == (result.id, result.escalation is None)
        for word in (*(word for signal in result.signals for word in signal.words), *result.evidence):
            assert (sample.text or "")[word.start : word.end] == word.text
        assert [*result.category.probabilities] == [*taxonomy.ids]
        lift = result.escalation.lift if result.escalation else None
        signals = [signal.id for signal in result.signals]
        assert result.risk == policy.assess(result.category.id, result.severity.rank, lift, signals, taxonomy)


def test_the_examples_escalation_is_one_that_the_service_sends() -> None:
    volume, found = SAMPLE_ITEMS[0].volume, SAMPLE_RESULTS[0].escalation
    assert volume is not None
    assert found is not None
    assert (found.target, found.n_obs) == (TARGET, len(volume.counts or ()))
    assert {factor.name for factor in found.factors} <= set(GROUPS)
