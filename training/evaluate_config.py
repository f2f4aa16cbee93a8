"""Settings of `yujing evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from data.bounds import Seed
from models.engine_name import DEFAULT, EngineName
from training.escalation_config import HOT_LIST, SERIES
from training.text_config import POSTS


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateConfig:
    """What to measure. Files that the bundle was trained on are split as they were then; only the test part counts."""

    bundle: str | None = None  # folder; None = the shipped one
    posts: tuple[str, ...] = POSTS  # empty = no text model
    series: tuple[str, ...] = SERIES  # empty = no escalation head
    record: str = HOT_LIST  # for the hotlist head and the shift simulation; empty = neither
    shift: bool = False  # also fit the counts head on part of its series and answer larger ones and another kind
    ablation: bool = False  # also fit the hotlist head without each group of features, on a sample before the test
    engine: EngineName = DEFAULT
    engines: bool = False  # also compare every engine with torch
    robustness: bool = False  # also measure the text model on changed copies of its rows, twelve kinds
    evidence: Annotated[int, Field(ge=0)] = 0  # crisis posts on which the evidence is checked for faithfulness
    draws: Annotated[int, Field(ge=10)] = 500  # of the bootstrap
    seed: Seed = 0  # of perturbations and of the posts for the evidence; the split is always that of the training
    out: str = "runs/evaluate.json"  # the HTML report lies beside it
