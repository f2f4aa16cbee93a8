"""From windows of hourly volumes up to now to features: one pure function, for training and for serving.

Every feature reads the past only: deleting the future changes none (a test says so).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from data.volume_pace import PRIOR, expected, log_posts, needed, restless, rise
from data.volume_windows import Floats, Ints, Windows, filled, weighted

DECAYS = (0.36, 1.44, 5.8)  # hours; of the exponentially weighted intensities


def _sums(counts: Floats, full: Floats) -> Floats:
    """Running sums from the newest bin back: column k holds the last k+1 bins, nan where over half are missing."""
    known = np.cumsum(~np.isnan(counts[:, ::-1]), axis=1)
    width = np.arange(1, counts.shape[1] + 1)
    return np.where(known * 2 >= width, np.cumsum(full[:, ::-1], axis=1), np.nan)


def _levels(sums: Floats) -> dict[str, Floats]:
    return {f"log_{k}h": log_posts(sums[:, k - 1]) for k in (1, 2, 3, 6, 12, 24)} | {
        "log_total": log_posts(sums[:, -1])
    }


def _growth(sums: Floats, prefix: str) -> dict[str, Floats]:
    """Log ratio of the last k hours to the k hours before, and how that ratio changes."""
    one, two, three, six = sums[:, 0], sums[:, 1], sums[:, 2], sums[:, 5]
    found = {
        "growth_1h": log_posts(one) - log_posts(two - one),
        "growth_1h_to_3h": log_posts(one) - log_posts((sums[:, 3] - one) / 3),
        "growth_2h": log_posts(two) - log_posts(sums[:, 3] - two),
        "growth_3h": log_posts(three) - log_posts(six - three),
        "growth_6h": log_posts(six) - log_posts(sums[:, 11] - six),
        "share_1h": one / (six + PRIOR),
        "share_3h": three / (six + PRIOR),
    }
    found["acceleration"] = found["growth_1h"] - (log_posts(two - one) - log_posts(three - two))
    found["acceleration_3h"] = found["growth_3h"] - (log_posts(six - three) - log_posts(sums[:, 8] - six))
    return {prefix + name: values for name, values in found.items()}


def _intensities(full: Floats) -> dict[str, Floats]:
    """Posts per hour with exponentially fading memory (Hawkes-like), and the fast one against the slow."""
    back = np.arange(full.shape[1])[::-1]
    found = {}
    for decay in DECAYS:
        weights = np.exp(-back / decay)
        found[f"intensity_{decay:g}h"] = log_posts(weighted(full, weights) / weights.sum())
    found["intensity_ratio"] = found["intensity_0.36h"] - found["intensity_5.8h"]
    found["intensity_ratio_slow"] = found["intensity_1.44h"] - found["intensity_5.8h"]
    return found


def _shape(counts: Floats, full: Floats, sums: Floats, length: Ints) -> dict[str, Floats]:
    """Where the topic stands in its life: below its peak, since when, how steady."""
    peak = full.max(axis=1)
    last = full[:, -6:]
    mean = last.mean(axis=1)
    since = np.argmax(counts[:, ::-1] == peak[:, None], axis=1)
    trend = np.asarray(np.arange(6) - 2.5, float)
    return {
        "drawdown": log_posts(sums[:, 0]) - log_posts(peak),
        "drawdown_3h": log_posts(sums[:, 2] / 3) - log_posts(peak),
        "log_peak": log_posts(peak),
        "since_peak": np.minimum(since, length).astype(float),
        "recency": sums[:, 5] / (sums[:, -1] + PRIOR),
        "recency_1h": sums[:, 0] / (sums[:, -1] + PRIOR),
        "slope_6h": weighted(log_posts(last), trend) / (trend @ trend),
        "spread_6h": last.std(axis=1) / (mean + PRIOR),
        "quiet_6h": (last == 0).sum(axis=1).astype(float),
        "peak_6h": log_posts(last.max(axis=1)) - log_posts(mean),
        "age": np.log(np.maximum(length, 1)),
    }


def _clock(hour: Ints, log_rise: Floats) -> dict[str, Floats]:
    angle = 2 * np.pi * hour / 24
    return {"hour": hour.astype(float), "hour_sin": np.sin(angle), "hour_cos": np.cos(angle), "log_rise": log_rise}


def _share(part: Floats, counts: Floats) -> dict[int, Floats]:
    """Share of a part (authors, negative posts) in the last 1, 6 and 24 h, over the hours where both are known."""
    both = ~np.isnan(counts + part)
    counts, part = np.where(both, counts, 0), np.where(both, part, 0)
    shares = {}
    for k in (1, 6, 24):
        posts, some = counts[:, -k:].sum(axis=1), part[:, -k:].sum(axis=1)
        shares[k] = np.where(posts > 0, some / np.maximum(posts, 1), np.nan)
    return shares


def count_features(windows: Windows, diurnal: Floats) -> Mapping[str, Floats]:
    """Features by name, [n] each; `diurnal` is the share of posts by hour of day, [24], from the training series."""
    full = filled(windows)
    sums = _sums(windows.counts, full)
    log_rise = np.log(rise(windows.hour, diurnal))
    usual = diurnal[(windows.hour[:, None] - np.arange(24)) % 24] * 24
    even = np.ascontiguousarray(full[:, ::-1][:, :24] / usual)
    shares = {
        f"{name}_share_{k}h": share
        for name, part in (("author", windows.authors), ("negative", windows.negative))
        for k, share in _share(part, windows.counts).items()
    }
    return {
        **_levels(sums),
        **_growth(sums, ""),
        **_intensities(full),
        **_shape(windows.counts, full, sums, windows.length),
        **_clock(windows.hour, log_rise),
        **expected(even, needed(sums, windows.hour, diurnal), windows.hour, diurnal),
        **_growth(np.cumsum(even, axis=1), "even_"),
        **restless(even),
        **shares,
    }
