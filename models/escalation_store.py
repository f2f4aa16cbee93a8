"""Escalation models as skops bytes; only the types named here are ever built from a file."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import skops.io
from skops.io.exceptions import UntrustedTypesFoundException

from data.errors import BundleError
from models.escalation import EscalationModel

TRUSTED = [  # beyond what skops trusts by itself (numpy, scikit-learn's public estimators)
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
]


def dump(model: EscalationModel) -> bytes:
    """The model as one blob."""
    state = {field.name: getattr(model, field.name) for field in fields(model)}
    return bytes(skops.io.dumps(state | {"names": list(model.names)}))


def load(blob: bytes) -> EscalationModel:
    """Read a blob; BundleError when it asks for a type that is not allowed, or is no such model."""
    try:
        state: dict[str, Any] = skops.io.loads(blob, trusted=TRUSTED)
        state["names"] = tuple(state["names"])
        model = EscalationModel(**state)
    except UntrustedTypesFoundException as error:
        raise BundleError(f"escalation model refused, it holds types that are not allowed: {error}") from None
    except Exception as error:  # a zip file that someone else made can fail in any way
        raise BundleError(f"not an escalation model of this version ({type(error).__name__}): train it again") from None
    sizes = {len(model.names), *(len(np.atleast_1d(array)) for array in (model.low, model.middle, model.high))}
    if len(sizes) != 1 or np.shape(model.diurnal) != (24,) or not 0 < model.base_rate < 1:
        raise BundleError("escalation model refused: its parts do not fit each other: train it again")
    return model
