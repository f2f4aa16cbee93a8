"""`yujing train`, `yujing evaluate` and `yujing compare`: settings from TOML and flags, one call.

What trains is imported when the settings have been read: torch and its libraries take up to half a minute.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from data.errors import ConfigError
from serving.commands.options import require_training

train = typer.Typer(help="Train on your posts or series (--set), else on the project's corpora.", no_args_is_help=True)

Config = Annotated[Path | None, typer.Option("--config", help="TOML file of settings; a flag or --set wins.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="One setting, VALUE as in TOML; may be repeated. A wrong KEY lists all of them.",
    ),
]
Out = Annotated[
    str | None, typer.Option(help="Directory to write to; the bundle lies in it.", show_default="runs/latest")
]
Report = Annotated[
    str | None,
    typer.Option("--out", help="JSON file to write; the HTML page lies beside it.", show_default="runs/evaluate.json"),
]
Differences = Annotated[str | None, typer.Option("--out", help="JSON file for the same figures.")]
Epochs = Annotated[int | None, typer.Option(help="Passes over the training posts.")]
Head = Annotated[Literal["counts", "hotlist"], typer.Option(help="Which head of the escalation model.")]
Recalibrate = Annotated[bool, typer.Option("--recalibrate", help="Refit only the calibration, on the latest days.")]
RecalibrateText = Annotated[
    bool, typer.Option("--recalibrate", help="Refit only the calibration of the bundle `start`, on labelled posts.")
]
Robustness = Annotated[bool | None, typer.Option("--robustness", help="Also measure perturbed copies of the posts.")]
EvidencePosts = Annotated[
    int | None, typer.Option("--evidence", help="Also check the evidence of so many crisis posts for faithfulness.")
]
Engines = Annotated[bool | None, typer.Option("--engines", help="Also compare every engine's answers with torch's.")]
Shift = Annotated[bool | None, typer.Option("--shift", help="Also simulate larger topics and another kind of series.")]
Seed = Annotated[int | None, typer.Option(help="Seed of every random choice.")]
DrawSeed = Annotated[
    int | None, typer.Option("--seed", help="Seed of perturbations and of the posts for evidence, never of the split.")
]


def read_settings(pairs: Sequence[str]) -> dict[str, object]:
    """`["epochs=3", 'out="a"']` -> `{"epochs": 3, "out": "a"}`; ConfigError for what is not KEY=VALUE."""
    settings: dict[str, object] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        try:
            if not (equals and key.strip()):
                raise ValueError("no KEY=")
            table = tomllib.loads(f"value = {value}")
            if len(table) > 1:
                raise ValueError("more than one value")
            settings[key.strip()] = table["value"]
        except (ValueError, RecursionError) as error:
            hint = "write a TOML value, such as epochs=3 or 'out=\"runs/a\"'"
            raise ConfigError(f"--set {pair}: {error}: {hint}") from None
    return settings


@train.command()
def text(
    config: Config = None,
    set_: Set = None,
    out: Out = None,
    epochs: Epochs = None,
    seed: Seed = None,
    recalibrate: RecalibrateText = False,
) -> None:
    """Train category and severity on labelled posts.

    A file of posts is JSONL(.gz), CSV or Parquet with the columns id, text, category and severity (0-4); at least 200
    posts with both labels. Beside your posts the project's own rows teach, too, which takes hours, unless extra and
    annotated are empty:

    yujing train text --set 'posts=["mine.jsonl"]' --set 'extra=[]' --set 'annotated=[]' --out runs/mine
    """
    require_training()
    from training.config import load_config
    from training.text_config import TextConfig

    flags = {**read_settings(set_ or ()), **_given(out=out, epochs=epochs, seed=seed)}
    settings = load_config(TextConfig, config, flags)
    _require_files(settings.posts if recalibrate else (*settings.posts, *settings.extra))
    if recalibrate:
        from training.text_recalibrate import recalibrate_text

        recalibrate_text(settings)
    else:
        from training.text import train_text

        train_text(settings)


@train.command()
def escalation(
    head: Head = "counts",
    config: Config = None,
    set_: Set = None,
    out: Out = None,
    seed: Seed = None,
    recalibrate: Recalibrate = False,
) -> None:
    """Train the likelihood of escalation on volume series, or on a record of the hot-search list."""
    require_training()
    from training.config import load_config
    from training.escalation_config import EscalationConfig
    from training.hotlist_config import HotlistConfig

    flags = {**read_settings(set_ or ()), **_given(out=out, seed=seed)}
    if head == "hotlist":
        settings = load_config(HotlistConfig, config, flags)
        from training.hotlist import train_hotlist

        _recalibrate(head, settings) if recalibrate else train_hotlist(settings)
    else:
        series = load_config(EscalationConfig, config, flags)
        from training.escalation import train_escalation

        _recalibrate(head, series) if recalibrate else train_escalation(series)


def _recalibrate(head: Literal["counts", "hotlist"], settings: Any) -> None:
    from training.escalation_recalibrate import recalibrate

    recalibrate(head, settings)


@train.command("first-stage")
def first_stage(config: Config = None, set_: Set = None) -> None:
    """Fit, measure and keep what lets `yujing score --first-stage` settle clear `none` posts alone."""
    require_training()
    from training.config import load_config

    flags = read_settings(set_ or ())
    from training.first_stage import FirstStageConfig, train_first_stage

    train_first_stage(load_config(FirstStageConfig, config, flags))


def evaluate(
    config: Config = None,
    set_: Set = None,
    out: Report = None,
    seed: DrawSeed = None,
    robustness: Robustness = None,
    evidence: EvidencePosts = None,
    shift: Shift = None,
    engines: Engines = None,
) -> None:
    """Measure a bundle on held-out data, beside the baselines, with intervals."""
    require_training()
    from training.config import load_config
    from training.evaluate_config import EvaluateConfig

    given = _given(out=out, seed=seed, robustness=robustness, evidence=evidence, shift=shift, engines=engines)
    settings = load_config(EvaluateConfig, config, {**read_settings(set_ or ()), **given})
    from training.evaluate import evaluate as run

    run(settings)


def compare(
    first: Annotated[str, typer.Argument(help="Folder of a bundle.")],
    second: Annotated[str, typer.Argument(help="Folder of another one.")],
    config: Config = None,
    set_: Set = None,
    out: Differences = None,
) -> None:
    """Tell what the second bundle gains over the first, on posts that taught neither, with paired intervals."""
    require_training()
    flags = {**read_settings(set_ or ()), **_given(out=out)}
    from training.compare import CompareConfig
    from training.compare import compare as run
    from training.config import load_config

    run(first, second, load_config(CompareConfig, config, flags))


def _require_files(paths: Sequence[str]) -> None:
    """CorpusError where a file is not there or of an unknown kind, before torch is imported to read it."""
    from data.row_files import read_rows

    for path in paths:
        read_rows(Path(path), ())


def _given(**flags: object) -> dict[str, object]:
    return {name: value for name, value in flags.items() if value is not None}
