"""Fine-tune the text model with the Hugging Face Trainer: GPUs, several processes and resumption come with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from torch import nn
from transformers import EvalPrediction, Trainer, TrainingArguments

from data.errors import ConfigError
from data.records import Example
from data.taxonomy import Taxonomy
from models.classifier import Adapter, RiskClassifier, adapt
from models.cpu import has_bf16
from models.encoder import Encoder
from models.probabilities import category_probabilities, decide, severity_probabilities
from models.tokens import Tokens
from training.checkpoints import last_checkpoint
from training.imitation import ImitatingModule, heads_kept
from training.metrics import macro_f1, qwk
from training.order import OrderedTrainer
from training.perturbed import Perturbing
from training.soft import MixedPosts, SoftPosts, Turning
from training.text_config import TextConfig
from training.text_data import Collator, Posts, class_weights, rank_of
from training.text_loss import Recipe, TeachingModule


def without_dropout(model: nn.Module) -> None:
    """Switch the encoder's dropout off: on a CPU its random numbers cost a third of a step (41 against 28 posts/s)."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if hasattr(module, "dropout_prob"):
            setattr(module, "dropout_prob", 0.0)  # noqa: B010  (a plain float beside the module's own attributes)


def build_classifier(encoder: Encoder, config: TextConfig, taxonomy: Taxonomy) -> RiskClassifier:
    """A fresh classifier on the encoder, with the adapter that the config asks for."""
    torch.manual_seed(config.seed)
    # torch's fused attention is slow in its backward pass on a CPU for short posts: 23 posts/s against 41 with "eager"
    encoder.model.set_attn_implementation("eager")
    without_dropout(encoder.model)
    shape = encoder.model.config
    if config.pool_after >= shape.num_hidden_layers:
        raise ConfigError(
            f"pool_after={config.pool_after}: encoder {encoder.name!r} has {shape.num_hidden_layers} layers: name a "
            "lower one, or 0 for no pooling"
        )
    body = adapt(encoder.model, Adapter(rank=config.rank, alpha=2 * config.rank))
    return RiskClassifier(body, shape.hidden_size, len(taxonomy.ids), len(taxonomy.severities), config.pool_after)


def validation_scores(taxonomy: Taxonomy) -> Callable[[EvalPrediction], dict[str, float]]:
    """macro-F1, QWK and their mean (the model that is kept is the best in this) on the validation part.

    Labels come from the prediction itself: the Trainer sorts validation rows by length, so their order is not ours.
    """

    def scores(prediction: EvalPrediction) -> dict[str, float]:
        logits = np.asarray(prediction.predictions)
        target, continued = (np.asarray(labels) for labels in prediction.label_ids)
        category, severity = target.argmax(1), rank_of(continued, target)
        probabilities = category_probabilities(logits[:, : len(taxonomy.ids)])
        ranks = severity_probabilities(probabilities[:, 0], logits[:, len(taxonomy.ids) :])
        chosen, rank = decide(probabilities, ranks)
        f1, kappa = macro_f1(category, chosen), qwk(severity, rank)
        return {
            "accuracy": float((category == chosen).mean()),
            "macro_f1": f1,
            "qwk": kappa,
            "mean": (f1 + kappa) / 2,
        }

    return scores


def computes_bf16(config: TextConfig) -> bool:
    """Whether matrix products run in bfloat16: a CPU that emulates it is a hundred times slower than in fp32."""
    return config.bf16 and (torch.cuda.is_bf16_supported() if torch.cuda.is_available() else has_bf16())


def arguments(config: TextConfig) -> TrainingArguments:
    """The Trainer's settings: a checkpoint each epoch, the best one is kept."""
    cuda = torch.cuda.is_available()
    return TrainingArguments(
        output_dir=str(config.checkpoints),
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch_size,
        per_device_eval_batch_size=2 * config.batch_size,
        learning_rate=config.learning_rate,
        warmup_steps=config.warmup,
        lr_scheduler_type="cosine",
        weight_decay=config.weight_decay,
        bf16=computes_bf16(config),
        use_cpu=not cuda,
        train_sampling_strategy="group_by_length",  # of the validation rows, too
        length_column_name="length",
        remove_unused_columns=False,
        label_names=["category_target", "severity_target"],
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="loss" if config.imitate else "mean",
        logging_steps=50,
        report_to="none",
        seed=config.seed,
        dataloader_pin_memory=cuda,
        ddp_find_unused_parameters=False,  # every step uses every weight: nothing to look for
    )


def _trainer(
    classifier: RiskClassifier,
    tokens: Tokens,
    data: tuple[Posts | MixedPosts, Posts],
    config: TextConfig,
    taxonomy: Taxonomy,
    train: Sequence[Example],
    teacher: RiskClassifier | None,
) -> Trainer:
    """The Trainer of the posts in data[0], measured on data[1]; `train` are the labelled rows, which weigh classes."""
    if teacher is None:
        module: nn.Module = _teaching_module(classifier, tokens, config, taxonomy, train)
    else:
        module = ImitatingModule(classifier, teacher)
    return OrderedTrainer(
        model=module,
        args=arguments(config),
        train_dataset=data[0],
        eval_dataset=data[1],
        data_collator=Collator(tokens.pad),
        compute_metrics=validation_scores(taxonomy),
    )


def _teaching_module(
    classifier: RiskClassifier, tokens: Tokens, config: TextConfig, taxonomy: Taxonomy, train: Sequence[Example]
) -> TeachingModule:
    """What learns from labels, by the recipe of the config."""
    recipe = Recipe(
        weights=class_weights(train, taxonomy, config.class_weight_power),
        smoothing=config.label_smoothing,
        severity_weight=config.severity_weight,
        token_dropout=config.token_dropout,
        mask_id=tokens.mask,
    )
    return TeachingModule(classifier, recipe)


def fit(
    classifier: RiskClassifier,
    tokens: Tokens,
    parts: tuple[Sequence[Example], Sequence[Example]],
    config: TextConfig,
    taxonomy: Taxonomy,
    soft: SoftPosts | None = None,
    about: Mapping[str, Any] | None = None,
    teacher: RiskClassifier | None = None,
) -> RiskClassifier:
    """Fine-tune on parts[0] and the soft posts, keep the epoch that is best on parts[1].

    `teacher`: whose reading of all these posts is learnt instead of their labels (`training.imitation`).
    Goes on from the last checkpoint in `out`, if that run learnt from what `about` says (see `last_checkpoint`).
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    train, validation = (
        Posts(tokens.encode([row.text for row in rows]), rows, taxonomy, config.second_weight) for rows in parts
    )
    mixed = MixedPosts(train, soft, config.epochs) if soft else None
    posts = train if mixed is None else mixed
    trainer = _trainer(classifier, tokens, (posts, validation), config, taxonomy, parts[0], teacher)
    if mixed is not None:
        trainer.add_callback(Turning(mixed))
    if config.perturbed_share:
        texts = [row.text for row in parts[0]]
        trainer.add_callback(Perturbing(train, texts, tokens, config.perturbed_share, config.seed))
    with PartialState().main_process_first():  # else one process reads the settings while another writes them
        checkpoint = last_checkpoint(config, about or {})
    with heads_kept(classifier) if teacher else nullcontext():
        trainer.train(resume_from_checkpoint=checkpoint)
    return classifier.eval()
