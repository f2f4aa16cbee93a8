"""Settings of the text model's training; every one can stand in a TOML file or be a flag."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field

from data.bounds import Positive, ProperShare, Seed, Weight
from models.encoder_place import PACKAGED

POSTS = ("../shared/data/posts.jsonl",)
UNLABELLED = ("../shared/data/unlabelled.jsonl.gz",)
ANNOTATED = ("data/annotated/unlabelled.csv", "data/annotated/titles.csv", "data/annotated/hard.csv")
GENRES = ("questions", "moods", "long", "forms", "borders")  # a quarter of each was written, but is never taught
TEACHING = ("platform", "negatives", "severe", "elsewhere", "voices", "contrasts", *GENRES)
AUTHORED = tuple(f"data/authored/{name}.jsonl" for name in TEACHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextConfig:
    """One run of `yujing train text`. The runs of `make model` change these defaults where the Makefile says so.

    --recalibrate splits posts that taught the bundle `start` as they were split then, whatever `test` and `seed` say.
    """

    posts: tuple[str, ...] = POSTS
    extra: tuple[str, ...] = AUTHORED  # taught, never held out
    annotated: tuple[str, ...] = ANNOTATED  # labels by id; taught, never held out; texts: `unlabelled` and `record`
    taxonomy: str | None = None  # another taxonomy table than data/taxonomy.toml
    held_out_source: str | None = None  # leave this source out and test on it
    before: AwareDatetime | None = None  # teach what is older, test on the posts of `hot` from then on
    record: str = "../shared/data/hotlist.parquet"  # the hot-search list: its titles; dates, with `before`
    test: ProperShare = 0.15  # not read with held_out_source or before, which say what is tested
    validation: ProperShare = 0.10
    split_of: str | None = None  # bundle of these posts: what it held out is held out again, so that both compare
    encoder: str = PACKAGED
    rank: Annotated[int, Field(ge=0)] = 48  # of the LoRA adapter; 0 = full fine-tuning
    max_tokens: Annotated[int, Field(ge=8, le=512)] = 256
    pool_after: Annotated[int, Field(ge=0)] = 0  # layer after which tokens are pooled in pairs; 0 = never
    epochs: Annotated[int, Field(ge=1)] = 5
    batch_size: Annotated[int, Field(ge=1)] = 32
    learning_rate: Positive = 5e-4  # 1e-3 diverged in the third epoch of one run (macro-F1 0.60 -> 0.03)
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.06  # share of all steps
    weight_decay: Weight = 0.01
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.05
    second_weight: Annotated[float, Field(ge=0, lt=0.5)] = 0.15  # mass of the second category: never the larger part
    class_weight_power: Annotated[float, Field(ge=0, le=1)] = 0.3  # weight of a class ~ count ** -power
    severity_weight: Weight = 1.0  # of the severity loss beside the category loss
    token_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1  # share of tokens that are masked while training
    lexical_size: Annotated[int, Field(ge=0)] = 40_000  # n-grams of the second reader; 0 = none
    start: str | None = None  # bundle whose adapter and heads the run begins with
    start_share: Annotated[float, Field(ge=0, lt=1)] = 0.0  # of its weights in their average with the learnt ones
    rehearsal_share: Annotated[float, Field(ge=0, le=1)] = 1.0  # taught again of the extra rows that taught `start`
    teacher: str | None = None  # bundle whose answers to the unlabelled posts are taught as well
    imitate: bool = False  # learn how the teacher (`start`, too) reads the rows; what shapes labels is not read
    unlabelled: tuple[str, ...] = UNLABELLED  # read for a teacher, and for the texts of `annotated`
    soft_rows: Annotated[int, Field(ge=1)] = 48_000  # of the unlabelled posts, dealt out over the epochs
    perturbed_share: Annotated[float, Field(ge=0, le=1)] = 0.0  # of the training rows, anew in each epoch
    surrounded_share: Annotated[float, Field(ge=0, le=1)] = 0.0  # of the training rows, once more among ordinary ones
    bf16: bool = True  # where GPU or CPU compute it natively; elsewhere fp32
    threads: Annotated[int, Field(ge=0)] = 0  # 0 = torch's choice
    seed: Seed = 7
    out: str = "runs/latest"

    def __post_init__(self) -> None:
        if self.before is not None and self.held_out_source is not None:
            raise ValueError("before and held_out_source hold out different posts: give one of them")
        if self.start_share and self.start is None:
            raise ValueError("start_share is the share of `start` in an average: give that bundle too")
        if self.rehearsal_share < 1 and self.start is None:
            raise ValueError("rehearsal_share is the share of what taught `start` already: give that bundle too")

    @property
    def checkpoints(self) -> Path:
        """What an unfinished run keeps to go on from."""
        return Path(self.out) / "checkpoints"
