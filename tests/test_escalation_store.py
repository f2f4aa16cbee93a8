"""Laws of the stored model: a round trip answers alike, and nothing foreign is ever built from a file."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from copy import deepcopy
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from self_exciting import START, model, topic
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from data.errors import BundleError
from data.records import Volume
from data.taxonomy import load_taxonomy
from models import escalation_store
from models.bundle import escalation_file, save_part
from models.escalation import EscalationModel
from models.escalation_store import dump, kind_of, load, open_head
from models.hotlist import HotlistModel
from models.manifest import EscalationPart
from models.tree_pack import pack
from models.trees import boosters_of

VOLUMES = [
    Volume(as_of=START + timedelta(hours=age), counts=topic(number).counts[:age])
    for number, age in ((3, 6), (4, 12), (5, 30))
] + [Volume(as_of=START, counts=(100_000.0, None, 3.0))]


def _state(**changed: object) -> dict[str, Any]:
    found = {field.name: getattr(model(), field.name) for field in fields(EscalationModel)}
    return found | {"names": list(model().names)} | changed


def test_a_round_trip_answers_alike() -> None:
    again = load(dump(model()))
    assert again.predict(VOLUMES) == model().predict(VOLUMES)
    for name in ("names", "limit", "base_rate", "target", "head"):
        assert getattr(again, name) == getattr(model(), name)
    assert load(dump(again)).predict(VOLUMES) == model().predict(VOLUMES)


def test_a_blob_with_each_tree_in_its_place_is_read_as_before() -> None:
    again = load(skops.io.dumps(_state()))
    assert again.predict(VOLUMES) == model().predict(VOLUMES)


def test_the_blob_holds_the_trees_as_a_few_arrays() -> None:
    with zipfile.ZipFile(io.BytesIO(dump(model()))) as archive:
        packed = len(archive.namelist())
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(_state()))) as archive:
        assert packed < len(archive.namelist()) - 100


@pytest.mark.parametrize(
    "spoil",
    [
        lambda trees: {},
        lambda trees: 5,
        lambda trees: None,
        lambda trees: {name: array for name, array in trees.items() if name != "nodes"},
        lambda trees: {name: array for name, array in trees.items() if name != "raw"},
        lambda trees: trees | {"nodes": np.zeros(9)},
    ],
    ids=["nothing", "number", "null", "no nodes", "no sets", "no trees"],
)
def test_packed_trees_that_are_none_are_refused(spoil: Callable[[dict[str, Any]], object]) -> None:
    state, trees = pack(_state())
    with pytest.raises(BundleError, match="train it again"):
        load(skops.io.dumps(state | {"trees": spoil(trees)}))


def test_packed_trees_that_lead_astray_are_refused() -> None:
    state, trees = pack(_state())
    trees["nodes"]["left"] = 0
    with pytest.raises(BundleError, match="do not fit"):
        load(skops.io.dumps(state | {"trees": trees}))


@pytest.mark.parametrize("count", [None, 10**9])
def test_a_booster_that_would_not_check_its_columns_is_refused(count: int | None) -> None:
    state = deepcopy(_state())
    state["main"].n_features_in_ = 10**9
    for booster in boosters_of(state["main"]):
        vars(booster).pop("n_features_in_", None)
        vars(booster).update({} if count is None else {"n_features_in_": count})
        booster._predictors[0][0].nodes["feature_idx"] = 50_000_000
    with pytest.raises(BundleError, match="do not fit"):
        load(skops.io.dumps(state))


def test_a_head_is_opened_as_its_own_kind_only(tmp_path: Path) -> None:
    files = {escalation_file("hotlist"): dump(model())}
    bundle = save_part(tmp_path / "bundle", load_taxonomy(), files, escalation={"hotlist": EscalationPart()})
    with pytest.raises(BundleError, match="holds another head"):
        open_head(bundle, HotlistModel)
    with pytest.raises(BundleError, match="has no counts head"):
        open_head(bundle, EscalationModel)
    with pytest.raises(BundleError, match=r"'weather': this version knows counts, hotlist"):
        kind_of("weather")


def test_the_blob_holds_no_pickle() -> None:
    with zipfile.ZipFile(io.BytesIO(dump(model()))) as archive:
        kinds = {name.rpartition(".")[2] for name in archive.namelist()}
    assert kinds <= {"json", "npy"}


@pytest.mark.parametrize("fallback", [os.system, FunctionTransformer(os.system), timedelta(1), Volume])
def test_a_type_that_is_not_allowed_is_refused_and_named(fallback: object) -> None:
    with pytest.raises(BundleError, match="not allowed"):
        load(skops.io.dumps(_state(fallback=fallback)))


def test_a_blob_that_unpacks_to_far_more_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    blob = dump(model())
    with zipfile.ZipFile(io.BytesIO(blob)) as archive:
        size = sum(part.file_size for part in archive.infolist())
    assert size > len(blob)
    monkeypatch.setattr(escalation_store, "MAX_SIZE", size)
    assert load(blob).names == model().names
    monkeypatch.setattr(escalation_store, "MAX_SIZE", size - 1)
    with pytest.raises(BundleError, match=f"{size:,} bytes unpacked"):
        load(blob)


def _cut(blob: bytes) -> bytes:
    return blob[: len(blob) // 2]


def _flip(blob: bytes) -> bytes:
    return blob[:200] + bytes(byte ^ 255 for byte in blob[200:400]) + blob[400:]


@pytest.mark.parametrize("spoil", [_cut, _flip, lambda _: b"", lambda _: b"no zip", lambda _: b"\x80\x04N."])
def test_a_tampered_blob_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BundleError, match="train it again"):
        load(spoil(dump(model())))


@pytest.mark.parametrize(
    "content", [{}, [], 5, LogisticRegression(), {"names": ["log_1h"]}, _state(surplus=1), _state(names=3)]
)
def test_a_foreign_blob_is_refused(content: object) -> None:
    with pytest.raises(BundleError, match="not an escalation model of this version"):
        load(skops.io.dumps(content))


@pytest.mark.parametrize(
    "changed",
    [
        {"middle": np.zeros(3)},
        {"middle": None},
        {"limit": 0.0},
        {"names": ["log_1h"]},
        {"diurnal": np.ones(23)},
        {"diurnal": None},
        {"diurnal": np.zeros(24)},
        {"diurnal": np.full(24, np.nan)},
        {"calibrated_until": "2026"},
        {"calibrated_until": 1e300},
        {"base_rate": 0.0},
        {"base_rate": 1.5},
        {"base_rate": float("nan")},
        {"base_rate": "often"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_parts_that_do_not_fit_are_refused(changed: dict[str, object]) -> None:
    with pytest.raises(BundleError, match="train it again"):
        load(skops.io.dumps(_state(**changed)))


@pytest.mark.parametrize(("old", "new"), [("log_3h", "log_4h"), ("log_needed", "log_3h"), ("log_total", "hour")])
def test_features_that_this_version_does_not_know_or_needs_are_told_at_once(old: str, new: str) -> None:
    names = [new if name == old else name for name in model().names]
    with pytest.raises(BundleError, match="not an escalation model of this version"):
        load(skops.io.dumps(_state(names=names)))


def test_a_changed_number_changes_the_answer_so_the_blob_is_the_model() -> None:
    other = load(dump(replace(model(), base_rate=0.5)))
    assert {result.base_rate for result in other.predict(VOLUMES)} == {0.5}
