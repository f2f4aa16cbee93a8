"""Imitation: losses that vanish only for the same reading, a teacher that stays as it was, a pooled bundle from it."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from altered import edit
from recalibrated import STREAM, config_of
from rich.console import Console

from data.errors import ConfigError
from data.samples import sample_examples
from data.taxonomy import load_taxonomy
from models.adapter import load_classifier
from models.bundle import CARD, Bundle, open_bundle, text_part
from models.classifier import RiskClassifier
from models.engine_build import load_text_model
from models.pooling import pool_pairs
from models.text import TextModel
from training.earlier import require_pooling
from training.evaluate_rows import trained_corpus
from training.imitation import (
    ImitatingModule,
    category_divergence,
    heads_kept,
    hidden_loss,
    layers_loss,
    severity_divergence,
    token_loss,
)
from training.text import train_text
from training.text_config import TextConfig
from training.text_data import Collator, Posts
from training.text_recalibrate import recalibrate_text

TAXONOMY = load_taxonomy()
TEXTS = [example.text for example in sample_examples()[::7]]


def a_batch(bundle: Bundle) -> dict[str, torch.Tensor]:
    tokens = load_text_model(bundle, "torch", threads=1).tokens
    rows = sample_examples()[::20][:8]
    return Collator(tokens.pad)([*Posts(tokens.encode([row.text for row in rows]), rows, TAXONOMY, 0.15)])  # type: ignore[misc]


def pooled(bundle: Bundle) -> RiskClassifier:
    classifier = load_classifier(bundle)
    classifier.pool_after = 1
    return classifier


def test_losses_are_0_for_the_same_and_more_for_others() -> None:
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randn(6, 5, generator=generator) for _ in range(2))
    crisis = torch.rand(6, generator=generator)
    for loss in (hidden_loss, category_divergence, lambda a, b: severity_divergence(a, b, crisis)):
        assert float(loss(one, one)) == pytest.approx(0, abs=1e-6)
        assert float(loss(one, other)) > 0.01


def test_hidden_states_are_compared_in_units_of_their_variance() -> None:
    wanted = torch.tensor([[0.0, 2.0], [4.0, 6.0]])
    assert float(hidden_loss(wanted + 1, wanted)) == pytest.approx(float(hidden_loss(10 * wanted + 10, 10 * wanted)))


def test_tokens_are_compared_pair_by_pair_and_padding_is_not() -> None:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(3, 8, 5, generator=generator)
    counts = (torch.arange(8) < torch.tensor([8, 5, 2])[:, None]).float()
    every, pairs = (states, counts), pool_pairs(states, counts)
    for found, wanted in ((every, every), (pairs, every), (every, pairs), (pairs, pairs)):
        assert float(token_loss(found, wanted)) == pytest.approx(0, abs=1e-6)
    elsewhere = torch.where(counts[..., None] > 0, states, states + 9)
    assert float(token_loss((elsewhere, counts), every)) == pytest.approx(0, abs=1e-6)
    assert float(token_loss((states + 9, counts), every)) > 10
    assert float(layers_loss([every, (states + 1, counts)], [every, every])) > 0.1


def test_heads_stay_the_teachers_and_learn_again_afterwards(tiny_bundle: Bundle) -> None:
    classifier = pooled(tiny_bundle)
    heads = [*classifier.category.parameters(), *classifier.severity.parameters()]
    with heads_kept(classifier):
        module = ImitatingModule(classifier, load_classifier(tiny_bundle))
        module(**a_batch(tiny_bundle))["loss"].backward()
        assert all(weight.grad is None and not weight.requires_grad for weight in heads)
    assert all(weight.requires_grad for weight in heads)


def test_a_step_that_the_teacher_believes_is_never_reached_does_not_count() -> None:
    wanted, found = torch.tensor([[-30.0, 1.0, 1.0]]), torch.tensor([[-30.0, -5.0, 9.0]])
    assert float(severity_divergence(found, wanted, torch.ones(1))) == pytest.approx(0, abs=1e-6)
    assert float(severity_divergence(found, -wanted, torch.ones(1))) > 1
    assert float(severity_divergence(found, -wanted, torch.zeros(1))) == 0


def test_who_reads_as_the_teacher_has_no_loss_and_the_teacher_is_no_part_of_what_learns(tiny_bundle: Bundle) -> None:
    module = ImitatingModule(load_classifier(tiny_bundle), load_classifier(tiny_bundle))
    batch = a_batch(tiny_bundle)
    assert float(module(**batch)["loss"].detach()) == pytest.approx(0, abs=1e-5)
    assert all(name.startswith("classifier.") for name, _ in module.named_parameters())
    assert float(ImitatingModule(pooled(tiny_bundle), load_classifier(tiny_bundle))(**batch)["loss"].detach()) > 1e-3


def test_a_few_steps_bring_a_pooled_reader_nearer_and_leave_the_teacher_alone(tiny_bundle: Bundle) -> None:
    teacher, batch = load_classifier(tiny_bundle), a_batch(tiny_bundle)
    before = {name: weight.clone() for name, weight in teacher.state_dict().items()}
    module = ImitatingModule(pooled(tiny_bundle), teacher)
    optimiser = torch.optim.AdamW([one for one in module.parameters() if one.requires_grad], lr=3e-3)
    where = batch["input_ids"], batch["attention_mask"]

    def far() -> float:
        return float(hidden_loss(module.classifier.pooled(*where), teacher.pooled(*where)).detach())

    at_first = far()
    with heads_kept(module.classifier):
        for _ in range(30):
            optimiser.zero_grad()
            module(**batch)["loss"].backward()
            optimiser.step()
    assert far() < 0.5 * at_first
    assert all(torch.equal(weight, before[name]) for name, weight in teacher.state_dict().items())


@pytest.fixture(scope="module")
def faster(tiny_config: TextConfig, trained_bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The tiny bundle once more, pooled after its first layer, from its own reading of posts without labels."""
    folder = tmp_path_factory.mktemp("faster")
    texts = [f"第{n}条：快递又慢了{n * n}天，客服电话打不通，等了{n}小时" for n in range(40)]
    path = folder / "unlabelled.jsonl"
    path.write_text("".join(json.dumps({"id": str(n), "text": text}) + "\n" for n, text in enumerate(texts)))
    shipped = str(trained_bundle.folder)
    config = replace(
        tiny_config,
        start=shipped,
        teacher=shipped,
        imitate=True,
        pool_after=1,
        epochs=4,
        learning_rate=2e-3,
        unlabelled=(str(path),),
        out=str(folder / "run"),
    )
    return train_text(config, Console(quiet=True))


def distance(model: TextModel, other: TextModel) -> float:
    """Between the BERT's category logits of two models, root mean square."""
    one, two = (each.engine.logits(each.tokens.encode(TEXTS))[0] for each in (model, other))
    return float(np.sqrt(((one - two) ** 2).mean()))


def test_a_bundle_that_imitates_is_pooled_and_reads_nearly_as_its_teacher(
    faster: Bundle, trained_bundle: Bundle, tmp_path: Path
) -> None:
    part = text_part(faster)
    assert (part.pool_after, part.config["imitate"]) == (1, True)
    mine, its = (load_classifier(bundle) for bundle in (faster, trained_bundle))
    assert torch.equal(mine.category.weight, its.category.weight)
    told = (faster.folder / CARD).read_text(encoding="utf-8")
    assert "After layer 1 of the encoder" in told
    assert f"it learnt how `{trained_bundle.model_id}` reads the posts and 40 unlabelled ones" in told
    assert "of the encoder every two" not in (trained_bundle.folder / CARD).read_text(encoding="utf-8")
    shutil.copytree(trained_bundle.folder, tmp_path / "untaught")
    edit(tmp_path / "untaught", lambda raw: raw["text"].update(pool_after=1))
    teacher, learnt, untaught = (
        load_text_model(bundle, "torch", threads=1)
        for bundle in (trained_bundle, faster, open_bundle(tmp_path / "untaught"))
    )
    assert distance(learnt, teacher) < 0.8 * distance(untaught, teacher)


@pytest.mark.parametrize("given", [{}, {"teacher": "a"}, {"start": "a"}, {"teacher": "a", "start": "b"}])
def test_imitation_goes_on_from_its_teacher(tiny_config: TextConfig, given: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="give one bundle as both"):
        train_text(replace(tiny_config, imitate=True, **given), Console(quiet=True))  # type: ignore[arg-type]


def test_there_must_be_something_to_imitate(tiny_config: TextConfig, trained_bundle: Bundle, tmp_path: Path) -> None:
    own = str(trained_bundle.folder)
    config = replace(tiny_config, start=own, teacher=own, imitate=True, out=str(tmp_path))
    with pytest.raises(ConfigError, match="pools so already"):
        require_pooling(trained_bundle, config, Console(quiet=True))
    console = Console(file=io.StringIO(), width=200)
    require_pooling(trained_bundle, replace(config, imitate=False, pool_after=1), console)
    assert "learnt with pool_after=0" in console.file.getvalue()  # type: ignore[attr-defined]
    require_pooling(trained_bundle, replace(config, imitate=False), Console(file=io.StringIO()))


def test_each_device_has_a_teacher_of_its_own(tiny_bundle: Bundle) -> None:
    module = ImitatingModule(pooled(tiny_bundle), load_classifier(tiny_bundle))
    elsewhere = module._teacher(torch.device("meta"))
    assert {one.device.type for one in elsewhere.parameters()} == {"meta"}
    assert module._teacher(torch.device("meta")) is elsewhere
    assert module._teacher(torch.device("cpu")) is not elsewhere


def test_a_bundle_that_imitates_is_measured_and_recalibrated_like_another(faster: Bundle, tmp_path: Path) -> None:
    corpus = trained_corpus(faster, tuple(text_part(faster).config["posts"]), TAXONOMY, Console(quiet=True))
    assert corpus is not None
    assert len(corpus.part("test")) == text_part(faster).data["rows"]["test"]
    again = recalibrate_text(config_of(faster, STREAM, tmp_path), Console(quiet=True))
    assert (text_part(again).pool_after, text_part(again).config["imitate"]) == (1, False)
