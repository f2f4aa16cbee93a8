"""Is the evidence true? Taking out its three strongest words must hurt the prediction more than any three words do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from data.records import Example
from data.results import Evidence, Word
from models.batching import padded_length
from models.evidence import content, evidence, without
from models.text import TextModel
from training.bootstrap import interval
from training.evaluate_engine import CountingEngine

TAKEN = 3  # words that are taken out
LEAST = 2 * TAKEN  # words that a post must have, so that both choices can be wholly different


@dataclass(frozen=True, slots=True)
class _Probe:
    """One post: what its evidence tells, and the words that chance takes out."""

    text: str
    group: int
    chosen: int
    probability: float
    told: tuple[Evidence, ...]
    chance: tuple[Word, ...]
    cost: float  # tokens that the evidence ran through the engine, per token of the post's plain pass


Post = tuple[str, int]  # text and group


def _sample(
    rows: Sequence[Example], groups: Sequence[int], none_id: str, posts: int, random: np.random.Generator
) -> list[Post]:
    """Up to `posts` posts that are labelled as crises and have words enough."""
    crises = [
        (row.text, group)
        for row, group in zip(rows, groups, strict=True)
        if row.category not in (None, none_id) and len(content(row.text)) >= LEAST
    ]
    return [crises[i] for i in random.permutation(len(crises))[:posts]]


def _by_chance(found: Sequence[Word], told: set[tuple[int, int]], random: np.random.Generator) -> tuple[Word, ...]:
    """Any three words but just those that are told: a set is not compared with itself."""
    while True:
        chance = tuple(found[i] for i in random.permutation(len(found))[:TAKEN])
        if {(word.start, word.end) for word in chance} != told:
            return chance


def _probe(model: TextModel, post: Post, random: np.random.Generator) -> _Probe:
    text, group = post
    plain = model.predict([text])
    chosen = int(plain.chosen[0])
    probability = float(plain.category[0, chosen])
    counter = CountingEngine(model.engine)
    told = evidence(replace(model, engine=counter), text, chosen, probability)
    cost = counter.tokens / padded_length(len(model.tokens.encode([text])[0]))
    chance = _by_chance(content(text), {(word.start, word.end) for word in told[:TAKEN]}, random)
    return _Probe(text, group, chosen, probability, told, chance, cost)


def _lost(model: TextModel, probes: Sequence[_Probe], texts: Sequence[str]) -> NDArray[np.float64]:
    """Log-odds of each post's predicted category that its shortened text has lost: [probes]."""
    category = model.predict(texts).category[np.arange(len(probes)), [probe.chosen for probe in probes]]
    whole = np.array([probe.probability for probe in probes])
    low, high = 1e-9, 1 - 1e-9
    return np.asarray(logit(np.clip(whole, low, high)) - logit(np.clip(category, low, high)))


def faithfulness(
    model: TextModel,
    rows: Sequence[Example],
    groups: Sequence[int],
    none_id: str,
    posts: int,
    seed: int,
    draws: int,
) -> dict[str, Any]:
    """The share of crisis posts where evidence beats chance, and what it costs.

    `posts` posts that are labelled as crises are drawn by `seed`, whatever the model says of them. From each, the
    (up to) three strongest words of its evidence are taken out, and three words by chance, not just the same three.
    Faithful is where the former costs the predicted category more; a post without evidence is not. Cost: tokens,
    padding included, that the evidence runs through the engine, over those of one plain pass. Intervals: near-duplicate
    `groups` [rows] are resampled whole.
    """
    random, model = np.random.default_rng(seed), model.at_once()
    probes = [_probe(model, post, random) for post in _sample(rows, groups, none_id, posts, random)]
    if not probes:
        return {"posts": 0}
    top = _lost(model, probes, [without(probe.text, probe.told[:TAKEN]) for probe in probes])
    chance = _lost(model, probes, [without(probe.text, probe.chance) for probe in probes])
    faithful = (top > chance) & np.array([bool(probe.told) for probe in probes])
    crisis = np.array([probe.chosen != 0 for probe in probes])
    cost = np.array([probe.cost for probe in probes])
    spread = partial(interval, groups=_numbered([probe.group for probe in probes]), n=draws)
    return {
        "posts": len(probes),
        "faithful": spread(lambda x: float(x.mean()), faithful).rounded,
        "predicted_crises": int(crisis.sum()),
        "faithful_predicted_crises": spread(
            lambda x, y: float(x[y].mean()) if y.any() else float("nan"), faithful, crisis
        ).rounded,
        "log_odds_lost": spread(lambda x: float(x.mean()), top).rounded,
        "log_odds_lost_by_chance": spread(lambda x: float(x.mean()), chance).rounded,
        "cost_mean": round(float(cost.mean()), 2),
        "cost_p95": round(float(np.quantile(cost, 0.95)), 2),
        "cost_most": round(float(cost.max()), 2),
    }


def _numbered(groups: Sequence[int]) -> NDArray[np.int64]:
    """Groups numbered by first appearance: where no two posts share one, the draws are those of single posts."""
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups])


def evidence_line(found: dict[str, Any]) -> str:
    """One sentence for the console."""
    if not found["posts"]:
        return "evidence: no crisis post with words enough"
    return (
        f"evidence of {found['posts']} crisis posts: faithful {found['faithful'][0]:.3f} "
        f"({found['faithful'][1]:.3f} to {found['faithful'][2]:.3f}), {found['cost_mean']} plain passes a post"
    )
