"""Incomplete views of hot-search topics, which the head meets in use: without places, heat alone, or off the list.

A caller may know the heat of a topic and not its place, and asks on when the topic has left the top 50. A head that
knows complete views only is far off then: what is missing is no median, and a heat of hours ago is not that of now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV

from data.hot_topics import HotList
from data.hotlist import ARRAYS, CUMULATIVE, EPISODE_GAP, WIDTH, HotWindows
from data.hotlist_features import AWAY
from data.volume_windows import HORIZON, Floats, Ints
from models.hotlist import MAX_BIN, HotlistModel
from training.escalation_blend import calibrated, near_trees
from training.escalation_blocks import MIN_EVENTS, Blocks
from training.escalation_report import figures
from training.hotlist_config import HotlistConfig
from training.hotlist_decisions import (
    HotDecisions,
    clock_at,
    decided,
    features_of,
    first_alarm,
    nearness,
    outcomes,
    resolved,
    windows_at,
)
from training.hotlist_fit import hot_blocks, monotone_trees, rarest

EVERY = 3  # one decision in so many is read in each incomplete view: they teach beside one another
UNKNOWN: Mapping[str, tuple[str, ...]] = {"no_rank": ("rank",), "heat_alone": ("rank", *CUMULATIVE)}
OFF = "off_list"
COARSE: Mapping[str, tuple[str, ...]] = {"coarse": (), "coarse_heat_alone": UNKNOWN["heat_alone"]}  # measured only
COARSE_HOURS = MAX_BIN // 60  # of their bins
Places = NDArray[np.intp]
Views = Mapping[str, HotDecisions]


def _masked(hot: HotList, rows: Places, labels: Ints, unknown: Sequence[str], hours: int = 1) -> HotDecisions:
    """Decisions at some rows, read where nothing is known of some arrays, in bins of so many hours."""

    def windows(part: Places) -> HotWindows:
        whole = windows_at(hot, part)
        arrays = {name: _binned(getattr(whole, name), hours) for name in ARRAYS}
        return replace(whole, **arrays | {name: np.full_like(arrays[name], np.nan) for name in unknown})

    return decided(hot, rows, labels, windows)


def _binned(array: Floats, hours: int) -> Floats:
    """The last value known in each bin of so many hours, at its newest hour: [n, 48]."""
    found = np.full_like(array, np.nan)
    for back in range(hours - 1, -1, -1):
        newest = np.arange(WIDTH - 1, hours - 2, -hours)
        older = array[:, newest - back]
        found[:, newest] = np.where(np.isnan(older), found[:, newest], older)
    return found


def next_crossing(hot: HotList) -> Floats:
    """Hour at which the topic of each row is next seen at the line, after that row; inf where never: [n]."""
    crossings = np.flatnonzero(hot.heat >= hot.line)
    place = np.searchsorted(crossings, np.arange(len(hot.time)), side="right")
    found = np.append(crossings, 0)[place]
    known = (place < len(crossings)) & (hot.topic[found] == hot.topic)
    return np.where(known, hot.time[found], np.inf)


def absences(hot: HotList) -> tuple[Places, Places]:
    """Rows after which a topic is looked at while it is off the list, and that snapshot: about one in six such hours.

    It is looked at one to six hours later, by the number of its row, within the 6 h in which its episode lasts, and
    only where it is known what comes within 6 h.
    """
    row = np.arange(len(hot.time))
    snapshot = np.searchsorted(hot.snapshots, hot.slot + 1 + row % EPISODE_GAP)
    inside = snapshot < len(hot.snapshots)
    snapshot = np.where(inside, snapshot, 0)
    follows = np.append(np.diff(hot.topic) == 0, False)
    back = np.where(follows, np.append(hot.slot[1:], 0), np.inf)
    now, away = np.floor(hot.snapshots[snapshot]), _away(hot, row, snapshot)
    gone = inside & (now < back) & (away <= EPISODE_GAP) & (hot.time < first_alarm(hot))
    rows = np.flatnonzero(gone & ~np.isnan(_lines(hot)[snapshot]))
    rows = rows[resolved(hot, hot.snapshots[snapshot[rows]], next_crossing(hot)[rows])]
    return rows, snapshot[rows]


def _away(hot: HotList, rows: Places, snapshots: Places) -> Places:
    return np.floor(hot.snapshots[snapshots]).astype(np.int64) - hot.slot[rows]


def _lines(hot: HotList) -> Floats:
    """A(t) at each snapshot, nan where it shows no topic: [m]."""
    lines = np.full(len(hot.snapshots), np.nan)
    lines[np.searchsorted(hot.snapshots, hot.time)] = hot.line
    return lines


def heat_alone(rows: Places) -> NDArray[np.bool_]:
    """Of which rows, looked at off the list, heat alone is known: half of them, after any number of hours."""
    return np.asarray(rows // EPISODE_GAP % 2 == 1)


def _later(hot: HotList, rows: Places, snapshots: Places) -> HotWindows:
    """Windows of topics at snapshots that do not show them; of some heat alone is known."""
    seen, away = windows_at(hot, rows), _away(hot, rows, snapshots)
    arrays = {name: np.full((len(rows), WIDTH), np.nan) for name in ARRAYS}
    for hours in np.unique(away):
        some = away == hours
        for name, array in arrays.items():
            array[some, : WIDTH - hours] = getattr(seen, name)[some, hours:]
    for name in UNKNOWN["heat_alone"]:
        arrays[name][heat_alone(rows)] = np.nan
    return HotWindows(**arrays, line=_lines(hot)[snapshots], **clock_at(hot.snapshots[snapshots]))


def off_list(hot: HotList, rows: Places, snapshots: Places) -> HotDecisions:
    """Decisions about topics that have left the list, at `absences`: does one come back to the line within 6 h?"""
    order = np.argsort(hot.snapshots[snapshots], kind="stable")
    rows, snapshots = rows[order], snapshots[order]
    time, alarm = hot.snapshots[snapshots], next_crossing(hot)[rows]
    names, features = features_of(lambda part: _later(hot, rows[part], snapshots[part]), np.arange(len(rows)))
    return HotDecisions(
        names=names,
        features=features,
        labels=(alarm <= time + HORIZON).astype(np.int64),
        nearness=nearness(hot, rows, time + HORIZON, hot.topic),
        day_labels=np.full(len(rows), np.nan),
        time=time,
        episode=hot.episode[rows],
        alarm=alarm,
    )


def taught_views(hot: HotList) -> dict[str, HotDecisions]:
    """Decisions in each view that is taught to trees of its own and that the record has, other ones in each."""
    found = {}
    if not np.isnan(hot.rank).all():  # else the head reads no place, and misses none
        found = _masks(hot, UNKNOWN, 1)
    rows, snapshots = absences(hot)
    return found | ({OFF: off_list(hot, rows, snapshots)} if len(rows) else {})


def incomplete_views(hot: HotList) -> dict[str, HotDecisions]:
    """Decisions in these and in coarse bins, all that a head is measured on."""
    return taught_views(hot) | _masks(hot, COARSE, COARSE_HOURS)


def _masks(hot: HotList, views: Mapping[str, tuple[str, ...]], hours: int) -> dict[str, HotDecisions]:
    rows, labels = outcomes(hot)
    return {
        name: _masked(hot, rows[first::EVERY], labels[first::EVERY], unknown, hours)
        for first, (name, unknown) in enumerate(views.items())
        if len(rows) > first
    }


def view_blocks(view: HotDecisions, config: HotlistConfig) -> Blocks:
    """The blocks of the training in one view."""
    return hot_blocks(view.time, config.test_from, config.test_to, config)


def views_to_test(views: Views, config: HotlistConfig) -> dict[str, HotDecisions]:
    """The test block of each view."""
    return {name: view.take(view_blocks(view, config).test) for name, view in views.items()}


def fit_partial(views: Views, names: tuple[str, ...], config: HotlistConfig) -> CalibratedClassifierCV | None:
    """Trees on the views that are taught (`taught_views`) before the test block; None where too few cross the line.

    `names`: what the head's other parts read; these trees also read how long a topic has been off the list.
    """
    views = {name: view for name, view in views.items() if name not in COARSE}
    if not views:
        return None
    names = (*names, AWAY)
    fit, later = (_joined(views, names, part, config) for part in ("fit", "calibration"))
    if min(rarest(fit[1]), rarest(later[1])) < MIN_EVENTS:
        return None
    trees = near_trees(monotone_trees(names, config), fit[0], fit[2])
    return calibrated(trees, later[0], later[1])


def _joined(views: Views, names: Sequence[str], part: str, config: HotlistConfig) -> tuple[Floats, Ints, Floats]:
    """Features, labels and nearness of one block of all views."""
    taken = [view.take(getattr(view_blocks(view, config), part)) for view in views.values()]
    return (
        np.concatenate([view.columns(names) for view in taken]),
        np.concatenate([view.labels for view in taken]),
        np.concatenate([view.nearness for view in taken]),
    )


def view_figures(model: HotlistModel, views: Views, draws: int) -> dict[str, dict[str, Any]]:
    """By view to test its decisions, their prevalence, and what the head and its logistic regression answer (`models`).

    Without views that have no crossing, and those that a head without trees for incomplete views leaves out of domain.
    """
    found = {}
    for name, view in views.items():
        if view.labels.any() and (model.partial is not None or name == "coarse"):
            features, every = view.columns(model.read), np.ones(len(view.time), bool)
            said = {"model": model.probabilities(features, every), "logistic_regression": model.regression(features)}
            found[name] = {
                "decisions": len(view.time),
                "prevalence": round(float(view.labels.mean()), 5),
                "models": {who: figures(view.labels, p, view.day, draws) for who, p in said.items()},
            }
    return found
