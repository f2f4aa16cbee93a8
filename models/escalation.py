"""The escalation model in use: volumes up to now in, likelihood that the topic escalates within the horizon out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from data.records import Volume
from data.results import EscalationResult
from data.volume import count_features
from data.volume_pace import PRIOR
from data.volume_windows import HORIZON, WIDTH, Floats, Windows, held, unread_hours, windows_of
from models.escalation_head import EscalationHead, Observed, design, log_odds
from models.escalation_words import GROUPS, describe, said_of
from models.staleness import WARN_AFTER_DAYS

TARGET = (
    "N(t, t+6h] >= max(1.5 * N(t-6h, t] * r(t), 20), r(t) = usual posts of the next 6 h over those of the last 6 h "
    "by hour of day"
)
OPTIONAL = {"authors": "author_", "negative": "negative_"}  # arrays read where they are given, prefix of their features
PARTS = {"authors": "独立作者", "negative": "负面"}  # of the posts, and what a share of them is called
MIN_TOTAL, MIN_RECENT = 20, 10  # posts in all and in the last 6 h at which the target is defined
MAX_AGE = 48  # hours of age up to which the training series were cut
SCALED = (
    "log_1h",
    "log_2h",
    "log_3h",
    "log_6h",
    "log_12h",
    "log_24h",
    "log_total",
    "log_peak",
    "log_needed",
    "intensity_0.36h",
    "intensity_1.44h",
    "intensity_5.8h",
)  # grow with the size of a topic
COARSE = "时段长于1小时"  # why a topic is out of domain, beside what `strange` names
EVEN = 0.5  # probability below which a topic is rather of the other kind
BEYOND = 2.0  # times the limit, at which no likeness is left: records end there, so the main model knows calm only
Voices = tuple[float, float, float]  # constant, weights of the log-odds of main model and fallback


def total_posts(features: Floats, names: Sequence[str]) -> Floats:
    """Posts of the topic so far, back from their logarithm: [n]."""
    return np.asarray(np.exp(features[:, names.index("log_total")]) - PRIOR)


def _held(volume: Volume, name: str) -> Sequence[float | None]:
    """The bins of an array that are read."""
    return held(getattr(volume, name), volume.interval_minutes, WIDTH)


def _told(volume: Volume, hours: int, unread: int, parts: Sequence[str], why: Sequence[str]) -> Iterator[str]:
    """What a desk must know of a volume whose hours are not what they seem.

    `hours`, `unread`: those that are read, and those that are not; `parts` of its posts that are read; `why` it is out
    of domain.
    """
    if hours and why:
        yield f"与训练数据不同（{'、'.join(why)}）：排序可参考，数值不可尽信"
    known = [count is not None for count in _held(volume, "counts")]
    if hours and not known[-1]:
        silent = known[::-1].index(True) * volume.interval_minutes
        span = f"{silent}分钟" if silent % 60 else f"{silent // 60}小时"
        yield f"最近{span}没有发帖数据，结果按此前的情况估算"
    if unread:
        yield f"有{unread}个小时的发帖数据不足半小时，未计入结果"
    if volume.interval_minutes > 60:
        yield f"每个时段长{volume.interval_minutes}分钟，逐小时的数量按平均分摊估算"
    for name in parts:
        pairs = zip(_held(volume, "counts"), _held(volume, name), strict=False)
        if any(posts is not None and part is not None and part > posts for posts, part in pairs):
            yield f"{name}有时段大于counts，{PARTS[name]}占比不可信"


@dataclass(frozen=True)
class EscalationModel(EscalationHead):
    """A calibrated blend of trees and a line, and a fallback for topics unlike those they were trained on.

    The fallback sees only features without a scale: a topic ten times larger than any seen moves like a small one.
    (Logistic regression alone gave a topic that doubles every hour half the base rate.)
    `fallback_names`: features that the fallback reads, () = all without a scale; `voices`: for topics like those of the
    training, the constant and the weights of the log-odds of main model and fallback, since what holds for two kinds of
    series steadies one; `outside`: the same for others. `gate`: a classifier whose class 1 is the kind of the training
    series, and which so weighs the two; None = the rule of the domain decides. `gate_names`: features that it reads.
    `middle`: medians of the features in training; `limit`: posts, with those needed to escalate, that the training
    series hold.
    """

    groups = GROUPS
    horizon_hours = HORIZON

    head: Literal["counts", "hotlist"]
    main: Any  # scikit-learn classifiers with predict_proba, calibrated
    fallback: Any
    names: tuple[str, ...]
    diurnal: Floats
    middle: Floats
    limit: float
    base_rate: float
    target: str = TARGET
    calibrated_until: float | None = None
    warn_after_days: int = WARN_AFTER_DAYS
    fallback_names: tuple[str, ...] = ()
    voices: Voices = (0.0, 1.0, 0.0)
    outside: Voices = (0.0, 0.0, 1.0)
    gate: Any = None
    gate_names: tuple[str, ...] = ()

    @cached_property
    def free(self) -> list[int]:
        """Columns that the fallback reads: `fallback_names`, or all that do not grow with the size of a topic."""
        free = self.fallback_names or [name for name in self.names if name not in SCALED]
        return [self.names.index(name) for name in free]

    def say(self, group: str, values: Mapping[str, float]) -> str:
        """A group of features in words."""
        return describe(group, values)

    def heard(self, features: Floats, voices: Voices | Floats) -> Floats:
        """Log-odds of main model and fallback by their weights, alike for all rows or [n, 3]: [n].

        One that has no weight in a row is not asked about it.
        """
        constant, *weights = np.broadcast_to(voices, (len(features), 3)).T
        score: Floats = constant.copy()
        for part, columns, weight in zip((self.main, self.fallback), (slice(None), self.free), weights, strict=True):
            rows = weight != 0
            if rows.any():
                score[rows] += weight[rows] * log_odds(part.predict_proba(features[rows][:, columns])[:, 1])
        return score

    def probabilities(self, features: Floats, in_domain: NDArray[np.bool_]) -> Floats:
        """Likelihood per row; `in_domain` is read by a head without a gate only: [n]."""
        return self.answered(features, self.likeness(features, in_domain))

    def altered(self, copies: Floats, features: Floats, inside: NDArray[np.bool_]) -> Floats:
        """Likelihood of altered copies [k n], each with the likeness of its row."""
        likeness = self.likeness(features, inside)
        return self.answered(copies, np.tile(likeness, len(copies) // max(len(features), 1)))

    def likeness(self, features: Floats, in_domain: NDArray[np.bool_]) -> Floats:
        """How much each row is like the training series, 0 to 1: the share of `voices` in its log-odds, [n].

        By its kind and its size: nothing is left of it at `BEYOND` times the posts that the training series hold.
        """
        if self.gate is None or not len(features):
            return in_domain.astype(float)
        excess = np.log(self.size(features) / self.limit) / np.log(BEYOND)
        return np.asarray(self.kind(features) * np.clip(1 - excess, 0, 1))

    def kind(self, features: Floats) -> Floats:
        """Probability of the kind of the training series, whatever its size; 1 without a gate: [n]."""
        if self.gate is None or not len(features):
            return np.ones(len(features))
        columns = [self.names.index(name) for name in self.gate_names]
        return np.asarray(self.gate.predict_proba(features[:, columns])[:, 1])

    def size(self, features: Floats) -> Floats:
        """Posts so far and those needed to escalate: [n]."""
        return total_posts(features, self.names) + np.exp(features[:, self.names.index("log_needed")])

    def answered(self, features: Floats, likeness: Floats) -> Floats:
        """Likelihood per row by `voices` and `outside`, weighed by its likeness: [n]."""
        voices = np.outer(likeness, self.voices) + np.outer(1 - likeness, self.outside)
        return np.asarray(1 / (1 + np.exp(-self.heard(features, voices))))

    def in_domain(self, windows: Windows, features: Floats) -> NDArray[np.bool_]:
        """The rule of README.md, [n]: none of what `strange` names. `predict` adds bins of up to an hour."""
        return np.asarray(~np.any([*self.strange(windows, features).values()], axis=0))

    def strange(self, windows: Windows, features: Floats) -> Mapping[str, NDArray[np.bool_]]:
        """What sets topics apart from those of the training, in words, and which rows it does: [n] each."""
        posts = np.nan_to_num(windows.counts)
        return {
            f"累计不足{MIN_TOTAL}帖": posts.sum(1) < MIN_TOTAL,
            f"近{HORIZON}小时不足{MIN_RECENT}帖": posts[:, -HORIZON:].sum(1) < MIN_RECENT,
            f"近{HORIZON}小时有数据缺失": np.isnan(windows.counts[:, -HORIZON:]).any(axis=1),
            f"话题已超过{MAX_AGE}小时": windows.length > MAX_AGE,
            "规模超出训练数据": ~(self.size(features) <= self.limit),
            "走势更像热搜话题": self.kind(features) < EVEN,
        }

    def predict(self, volumes: Sequence[Volume]) -> list[EscalationResult]:
        """Answer volumes that carry `counts`; one result each, in their order."""
        windows = windows_of(volumes)
        features = design(count_features(windows, self.diurnal), self.names)
        strange = {**self.strange(windows, features), COARSE: np.array([v.interval_minutes > 60 for v in volumes])}
        inside = ~np.any([*strange.values()], axis=0)
        why = [[what for what, rows in strange.items() if rows[i]] for i in range(len(volumes))]
        rows = zip(volumes, windows.known.tolist(), why, said_of(windows), strict=True)
        return self.answers(features, inside, [self._observed(*row) for row in rows], volumes)

    def _observed(self, volume: Volume, hours: int, why: Sequence[str], said: Mapping[str, float]) -> Observed:
        """`hours`: those that are known; bins shorter than an hour are no observations of their own. `why` it is out of
        domain."""
        counts = _held(volume, "counts")
        unread = unread_hours(counts, volume.interval_minutes)
        absent = tuple(name for name in self._optional if {*_held(volume, name)} <= {None})
        return Observed(
            n_obs=min(hours, sum(count is not None for count in counts)),
            missing=(*absent, "counts") if unread or None in counts else absent,
            warnings=tuple(_told(volume, hours, unread, self._optional, why)),
            said=said,
        )

    @cached_property
    def _optional(self) -> tuple[str, ...]:
        """Optional arrays that this model has learnt to read."""
        return tuple(name for name, prefix in OPTIONAL.items() if any(n.startswith(prefix) for n in self.names))
