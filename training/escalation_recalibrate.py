"""`yujing train escalation --recalibrate`: a head keeps what it has learnt, only its sigmoids are fitted again.

They read the latest days of the given data. The figures before and after are measured on the later half of these
days, by a sigmoid from the earlier half; what is saved is fitted on both.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from data.errors import CorpusError
from data.files import whole
from data.hot_topics import read_hot_list
from data.volume import count_features
from data.volume_windows import HORIZON, Floats, Ints
from models.bundle import Bundle, escalation_file, open_bundle, save_part
from models.escalation import EscalationModel
from models.escalation_head import design
from models.escalation_store import Head, dump, kind_of, open_head
from models.hotlist import DAY, HotlistModel, within
from models.manifest import NAME
from training.card import write_card
from training.config import refuse_others
from training.decisions import decide_on, topics_of
from training.escalation import read_series
from training.escalation_blend import recalibrated
from training.escalation_blocks import MIN_EVENTS, Rows
from training.escalation_config import EscalationConfig
from training.escalation_fit import tuned, tuned_as_served
from training.escalation_report import plain
from training.escalation_unseen import kept, tell_taught_days
from training.hotlist_config import HotlistConfig
from training.hotlist_decisions import MARGIN, decide_hot
from training.hotlist_views import Views, taught_views
from training.place import bundle_place
from training.register import register
from training.told import left_out, tell_golden

DAY_HOURS = 24
DATA = {"counts": "series", "hotlist": "record"}  # the setting that names the data of a head


@dataclass(frozen=True, slots=True)
class Recent:
    """What one part of a head answered lately: inputs [n, columns], labels [n], end of each label in hours.

    A label covers the last `span` hours before its end.
    """

    inputs: Floats
    labels: Ints
    end: Floats
    span: int = HORIZON

    def take(self, rows: Rows) -> Recent:
        return Recent(self.inputs[rows], self.labels[rows], self.end[rows], self.span)

    def halves(self) -> tuple[Recent, Recent]:
        """Those whose labels end in the earlier half, and those that are decided after it."""
        middle = np.median(self.end)
        return self.take(self.end <= middle), self.take(self.end - self.span >= middle)

    @property
    def begin(self) -> float:
        """Hour of the first decision."""
        return float(self.end.min()) - self.span

    @property
    def enough(self) -> bool:
        return min(int(self.labels.sum()), int((1 - self.labels).sum())) >= MIN_EVENTS


def _counts(model: EscalationModel, config: EscalationConfig, console: Console) -> dict[str, Recent]:
    """All that a head with a gate answers; else what it answers in domain, and what outside it."""
    decisions = decide_on(topics_of(read_series(config, console)))
    decisions = decisions.take(decisions.end > decisions.end.max() - DAY_HOURS * config.recalibrate_days)
    features = design(count_features(decisions.windows, model.diurnal), model.names)
    labels, inside = decisions.labels(model.diurnal), model.in_domain(decisions.windows, features)
    recent = Recent(features, labels, decisions.end)
    if model.gate is not None:
        return {"as_served": recent}
    return {"in_domain": recent.take(inside), "out_of_domain": recent.take(~inside)}


def _partial(model: HotlistModel, views: Views, begin: float, last: float) -> dict[str, Recent]:
    """The trees for incomplete views, if the record has such views."""
    recent = [view.take((view.time > begin) & (view.time <= last)) for view in views.values()]
    if not recent:
        return {}
    inputs, labels, end = zip(
        *((one.columns(model.read), one.labels, one.time + HORIZON) for one in recent), strict=True
    )
    return {"partial": Recent(np.concatenate(inputs), np.concatenate(labels), np.concatenate(end))}


def _hotlist(model: HotlistModel, config: HotlistConfig, console: Console) -> dict[str, Recent]:
    """All its classifiers: the crossing is defined at decisions only, the fallback answers beside them."""
    hot = read_hot_list(Path(config.record))
    last = float(hot.time.max()) - HORIZON
    begin = last - DAY_HOURS * config.recalibrate_days
    hot = hot.since(begin - MARGIN)
    decisions = decide_hot(hot)
    decisions = decisions.take(decisions.time > begin)
    features = decisions.columns(model.names)
    end = decisions.time + HORIZON
    found = {
        "main": Recent(features, decisions.labels, end),
        "fallback": Recent(within(features, model.low, model.middle, model.high), decisions.labels, end),
    }
    if model.day is not None:
        known = ~np.isnan(decisions.day_labels)
        day = np.nan_to_num(decisions.day_labels).astype(np.int64)
        found["day"] = Recent(features, day, decisions.time + DAY, DAY).take(known)
    if model.partial is not None:
        found |= _partial(model, taught_views(hot), begin, last)
    return found


def _likelihood(model: Head, name: str, inputs: Floats) -> Floats:
    """What one part of a head answers, by its name among the recent decisions: [n]."""
    if isinstance(model, EscalationModel):
        return model.probabilities(inputs, np.full(len(inputs), name == "in_domain"))
    return np.asarray(getattr(model, name).predict_proba(inputs)[:, 1])


def _counts_fitted(model: EscalationModel, name: str, inputs: Floats, labels: Ints) -> EscalationModel:
    if name == "as_served":
        return tuned_as_served(model, inputs, labels)
    if name == "in_domain":
        return replace(model, voices=tuned(model, model.voices, inputs, labels))
    return replace(model, outside=tuned(model, model.outside, inputs, labels))


def _fitted(model: Head, name: str, recent: Recent) -> Head:
    """The head with a new sigmoid of one part."""
    if isinstance(model, EscalationModel):
        return _counts_fitted(model, name, recent.inputs, recent.labels)
    return replace(model, **{name: recalibrated(getattr(model, name), recent.inputs, recent.labels)})


def refit(model: Head, name: str, recent: Recent) -> tuple[Head, dict[str, Any]]:
    """The head with a sigmoid of one part from recent decisions, and what that changed on the later half of them."""
    about: dict[str, Any] = {"decisions": len(recent.labels), "prevalence": round(float(recent.labels.mean()), 4)}
    early, late = recent.halves()
    if early.enough and late.enough:
        tried = _fitted(model, name, early)
        about["before"] = plain(late.labels, _likelihood(model, name, late.inputs))
        about["after"] = plain(late.labels, _likelihood(tried, name, late.inputs))
    return _fitted(model, name, recent), about


READ: Mapping[type, Callable[..., dict[str, Recent]]] = {EscalationModel: _counts, HotlistModel: _hotlist}


def recalibrate_model(
    model: Head, recents: Mapping[str, Recent], warn_after_days: int | None
) -> tuple[Head, dict[str, Any]]:
    """The head with new sigmoids; CorpusError when no part has enough recent decisions of both kinds.

    `warn_after_days` None: as before.
    """
    ready = {name: recent for name, recent in recents.items() if recent.enough}
    if not ready:
        seen = ", ".join(f"{name}: {int(r.labels.sum())} of {len(r.labels)}" for name, r in recents.items())
        raise CorpusError(
            f"too few recent decisions to calibrate on (escalations: {seen}): at least {MIN_EVENTS} escalations and "
            f"{MIN_EVENTS} calm decisions are needed: give later data, or more days with --set recalibrate_days=90"
        )
    about = {}
    for name, recent in ready.items():
        model, about[name] = refit(model, name, recent)
    until = max(float(recent.end.max()) for recent in ready.values())
    return replace(model, calibrated_until=until, warn_after_days=warn_after_days or model.warn_after_days), about


def tell_kept(recents: Mapping[str, Recent], fitted: Container[str], console: Console) -> None:
    """Name the parts of a head that keep their old sigmoid: the date of the calibration is that of the others."""
    for name, recent in recents.items():
        if name not in fitted:
            seen = f"{int(recent.labels.sum())} escalations in {len(recent.labels)} recent decisions"
            left_out(
                console, f"{name}: {seen}, at least {MIN_EVENTS} of each kind are needed: it keeps its old sigmoid"
            )


def source_of(head: str, config: EscalationConfig | HotlistConfig) -> Bundle:
    """Whose head is recalibrated: the named bundle, else that in `out` if it has the head, else the shipped one."""
    own = Path(config.out) / "bundle"
    if config.bundle is None and (own / NAME).exists():
        bundle = open_bundle(own)
        if head in bundle.manifest.escalation:
            return bundle
    return open_bundle(Path(config.bundle) if config.bundle else None)


def recalibrate(head: str, config: EscalationConfig | HotlistConfig, console: Console | None = None) -> Bundle:
    """Refit the sigmoids of a bundle's head on the latest days; the new bundle lies in `config.out`/bundle."""
    refuse_others(config, (DATA[head], "bundle", "recalibrate_days", "warn_after_days", "out"))
    console, folder = console or Console(), bundle_place(config.out)
    source = source_of(head, config)
    old, part = open_head(source, kind_of(head)), source.manifest.escalation[head]
    console.print(f"the {head} head of {source.model_id} in {source.folder} is recalibrated", markup=False)
    recents = READ[type(old)](old, config, console)
    model, about = recalibrate_model(old, recents, config.warn_after_days)
    tell_kept(recents, about, console)
    files = (config.record,) if isinstance(config, HotlistConfig) else config.series
    tell_taught_days(files, min(recents[name].begin for name in about), part, console)
    end = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=model.calibrated_until or 0)
    known = part.config | {"warn_after_days": model.warn_after_days}
    part = replace(part, config=known, calibrated_until=end, recalibration=about, metrics=kept(part.metrics))
    if not (folder / NAME).exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with whole(folder) as copy:
            shutil.copytree(source.folder, copy)
    bundle = save_part(folder, None, {escalation_file(head): dump(model)}, escalation={head: part})
    write_card(bundle)
    console.print(about)
    console.print(f"{head} calibrated until {end:%Y-%m-%d %H:%M} UTC on the latest {config.recalibrate_days} days")
    console.print(f"bundle {bundle.model_id} in {bundle.folder}, registered as {register(bundle)}", markup=False)
    tell_golden(console, bundle)
    return bundle
