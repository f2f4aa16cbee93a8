"""`yujing train text --recalibrate`: a bundle keeps its weights, only its calibration and first stage are fitted again.

With the posts that taught the bundle, its own validation part calibrates and its own test part measures. Of any others
the `test` share measures and all the rest calibrates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from data.errors import ConfigError, CorpusError
from data.records import Example
from data.taxonomy import Taxonomy
from models.bundle import Bundle, open_bundle, text_part
from models.engine_build import load_text_model
from models.manifest import TextPart, now
from models.remembering import EVERY, RememberingEngine
from models.text import TextModel
from training.card_lineage import OLD, RECALIBRATED
from training.config import refuse_others, settings_of
from training.corpus import MIN_ROWS, Corpus, pooled, read_corpus, require_kinds
from training.earlier import ancestors
from training.evaluate_rows import trained_corpus
from training.place import bundle_place
from training.register import register
from training.text import answers_of, calibrate, first_stage_of
from training.text_config import TextConfig
from training.text_report import Truth, report, table
from training.text_save import files_of, save_text
from training.told import tell_golden, warn

READ = ("posts", "start", "test", "seed", "threads", "out")  # settings that count; all others are of a training
OF_EACH = 10  # posts that each of two categories needs; the prior is fitted on how the counts differ


def start_of(config: TextConfig) -> Bundle:
    """The bundle that is calibrated; ConfigError without one, and for settings that only a training reads."""
    if config.start is None:
        raise ConfigError("start=None: --recalibrate needs the bundle to calibrate: --set 'start=\"models/bundle\"'")
    refuse_others(config, READ)
    return open_bundle(Path(config.start))


def require_rows(rows: Sequence[Example], config: TextConfig) -> None:
    """CorpusError when the posts that calibrate are too few, or nearly all of one category or rank."""
    if len(rows) < MIN_ROWS:
        raise CorpusError(
            f"{len(rows)} labelled posts of {', '.join(config.posts)} are left to calibrate beside the test part: at "
            f"least {MIN_ROWS} are needed: give more posts, or a smaller share: --set test=0.1"
        )
    require_kinds(rows, "calibrate")
    first, second = Counter(row.category for row in rows).most_common(2)
    if second[1] < OF_EACH:
        raise CorpusError(
            f"of {len(rows)} posts that calibrate {first[1]} are {first[0]}, only {second[1]} {second[0]}: two "
            f"categories with {OF_EACH} posts each are needed: give posts of others too"
        )


def _settings(part: TextPart, config: TextConfig) -> TextConfig:
    """The config of the weights, with the posts and the split of the calibration: evaluating rebuilds them from it."""
    taught_only: dict[str, Any] = {
        "extra": (),
        "annotated": (),
        "teacher": None,
        "imitate": False,
        "start_share": 0.0,
        "rehearsal_share": 1.0,
    }
    protocol: dict[str, Any] = {"held_out_source": None, "before": None, "validation": config.validation}
    given = {name: getattr(config, name) for name in READ}
    return replace(settings_of(TextConfig, part.config), **taught_only, **protocol, **given)


def refuse_other_split(part: TextPart, config: TextConfig) -> None:
    """ConfigError for a test share or a seed that was asked for and is not that of the training, whose split stays."""
    own, usual = settings_of(TextConfig, part.config), TextConfig()
    for name in ("test", "seed"):
        value, was = getattr(config, name), getattr(own, name)
        if value not in (was, getattr(usual, name)):
            raise ConfigError(
                f"{name}={value}: these posts taught the bundle with {name}={was}, and its own split says which of "
                f"them calibrate: leave {name} out, or give other posts"
            )


def calibration_rows(bundle: Bundle, config: TextConfig, console: Console) -> tuple[Corpus, TextPart]:
    """Rows whose validation part calibrates, and the bundle's text part with config and data that tell them.

    CorpusError when the posts taught the bundle otherwise than by its own split, or do not suffice.
    """
    part = text_part(bundle)
    own = trained_corpus(bundle, config.posts, bundle.taxonomy, console, teaching=False)
    if own is not None:
        refuse_other_split(part, config)
        console.print("posts that taught it: its validation part calibrates, its test part measures")
        return own, replace(part, data={**part.data, RECALIBRATED: bundle.model_id})
    settings = _settings(part, config)
    corpus = pooled(read_corpus(settings, bundle.taxonomy, console))
    require_rows(corpus.part("validation"), settings)
    kept = ("files", "rows", "held_out", "held_out_ids")
    about = {name: corpus.about[name] for name in kept} | {RECALIBRATED: bundle.model_id}
    about["ancestors"] = ancestors([bundle], [*about["files"].values()])
    return corpus, replace(part, config=asdict(settings), data=about, metrics={})


def measure(models: Mapping[str, TextModel], corpus: Corpus, taxonomy: Taxonomy, console: Console) -> dict[str, Any]:
    """Each model on the test part, printed as one table; told when the new calibration has no lower log-loss there."""
    rows = corpus.part("test")
    truth = Truth.of(rows, corpus.test_groups, taxonomy)
    found = {name: report(truth, answers_of(model, rows), taxonomy) for name, model in models.items()}
    console.print(table(f"test part, {len(rows)} posts", {f"{name} calibration": one for name, one in found.items()}))
    old, new = (found[name]["log_loss"][0] for name in ("old", "new"))
    if new >= old:
        warn(console, "not better", f"in log-loss there: {old:.4f} with the old calibration, {new:.4f} with the new")
    return found


def recalibrate_text(config: TextConfig, console: Console | None = None) -> Bundle:
    """Fit the calibration of `config.start` anew; the bundle with it lies in `config.out`/bundle."""
    console, start = console or Console(), start_of(config)
    taxonomy, folder = start.taxonomy, bundle_place(config.out, start.taxonomy)
    corpus, part = calibration_rows(start, config, console)
    old = load_text_model(start, "torch", config.threads)
    old = replace(old, engine=RememberingEngine(old.engine, EVERY))
    rows = corpus.part("validation")
    console.print(f"{start.model_id} in {start.folder} is recalibrated on {len(rows)} posts", markup=False)
    new = calibrate(old, rows, taxonomy)
    console.print(new.calibration)
    found = measure({"old": old, "new": new}, corpus, taxonomy, console)
    part = replace(
        part,
        calibration=new.calibration,
        first_stage=first_stage_of(new, rows, taxonomy),
        calibrated_at=now(),
        metrics={**part.metrics, "yujing": found["new"], OLD: found["old"]},
    )
    bundle = save_text(folder, taxonomy, files_of(start), part, start)
    console.print(f"bundle {bundle.model_id} in {bundle.folder}", markup=False)
    if part.config.get("held_out_source") is None and part.config.get("before") is None:  # as after a training
        console.print(f"registered as {register(bundle)}")
        tell_golden(console, bundle)
    return bundle
