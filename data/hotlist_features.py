"""Features of hot-search topics: one pure, vectorised function of the past, for training and for serving.

Heat is always read as log(heat / A(t)), since the level of the list drifts: the alarm line lay between 0.33 M and
3.0 M within 20 months. "Step" is the change per hour since the appearance before.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from data.hotlist import CUMULATIVE, WIDTH, Columns, Episode, HotWindows, at, episode_of
from data.volume_windows import HORIZON, Floats, weighted

DECAYS = (1.5, 6.0)  # hours; of the exponentially weighted intensities
LAGS = (2, 3, 6)  # hours back; 1 h is the step
FLOOR = 1e-3  # of an extrapolated heat, as a share of the line
AWAY = "away"  # hours since the topic was last on the list
LIMIT = 20  # of |log(heat / A(t))|: beyond it no heat lies, and nothing overflows


def _hours(newer: Columns, older: Columns) -> Floats:
    """Hours between two appearances, nan where the older one is missing."""
    return np.where(older >= 0, newer - older, np.nan)


def _motion(ratio: Floats, episode: Episode) -> dict[str, Floats]:
    """Where heat stands against the line, and how it moves."""
    newest = episode.newest
    previous = episode.before(newest)
    now, last, hours = ratio[:, -1], at(ratio, previous), _hours(newest, previous)
    earlier = episode.before(previous)
    step = (now - last) / hours
    step_before = (last - at(ratio, earlier)) / _hours(previous, earlier)
    first, age = at(ratio, episode.first), _hours(newest, episode.first)
    rise = (np.exp(now) - np.exp(last)) / hours
    return {
        "ratio": now,
        "ratio_previous": last,
        "ratio_first": first,
        "step": step,
        "step_before": step_before,
        "acceleration": step - step_before,
        "growth_life": (now - first) / np.maximum(age, 1),
        **{f"growth_{k}h": now - ratio[:, -1 - k] for k in LAGS},
        "linear_1h": np.log(np.maximum(np.exp(now) + rise, FLOOR)),
        "linear_6h": np.log(np.maximum(np.exp(now) + HORIZON * rise, FLOOR)),
        "exponential_3h": now + 3 * step,
        "unseen_hours": hours,
    }


def _life(ratio: Floats, episode: Episode) -> dict[str, Floats]:
    """How long the topic has been on the list, and how far it is from its peak."""
    shown = np.where(episode.seen, ratio, -np.inf)
    peak = shown.max(axis=1)
    peak[np.isneginf(peak)] = np.nan
    return {
        "peak": peak,
        "drawdown": ratio[:, -1] - peak,
        "since_peak": (WIDTH - 1 - shown.argmax(axis=1)).astype(float),
        "age": np.where(episode.first >= 0, WIDTH - 1.0 - episode.first, np.nan),
        "n_obs": episode.seen.sum(axis=1).astype(float),
    }


def _intensities(ratio: Floats) -> dict[str, Floats]:
    """Heat with exponentially fading memory against the line, and the fast one against the slow."""
    back, shares, known = np.arange(WIDTH)[::-1], np.exp(np.nan_to_num(ratio)), (~np.isnan(ratio)).astype(float)
    fast, slow = (
        np.log(np.maximum(weighted(known * shares, weights), 1e-12) / np.maximum(weighted(known, weights), 1e-12))
        for weights in (np.exp(-back / decay) for decay in DECAYS)
    )
    return {
        "intensity_1.5h": fast,
        "intensity_6h": slow,
        "intensity_ratio": fast - slow,
        "ratio_over_intensity": ratio[:, -1] - slow,
    }


def _places(rank: Floats, episode: Episode) -> dict[str, Floats]:
    """Place on the list (1 = top, partly editorial) and how it moves."""
    filled, previous = episode.fill(rank), episode.before(episode.newest)
    now = filled[:, -1]
    best = np.where(episode.seen & ~np.isnan(rank), rank, np.inf).min(axis=1)
    return {
        "rank": now,
        "rank_step": (now - at(filled, previous)) / _hours(episode.newest, previous),
        "rank_growth_3h": now - filled[:, -4],
        "rank_first": at(filled, episode.first),
        "rank_best": np.where(np.isinf(best), np.nan, best),
    }


def _attention(name: str, array: Floats, episode: Episode) -> dict[str, Floats]:
    """A cumulative count: its size, what an hour adds, and how that changes. Counts above 10,000 are rounded."""
    filled, newest = episode.fill(array), episode.newest
    previous = episode.before(newest)
    earlier = episode.before(previous)
    now, last = filled[:, -1], at(filled, previous)
    gain = np.log1p(np.maximum(now - last, 0) / _hours(newest, previous))
    gain_before = np.log1p(np.maximum(last - at(filled, earlier), 0) / _hours(previous, earlier))
    age = _hours(newest, episode.first)
    life = np.maximum(now - at(filled, episode.first), 0) / np.where(age > 0, age, np.nan)
    return {
        f"{name}_log": np.log1p(now),
        f"{name}_gain": gain,
        f"{name}_gain_growth": gain - gain_before,
        f"{name}_rise": np.log1p(now) - np.log1p(last),
        f"{name}_gain_life": np.log1p(life),
    }


def _mixes(found: Mapping[str, Floats], log_heat: Floats) -> dict[str, Floats]:
    """What attention is made of: heat, talk and original posts against what they come from."""
    return {
        "mix_discussions_reads": found["discussions_log"] - found["reads_log"],
        "mix_originals_discussions": found["originals_log"] - found["discussions_log"],
        "mix_heat_reads": log_heat - found["reads_log"],
        "mix_heat_gain": log_heat - found["reads_gain"],
        "mix_discussions_reads_gain": found["discussions_gain"] - found["reads_gain"],
        "mix_originals_discussions_gain": found["originals_gain"] - found["discussions_gain"],
    }


def _clock(hour: Floats, weekday: Floats) -> dict[str, Floats]:
    angle = 2 * np.pi * hour / 24
    return {"hour": hour, "hour_sin": np.sin(angle), "hour_cos": np.cos(angle), "weekday": weekday}


def hot_features(windows: HotWindows) -> Mapping[str, Floats]:
    """Features by name, [n] each; nan where what they need is not known."""
    episode = episode_of(windows.heat)
    heat = episode.fill(windows.heat)
    log_heat = np.log(np.maximum(heat[:, -1], 1))
    ratio = np.clip(np.log(heat) - np.log(windows.line)[:, None], -LIMIT, LIMIT)
    attention: dict[str, Floats] = {}
    for name in CUMULATIVE:
        attention |= _attention(name, getattr(windows, name), episode)
    return {
        **_motion(ratio, episode),
        **_life(ratio, episode),
        **_intensities(ratio),
        **_places(windows.rank, episode),
        **attention,
        **_mixes(attention, log_heat),
        **_clock(windows.hour, windows.weekday),
        AWAY: np.where(episode.newest >= 0, WIDTH - 1.0 - episode.newest, np.nan),
    }
