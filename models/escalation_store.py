"""Escalation models as skops bytes; only the types named here are ever built from a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, TypeVar
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from scipy import special

from data.errors import BundleError
from data.records import Volume
from models.bundle import Bundle, escalation_file
from models.escalation import EscalationModel
from models.hotlist import HotlistModel
from models.lean import import_sparing, swapped, without

TRUSTED = [  # beyond numpy, what our models are made of
    "numpy.dtype",  # of what an imputer was fitted on
    "sklearn.calibration.CalibratedClassifierCV",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",  # `is_sound` looks inside
    "sklearn.ensemble._stacking.StackingClassifier",
    "sklearn.frozen._frozen.FrozenEstimator",
    "sklearn.impute._base.SimpleImputer",
    "sklearn.linear_model._logistic.LogisticRegression",
    "sklearn.pipeline.Pipeline",
    "sklearn.preprocessing._data.MinMaxScaler",
    "sklearn.preprocessing._data.StandardScaler",
    "sklearn.preprocessing._label.LabelEncoder",
    "sklearn.utils._bunch.Bunch",  # the parts of a stack by name
]

with without("pandas"):  # scikit-learn looks for it when it is first loaded; no data frames come here
    # It calls nothing of scipy.stats (0.3 s of each start) to answer; what it wants of it is there when it does.
    import_sparing((name.rpartition(".")[0] for name in TRUSTED), "scipy.stats")
    import sklearn.utils

    from models.tree_pack import pack, unpack
    from models.trees import boosters_of, is_sound, reads, trees_of

# skops loads all of scikit-learn, and torch, to trust all of it. Of each ufunc that numpy and scipy list it asks every
# module that is loaded whether it is from there: 0.3 s in a worker.
with swapped(sklearn.utils, "all_estimators", list), swapped(np, "__dir__", list), swapped(special, "__dir__", list):
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

Head = EscalationModel | HotlistModel
H = TypeVar("H", bound=EscalationModel | HotlistModel)
HEADS: Mapping[str, type[Head]] = {"counts": EscalationModel, "hotlist": HotlistModel}
LISTS = ("names", "fallback_names", "voices", "outside", "gate_names")  # tuples of the model, lists in the file
TREES = "trees"
PLAIN = Volume(as_of=datetime(2026, 1, 1, tzinfo=UTC), counts=(9.0,) * 6, heat=(9.0,) * 6, alarm_threshold=99.0)
TRIED = (  # every part of a head answers
    PLAIN,
    replace(PLAIN, rank=(9.0,) * 6),
    replace(PLAIN, heat=(9.0,) * 5 + (0.0,)),
    replace(PLAIN, alarm_threshold=1.0),
)
MAX_SIZE = 256 * 2**20  # bytes unpacked; ours have 2 and 4 MB, and a blob of 1 MB could hold a thousand


def dump(model: Head) -> bytes:
    """The model as one blob."""
    state, trees = pack({field.name: getattr(model, field.name) for field in fields(model)})
    lists = {name: list(state[name]) for name in LISTS if name in state}
    packed = {TREES: trees} if trees else {}
    return bytes(skops.io.dumps(state | lists | packed, compression=ZIP_DEFLATED))


def _trees_fit(model: Head) -> bool:
    """Whether no tree of the model can reach beyond the columns that the model will hand to it."""
    n = len(model.names)
    others = {"fallback": len(model.free)} if isinstance(model, EscalationModel) else {"partial": len(model.read)}
    columns = {field.name: others.get(field.name, n) for field in fields(model)}
    if not all(reads(one, count) for name, count in columns.items() for one in boosters_of(getattr(model, name))):
        return False
    parts = [getattr(model, name) for name in columns]
    trees = {(id(tree), count): tree for tree, count in trees_of(parts)}  # most lie in several places of a stack
    return all(is_sound(tree, count) for (_, count), tree in trees.items())


def _fits(model: Head) -> bool:
    n, shapes = len(model.names), {np.shape(model.middle)}
    if isinstance(model, HotlistModel):
        fits = shapes | {np.shape(model.low), np.shape(model.high)} == {(n,)}
        fits = fits and (model.day is None or 0 < model.day_base_rate < 1)
    else:
        fits = shapes == {(n,)} and np.shape(model.diurnal) == (24,) and model.limit > 0
        fits = fits and bool(np.isfinite(model.diurnal).all() and (model.diurnal > 0).all())
        fits = fits and {*model.fallback_names, *model.gate_names} <= {*model.names}
        fits = fits and np.shape([model.voices, model.outside]) == (2, 3)
    fits = fits and _trees_fit(model)
    model.stale(datetime.now(UTC))  # fails for an end, or for days, that are no time
    return bool(fits and 0 < model.base_rate < 1 and model.warn_after_days > 0)


def _unpacked(blob: bytes) -> int:
    """Bytes that a zip file says its parts have, which is as much as is ever read of them."""
    with ZipFile(BytesIO(blob)) as archive:
        return sum(part.file_size for part in archive.infolist())


def load(blob: bytes) -> Head:
    """Read a blob; BundleError when it is too large, asks for a type that is not allowed, or is no such model."""
    try:
        if (size := _unpacked(blob)) > MAX_SIZE:
            raise BundleError(f"escalation model refused: {size:,} bytes unpacked, expected at most {MAX_SIZE:,}")
        state: dict[str, Any] = skops.io.loads(blob, trusted=TRUSTED)
        if TREES in state:  # else written before there was such a thing, each tree in its place
            unpack(state, state.pop(TREES))
        state |= {name: tuple(state[name]) for name in LISTS if name in state}
        model = HEADS[state["head"]](**state)
        fits = _fits(model)
        if fits:  # else its trees may lead astray
            model.predict(TRIED)  # fails for features that this version does not know
    except BundleError:
        raise
    except UntrustedTypesFoundException as error:
        raise BundleError(f"escalation model refused, it holds types that are not allowed: {error}") from None
    except Exception as error:  # a zip file that someone else made can fail in any way
        raise BundleError(f"not an escalation model of this version ({type(error).__name__}): train it again") from None
    if not fits:
        raise BundleError("escalation model refused: its parts do not fit each other: train it again")
    return model


def kind_of(head: str) -> type[Head]:
    """The class of a head by its name; BundleError for another name."""
    if head not in HEADS:
        raise BundleError(f"unknown escalation head {head!r}: this version knows {', '.join(HEADS)}")
    return HEADS[head]


def open_head(bundle: Bundle, kind: type[H]) -> H:
    """The head of this kind in a bundle; BundleError when its file holds another kind."""
    name = next(head for head, known in HEADS.items() if known is kind)
    if name not in bundle.manifest.escalation:
        raise BundleError(f"{bundle.folder} has no {name} head: train it")
    model = load(bundle.read(escalation_file(name)))
    if not isinstance(model, kind):
        raise BundleError(f"{bundle.folder}: {escalation_file(name)} holds another head: train it again")
    return model
