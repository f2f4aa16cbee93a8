"""Escalation against its outcomes: did it come as often as it was said to?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from serving.drift.compare import CHANCE, State

MIN_OUTCOMES = 100
RATIO = 1.5  # observed over expected, or its inverse, from which on it is an alarm if chance does not explain it


@dataclass(frozen=True, slots=True)
class Calibration:
    """Over `outcomes` topics: how many escalated, how many were expected to, and how many deviations that is off."""

    outcomes: int
    """Topics whose outcome is known."""
    expected: float
    """How many were expected to escalate."""
    observed: int
    """How many did."""
    z: float
    """How many standard deviations that is off."""
    state: State
    """What that is."""


def calibration(outcomes: Sequence[tuple[float, bool]]) -> Calibration:
    """Calibration in the large of (likelihood, outcome) pairs; the spread is that of independent topics."""
    from scipy.special import ndtri  # not loaded for a page that is seldom read

    likelihood = np.array([p for p, _ in outcomes], dtype=np.float64)
    expected, observed = float(likelihood.sum()), sum(came for _, came in outcomes)
    z = (observed - expected) / max(float(np.sqrt((likelihood * (1 - likelihood)).sum())), 1e-9) if outcomes else 0.0
    off = not expected / RATIO <= observed <= expected * RATIO
    state: State = "too_few" if len(outcomes) < MIN_OUTCOMES else "ok"
    if state == "ok" and abs(z) > ndtri(1 - CHANCE / 2):
        state = "alarm" if off else "warning"
    return Calibration(len(outcomes), round(expected, 2), observed, round(z, 2), state)
