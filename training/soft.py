"""Self-training: a teacher's probabilities on unlabelled posts, taught beside the labels, other posts in each epoch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from torch.utils.data import Dataset
from transformers import TrainerCallback, TrainerState

from data.duplicates import near_any
from data.errors import CorpusError
from data.files import whole
from data.hot_dates import first_seen
from data.records import Example
from data.taxonomy import Taxonomy
from models.bundle import Bundle
from models.cache import one_builder
from models.classifier import IGNORED
from models.engine_build import load_text_model
from models.tokens import Tokens
from training.corpus import Corpus
from training.corpus_time import known_before
from training.posts import load_posts
from training.text_config import TextConfig
from training.text_data import Posts

CHUNK = 2_000  # posts read by the teacher at once
LIKELY = 0.5  # a severity step is taught where the teacher believes more than this that it is reached
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SoftPosts:
    """n posts as token ids with the teacher's probabilities: [n, categories] and [n, ranks]."""

    ids: list[list[int]]
    category: Array
    severity: Array

    def row(self, position: int) -> dict[str, Any]:
        """One post as the Trainer wants it."""
        return {
            "input_ids": self.ids[position],
            "category_target": self.category[position].tolist(),
            "severity_target": soft_steps(self.severity[position]),
            "length": len(self.ids[position]),
        }


def soft_steps(ranks: Array) -> list[float]:
    """Probabilities of the ranks [ranks] as targets of the continuation logits, IGNORED where hardly ever reached."""
    above = 1 - np.cumsum(ranks)  # P(rank > 0), P(rank > 1), …
    return [float(above[k + 1] / above[k]) if above[k] > LIKELY else IGNORED for k in range(len(ranks) - 2)]


def spread(category: Array, wanted: int, seed: int) -> NDArray[np.intp]:
    """Positions of `wanted` posts drawn with weight ~ (posts of the same decision) ** -0.5, so that rare ones count."""
    chosen = category.argmax(1)
    weights = np.bincount(chosen, minlength=category.shape[1])[chosen] ** -0.5
    wanted = min(wanted, len(chosen))
    return np.random.default_rng(seed).choice(len(chosen), wanted, replace=False, p=weights / weights.sum())


def soft_labels(bundle: Bundle, texts: Sequence[str], cache: Path, threads: int = 0) -> tuple[Array, Array]:
    """The teacher's calibrated probabilities of all texts; `cache` keeps them, so that a resumed run asks only once.

    It appears whole: a kill leaves none. Of several processes on it one asks, and the others wait; not at a barrier of
    theirs, which gives up after minutes, where the teacher may take hours.
    """
    key = f"{bundle.model_id} {hashlib.sha256(chr(0).join(texts).encode()).hexdigest()}"
    with one_builder(cache.parent):
        return _kept(cache, key) or _asked(bundle, texts, cache, key, threads)


def _kept(cache: Path, key: str) -> tuple[Array, Array] | None:
    """The answers that the cache has under this key, if any."""
    if not cache.exists():
        return None
    with np.load(cache) as kept:
        if "key" not in kept.files or str(kept["key"]) != key:
            return None
        return kept["category"], kept["severity"]


def _asked(bundle: Bundle, texts: Sequence[str], cache: Path, key: str, threads: int) -> tuple[Array, Array]:
    """The teacher's answers, which the cache has from now on."""
    teacher = load_text_model(bundle, threads=threads).at_once()  # what a student of head and tail can learn
    parts = [teacher.predict(texts[start : start + CHUNK]) for start in range(0, len(texts), CHUNK)]
    category, severity = (np.concatenate([getattr(p, name) for p in parts]) for name in ("category", "severity"))
    with whole(cache) as part:
        np.savez(part, category=category, severity=severity, key=key)
    return category, severity


def _texts(config: TextConfig, corpus: Corpus, taxonomy: Taxonomy, console: Console) -> list[str]:
    """Unlabelled posts without what an annotation teaches, what is left out, and repeats of held-out posts.

    Left out: the held-out source, what is dated from `before` on, and other posts of the events of held-out ones.
    """
    rows: Sequence[Example] = load_posts(config.unlabelled, taxonomy, console)
    if config.before is not None:
        rows = known_before(rows, first_seen(Path(config.record)), config.before)
    taught, left_out = {(row.id, row.text) for row in corpus.extra}, config.held_out_source
    held_out = corpus.part("validation") + corpus.part("test")
    events = {row.event for row in held_out if row.event}
    rows = [row for row in rows if (row.id, row.text) not in taught and row.event not in events]
    texts = [row.text for row in rows if left_out is None or row.source != left_out]
    if not texts:
        return []
    near = near_any(texts, [row.text for row in held_out])
    return [text for text, repeats in zip(texts, near, strict=True) if not repeats]


def read_soft_posts(
    teacher: Bundle, config: TextConfig, corpus: Corpus, tokens: Tokens, taxonomy: Taxonomy, console: Console
) -> SoftPosts:
    """The config's unlabelled posts as its teacher reads them, none of them held out or taught by a label.

    CorpusError when fewer posts are left, or wanted, than epochs.
    """
    texts = _texts(config, corpus, taxonomy, console)
    if min(len(texts), config.soft_rows) < config.epochs:
        files = ", ".join(config.unlabelled) or "no file (unlabelled=[])"
        raise CorpusError(
            f"{len(texts)} posts for the teacher in {files}, of which soft_rows={config.soft_rows} are taught: at "
            f"least {config.epochs} are needed, one for each epoch"
        )
    cache = config.checkpoints / "soft.npz"
    category, severity = soft_labels(teacher, texts, cache, config.threads)
    kept = spread(category, config.soft_rows, config.seed)
    console.print(f"soft labels: {len(kept)} of {len(texts)} unlabelled posts")
    return SoftPosts(tokens.encode([texts[i] for i in kept]), category[kept], severity[kept])


class MixedPosts(Dataset[dict[str, Any]]):
    """Labelled posts and, in each epoch, another slice of the soft posts.

    Slices interleave the soft posts in order of length: place j holds about as many tokens in every epoch, which the
    Trainer's grouping by length relies on.
    """

    def __init__(self, posts: Posts, soft: SoftPosts, epochs: int) -> None:
        self.posts, self.soft, self.epochs, self.epoch = posts, soft, epochs, 0
        self.order = np.argsort([len(ids) for ids in soft.ids], kind="stable")

    def __len__(self) -> int:
        return len(self.posts) + len(self.order) // self.epochs

    def __getitem__(self, index: int) -> dict[str, Any]:
        if index < len(self.posts):
            return self.posts[index]
        place = (index - len(self.posts)) * self.epochs + self.epoch % self.epochs
        return self.soft.row(int(self.order[place]))


class Turning(TrainerCallback):
    """Tells the mixed posts which epoch it is; a resumed run goes on with the slice of its epoch."""

    def __init__(self, posts: MixedPosts) -> None:
        self.posts = posts

    def on_epoch_begin(self, args: Any, state: TrainerState, control: Any, **_: Any) -> None:
        self.posts.epoch = round(state.epoch or 0)
