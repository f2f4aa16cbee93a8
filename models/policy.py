"""The risk policy: the only place that joins severity and likelihood, and says who acts and how fast."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data.errors import ConfigError, InputError
from data.results import RiskResult
from data.rim import read_table
from data.signals_table import signal_names
from data.taxonomy import Taxonomy, load_taxonomy
from models.policy_table import RANKS, UNKNOWN, Level, PolicyTable, SignalRule, faults

DEFAULT_PATH = Path(__file__).parent / "policy.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(PolicyTable):
    """A checked policy table that can assess."""

    @classmethod
    def load(cls, path: Path | None = None, taxonomy: Taxonomy | None = None, signals: Path | None = None) -> Policy:
        """Read and check a table (default: the shipped one); ConfigError names the file and the cell.

        `signals`: file of the lexicon that it stands beside (default: the packaged one). Its categories may be those
        of the packaged taxonomy and of `taxonomy`, that of a bundle which carries its own. A signal of the lexicon that
        the table does not list, such as a user's watch words, tells nobody.
        """
        path, names = path or DEFAULT_PATH, signal_names(signals)
        policy = read_table(cls, path, "policy table")
        categories = dict.fromkeys((*load_taxonomy().ids, *(taxonomy.ids if taxonomy else ())))
        if fault := next(faults(policy, tuple(categories), tuple(names)), None):
            raise ConfigError(f"{path}: {fault}")
        unlisted = {signal: SignalRule(name=name) for signal, name in names.items()}
        return replace(policy, signals=unlisted | {**policy.signals})

    def assess(
        self,
        category: str | None,
        rank: int | None,
        lift: float | None,
        signals: Sequence[str],
        taxonomy: Taxonomy,
        unread: bool = False,
        uncounted: bool = False,
        crossed: bool = False,
    ) -> RiskResult:
        """Join severity `rank` (None without text) and `lift` over the base rate (None without volume).

        `crossed`: the topic is past its alarm line, so that its lift alone would say too little.
        `unread`, `uncounted`: there is a text, a volume, but it could not be scored; the reasons say so.
        Unknown signals are named among the reasons by their id and tell nobody.
        ConfigError for a category that the taxonomy lacks; InputError for a rank outside 0-4, or a
        negative or NaN lift.
        """
        rules = [self.signals.get(signal, SignalRule(name=signal)) for signal in dict.fromkeys(signals)]
        cell = self.matrix[_row(rank)][self.band(lift, crossed)]
        level = self.levels[max([cell, *(rule.raise_to or 0 for rule in rules)])]
        extra = [self.categories.get(category or "", ()), *(rule.notify for rule in rules)]
        return RiskResult(
            rank=level.rank,
            level=level.level,
            name=level.name,
            respond_within_minutes=level.respond_within_minutes,
            notify=self._told(level, extra),
            first_steps=level.first_steps,
            reasons=tuple(self._reasons(category, rank, lift, rules, cell, taxonomy, unread, uncounted, crossed)),
        )

    def contradicted(self, rank: int | None, signals: Sequence[str]) -> bool:
        """Whether one of a text's signals says more than its severity rank: then a person should look."""
        return any(self.signals[signal].contradicts(rank) for signal in signals if signal in self.signals)

    def band(self, lift: float | None, crossed: bool = False) -> int:
        """The matrix column of a lift; the first one is "no volume"."""
        if lift is None:
            return 0
        if not lift >= 0:
            raise InputError(f"lift {lift}: expected at least 0, the probability over its base rate")
        last = len(self.bands) - 1
        own = next((column for column in range(1, last) if lift < self.bands[column].below), last)
        return max(own, self._crossed) if crossed else own

    @property
    def _crossed(self) -> int:
        """The least matrix column of a topic past its alarm line."""
        return 0 if self.crossed is None else [band.id for band in self.bands].index(self.crossed)

    def _times(self, lift: float) -> str:
        """A lift in one decimal, or in as many as keep it in its band: 2.96 is not called 3.0."""
        short = f"{lift:.1f}"
        return short if self.band(float(short)) == self.band(lift) else f"{lift:g}"

    def _told(self, level: Level, extra: Iterable[Iterable[str]]) -> tuple[str, ...]:
        more = [role for roles in extra for role in roles] if level.rank >= self.notify_from else []
        return tuple(dict.fromkeys([*level.notify, *more]))

    def _reasons(
        self,
        category: str | None,
        rank: int | None,
        lift: float | None,
        rules: Sequence[SignalRule],
        cell: int,
        taxonomy: Taxonomy,
        unread: bool,
        uncounted: bool,
        crossed: bool,
    ) -> Iterator[str]:
        unknown = f"{'文本无法评分' if unread else '没有文本'}，严重程度未知"
        yield unknown if rank is None else _severity_reason(rank, taxonomy)
        if category is not None:
            yield f"类别为{taxonomy.categories[taxonomy.index(category)].name}"
        unknown = f"{'声量无法评分' if uncounted else '没有声量数据'}，升级可能性未知"
        yield unknown if lift is None else f"升级可能性为基准的{self._times(lift)}倍"
        if crossed and self.band(lift, crossed) > self.band(lift):
            yield f"话题本轮已过警戒线，声量按“{self.bands[self._crossed].name}”计"
        if rules:
            yield f"文中出现信号：{'、'.join(rule.name for rule in rules)}"
        if against := [rule.name for rule in rules if rule.contradicts(rank)]:
            yield f"信号“{'、'.join(against)}”与判定的严重程度不符，需人工复核"
        for rule in rules:
            if rule.raise_to is not None and rule.raise_to > cell:
                yield f"信号“{rule.name}”使等级至少为{self.levels[rule.raise_to].name}"


def _severity_reason(rank: int, taxonomy: Taxonomy) -> str:
    severity = taxonomy.severities[rank]
    numeral = "" if severity.level == severity.name else f"（{severity.level}级）"
    return f"严重程度为{severity.name}{numeral}"


def _row(rank: int | None) -> str:
    row = UNKNOWN if rank is None else str(rank)
    if row not in (UNKNOWN, *RANKS):
        raise InputError(f"severity rank {rank}: expected 0, 1, 2, 3, 4 or None when there is no text")
    return row


def check_ranks(policy: Policy, taxonomy: Taxonomy) -> None:
    """A policy needs a row for every severity rank; a category that it does not name adds nobody to be told."""
    ranks = len(taxonomy.severities)
    if missing := [str(rank) for rank in range(ranks) if str(rank) not in policy.matrix]:
        raise ConfigError(
            f"the bundle's taxonomy has {ranks} severity ranks, the risk policy no row for {', '.join(missing)}: "
            f"train with ranks 0 to {len(policy.matrix) - 2}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Files of the tables that a deployment may edit; None = the packaged one."""

    policy: Path | None = None
    signals: Path | None = None

    def load_policy(self, taxonomy: Taxonomy) -> Policy:
        """The risk policy, checked against the lexicon and the taxonomy that it stands beside; ConfigError."""
        policy = Policy.load(self.policy, taxonomy, self.signals)
        check_ranks(policy, taxonomy)
        return policy


PACKAGED = Tables()
