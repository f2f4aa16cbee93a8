"""Training posts in other hands: in each epoch another share of the rows is read as perturbed copies."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from transformers import TrainerCallback, TrainerState

from data.perturb import perturb
from models.tokens import Tokens
from training.text_data import Posts

WEIGHTS = {  # chances of a copy; the first three cost the most where each had the same chance
    "homophones": 5,
    "pinyin_initials": 5,
    "split_characters": 3,
    "inserted_symbols": 2,
    "typos": 2,
    "emoji_for_words": 1,
    "half_width": 1,
    "long_copy": 1,
    "full_width": 0,  # `normalise` and `simplify` undo these two, but for a few characters
    "traditional": 0,
}


def perturbed_copies(texts: Sequence[str], share: float, seed: int, epoch: int) -> dict[int, str]:
    """Row -> copy for `share` of the rows, one perturbation each by WEIGHTS; the same for the same seed and epoch."""
    random = Random(f"{seed}/{epoch}")
    rows = random.sample(range(len(texts)), round(share * len(texts)))
    kinds = random.choices([*WEIGHTS], [*WEIGHTS.values()], k=len(rows))
    return {row: perturb(texts[row], kind, random.getrandbits(32)) for row, kind in zip(rows, kinds, strict=True)}


class Perturbing(TrainerCallback):
    """Gives the rows of `posts` fresh copies at the start of each epoch; a resumed run gets those of its epoch."""

    def __init__(self, posts: Posts, texts: Sequence[str], tokens: Tokens, share: float, seed: int) -> None:
        self.posts, self.texts, self.tokens, self.share, self.seed = posts, texts, tokens, share, seed
        self.clean = list(posts.ids)

    def on_epoch_begin(self, args: Any, state: TrainerState, control: Any, **_: Any) -> None:
        copies = perturbed_copies(self.texts, self.share, self.seed, round(state.epoch or 0))
        self.posts.ids = list(self.clean)
        for row, ids in zip(copies, self.tokens.encode([*copies.values()]), strict=True):
            self.posts.ids[row] = ids
