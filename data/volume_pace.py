"""A topic's next six hours: what the clock lets expect, what an escalation needs, and the pace without the clock."""

from __future__ import annotations

import numpy as np

from data.volume_windows import HORIZON, Floats, Ints, weighted

PRIOR = 0.5  # posts added before a logarithm or a ratio, so that quiet hours stay finite


def log_posts(x: Floats) -> Floats:
    """Logarithm of numbers of posts, finite for none."""
    # sums that missing bins scale up can differ by less than nothing
    return np.asarray(np.log(np.maximum(x, 0) + PRIOR))


def rise(hour: Ints, diurnal: Floats) -> Floats:
    """r(t): share of posts that the clock alone lets expect in the next 6 h, over that of the last 6 h."""
    ahead = sum(diurnal[(hour + i) % 24] for i in range(1, HORIZON + 1))
    behind = sum(diurnal[(hour - i) % 24] for i in range(HORIZON))
    return np.asarray(ahead / behind)


def needed(sums: Floats, hour: Ints, diurnal: Floats) -> Floats:
    """Log of the posts of the next 6 h that make an escalation: [n]."""
    return np.asarray(np.log(np.maximum(1.5 * sums[:, HORIZON - 1] * rise(hour, diurnal), 20)))


def expected(even: Floats, needed: Floats, hour: Ints, diurnal: Floats) -> dict[str, Floats]:
    """Posts needed against what several paces without the clock let expect of the next 6 h.

    `even`: posts of the last 24 hours over the share that each hour of day usually has, newest first: [n, 24].
    A memory fades as 1 / hours (relaxation of attention, Crane and Sornette 2008) or exponentially.
    """
    ahead = sum(diurnal[(hour + i) % 24] for i in range(1, HORIZON + 1)) * 24
    paces = {f"{k}h": even[:, :k].mean(axis=1) for k in (1, 2, 3, 6)}
    back = np.arange(even.shape[1])
    for name, weights in {"hyperbola": 1 / (1 + back), "fade_12h": np.exp(-back / 12)}.items():
        paces[name] = weighted(even, weights) / weights.sum()
    paces["peak"] = even.max(axis=1)
    return {"log_needed": needed, **{f"needed_over_{k}": needed - log_posts(pace * ahead) for k, pace in paces.items()}}


def restless(even: Floats) -> dict[str, Floats]:
    """How unsteady the pace without the clock was: its spread, its largest hourly rise, its place below the peak."""
    logs = log_posts(even)
    steps = logs[:, :-1] - logs[:, 1:]
    return {
        "even_spread_6h": logs[:, :6].std(axis=1),
        "even_largest_rise": steps[:, :6].max(axis=1),
        "even_drawdown": logs[:, 0] - logs.max(axis=1),
        "even_above_low": logs[:, 0] - logs[:, :6].min(axis=1),
    }
