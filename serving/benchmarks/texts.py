"""The posts that are timed."""

from __future__ import annotations

import gzip
import json
import random
from itertools import cycle, islice
from pathlib import Path

from data.records import MAX_TEXT
from data.samples import sample_examples

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "data" / "unlabelled.jsonl.gz"
SHORT = range(15, 31)  # characters of a "short post"


def read_texts(count: int, corpus: Path = CORPUS) -> list[str]:
    """`count` posts drawn from the corpus, the same at every call; the samples again and again where it is absent."""
    if not corpus.exists():
        return list(islice(cycle(row.text for row in sample_examples()), count))
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"][:MAX_TEXT] for line in lines]
    return random.Random(0).sample(texts, min(count, len(texts)))


def slices(count: int, rounds: int, corpus: Path = CORPUS) -> list[list[str]]:
    """`count` posts to warm up and `count` others for each round, none twice; fewer where only the samples are there.

    An engine that met every shape of batch in the round before would look faster than it is on new posts.
    """
    texts = list(dict.fromkeys(read_texts(count * (rounds + 1), corpus)))
    size = len(texts) // (rounds + 1)
    return [texts[start : start + size] for start in range(0, size * (rounds + 1), size)]


def short_texts(count: int) -> list[str]:
    """`count` sample posts of a few words, each made unlike the others so that no cache answers."""
    posts = [row.text[: SHORT.stop - 1] for row in sample_examples() if len(row.text) >= SHORT.start]
    return [f"{text}{number}" for number, text in enumerate(islice(cycle(posts), count))]
