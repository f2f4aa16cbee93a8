"""The tables of README.md and EVALUATION.md, from the figures that were measured: `python -m training.readme`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from data.command_line import run_function
from data.errors import ConfigError
from data.markdown import fill, table
from models.bundle import open_bundle
from models.hotlist_words import VIEWS
from training.evaluate_config import EvaluateConfig
from training.report_html import NOTHING, environment, spread

MEASURED = Path(EvaluateConfig().out)
README, EVALUATION = Path("README.md"), Path("training/EVALUATION.md")
PAGES = {README: ("text", "heads"), EVALUATION: ("doubt", "robustness", "counts", "hotlist", "views")}
Figures = Mapping[str, Any]

MODELS = {"yujing": "Yujing", "bert": "BERT alone", "tfidf": "TF-IDF", "majority": "majority"}
TEXT = {
    "accuracy": "accuracy",
    "accuracy_with_second": "accuracy, second category counts too",
    "macro_f1": "macro-F1",
    "qwk": "QWK of severity",
    "under_grading": "under-grading (rank ≥ 3 given ≤ 1)",
    "false_alarms": "false alarms (rank 0 given ≥ 2)",
    "ece": "ECE",
    "log_loss": "log-loss",
}
PERTURBATIONS = {
    "homophones": "谐音 homophones",
    "split_characters": "拆字 split characters",
    "pinyin_initials": "pinyin initials",
    "emoji_for_words": "emoji for words",
    "full_width": "full width",
    "half_width": "half width",
    "traditional": "traditional characters",
    "inserted_symbols": "inserted symbols",
    "typos": "typos",
    "long_copy": "long copies",
    "surrounded": "among ordinary posts, 100 to 320 characters",
    "buried": "among ordinary posts, 500 to 900 characters",
}
LOST = {"macro_f1": "macro-F1 lost", "qwk": "QWK lost", "severe_recall": "recall of rank ≥ 3 lost"}
OWN = {"model", "fallback", "as_served", "recalibrated_weekly"}  # all others are baselines
ESCALATION = {
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "brier_skill_score": "Brier skill score",
    "ece": "ECE",
    "recall_at_5_percent_fpr": "recall at 5 % false positives",
}


def text_table(text: Figures) -> str:
    """Figures as rows, models as columns."""
    there = [name for name in MODELS if name in text]
    rows = [[label, *(spread(text[name][key]) for name in there)] for key, label in TEXT.items()]
    return table(("figure", *(MODELS[name] for name in there)), rows)


def robustness_table(text: Figures) -> str:
    """One row per perturbation; a drop is positive when the copies are read worse."""

    def drop(figure: list[float]) -> str:
        return "{:+.3f} [{:+.3f}, {:+.3f}]".format(*figure)

    rows = [
        (label, f"{found['changed']:.0%}", *(drop(found[f"drop_{figure}"]) for figure in LOST))
        for key, label in PERTURBATIONS.items()
        if (found := text["robustness"].get(key))
    ]
    return table(("perturbation", "posts changed", *LOST.values()), rows)


def doubt_list(text: Figures) -> str:
    """Calibration, conformal sets, review, evidence and engines, one line each."""
    return environment().get_template("readme_doubt.md").render(text).strip()


def escalation_table(metrics: Figures) -> str:
    """Models as rows, ours first, as the training of a head reports them."""
    models = metrics["models"]
    rows = [
        (name.replace("_", " "), *(spread(found[key]) if key in found else NOTHING for key in ESCALATION))
        for name, found in models.items()
    ]
    return table(("model", *ESCALATION.values()), rows)


def views_table(metrics: Figures) -> str:
    """Incomplete views of hot-search topics, each with ours and the logistic regression."""
    rows = [
        (
            f"{VIEWS[view]} ({found['decisions']:,} decisions, {found['prevalence']:.2%})",
            name.replace("_", " "),
            *(spread(figures[key]) for key in ESCALATION),
        )
        for view, found in metrics["views"].items()
        for name, figures in found["models"].items()
    ]
    return table(("asked about (prevalence)", "model", *ESCALATION.values()), rows)


def heads_table(heads: Mapping[str, Figures]) -> str:
    """Each head as it is served, beside the best of its baselines by AUPRC."""
    rows = []
    for head, metrics in heads.items():
        models = metrics["models"]
        served = "as_served" if "as_served" in models else "model"
        best = max(models.keys() - OWN, key=lambda name: models[name]["auprc"][0])
        for label, name in (("Yujing", served), (best.replace("_", " "), best)):
            rows.append([f"`{head}`", label, *(spread(models[name][key]) for key in ESCALATION)])
    return table(("head", "model", *ESCALATION.values()), rows)


def blocks(evaluation: Figures, heads: Mapping[str, Figures]) -> dict[str, str]:
    """Name of a block -> its Markdown, for what was measured."""
    text = evaluation.get("text") or {}
    makers: dict[str, tuple[bool, Callable[[Figures], str]]] = {
        "text": ("yujing" in text, text_table),
        "robustness": ("robustness" in text, robustness_table),
        "doubt": ({"doubt", "evidence", "engines"} <= set(text), doubt_list),
    }
    made = {name: make(text) for name, (there, make) in makers.items() if there}
    measured = {name: metrics for name, metrics in heads.items() if "models" in metrics}
    made |= {name: escalation_table(metrics) for name, metrics in measured.items()}
    if (viewed := measured.get("hotlist", {})).get("views"):
        made["views"] = views_table(viewed)
    return made | ({"heads": heads_table(measured)} if measured else {})


def main(evaluation: Annotated[Path, typer.Argument(help="JSON that `make figures` wrote.")] = MEASURED) -> None:
    """Fill the pages' tables from the JSON of `yujing evaluate` and the manifest of the shipped bundle."""
    if not evaluation.is_file():
        raise ConfigError(f"{evaluation}: no such file: `make figures` measures, then fills the tables")
    found = json.loads(evaluation.read_text(encoding="utf-8"))
    bundle = open_bundle(None)
    if found["model"] != bundle.model_id:
        raise ConfigError(f"{evaluation} measured {found['model']}, not {bundle.model_id}: evaluate that first")
    made = blocks(found, {head: part.metrics for head, part in bundle.manifest.escalation.items()})
    for page, names in PAGES.items():
        text = page.read_text(encoding="utf-8")
        for name in set(names) & set(made):
            text = fill(text, name, made[name])
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    run_function(main)
