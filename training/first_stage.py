"""`yujing train first-stage`: which posts the linear second reader may settle alone, and what that costs and saves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from rich.console import Console

from data.errors import BundleError, ConfigError
from models.bundle import open_bundle, save_first_stage
from models.engine_build import load_text_model
from models.engine_name import DEFAULT, EngineName
from training.evaluate_rows import trained_corpus
from training.first_stage_report import held_out, lines, on_unlabelled
from training.text import first_stage_of
from training.text_config import POSTS, UNLABELLED
from training.told import left_out


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStageConfig:
    """The posts are those that the bundle was trained on: the floor is chosen on the validation part, tested on the
    test part and on posts without labels."""

    bundle: str | None = None  # folder; None = the shipped one
    posts: tuple[str, ...] = POSTS
    unlabelled: str = UNLABELLED[0]  # left out where it is absent
    sample: Annotated[int, Field(ge=1)] = 3_000  # of the unlabelled posts
    engine: EngineName = DEFAULT
    draws: Annotated[int, Field(ge=10)] = 500  # of the bootstrap
    write: bool = True  # False: only measure


def train_first_stage(config: FirstStageConfig, console: Console | None = None) -> dict[str, Any]:
    """Fit, measure, print, and write into the bundle's manifest; BundleError without a second reader."""
    console = console or Console()
    bundle = open_bundle(Path(config.bundle) if config.bundle else None)
    taxonomy = bundle.taxonomy
    corpus = trained_corpus(bundle, config.posts, taxonomy, console)
    if corpus is None:
        raise ConfigError("the posts are not those that taught the bundle: its validation part is needed")
    whole = load_text_model(bundle, config.engine)
    stage = first_stage_of(whole, corpus.part("validation"), taxonomy)
    if stage is None:
        raise BundleError(f"{bundle.folder} has no second reader: train the text model with lexical_size > 0")
    model = replace(whole, first_stage=stage)
    found = {"held_out": held_out(model, corpus, taxonomy, config.draws)}
    if Path(config.unlabelled).is_file():
        taught = {(row.id, row.text) for row in corpus.extra}
        found["unlabelled"] = on_unlabelled(model, config.unlabelled, config.sample, taxonomy, console, taught)
    else:
        left_out(console, f"posts as they come: {config.unlabelled}: no such file")
    console.print(stage)
    console.print("\n".join(lines(found)))
    if config.write:
        save_first_stage(bundle, stage)
        console.print(f"written to {bundle.folder}", markup=False)
    return found
