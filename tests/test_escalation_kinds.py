"""Laws of the second kind: earlier topics teach, later ones test, it reaches the fallback and nothing of one kind."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hot_list import START, table, table_of
from rich.console import Console
from second_kind import busy, busy_kind, settings
from self_exciting import CONFIG, model, trained

from data.errors import CorpusError
from data.hot_series import on_record
from data.hot_topics import hot_list_of
from models.escalation import OPTIONAL, SCALED, EscalationModel
from training.escalation_fit import WIDE, fit_model
from training.escalation_kinds import hot_decisions, kind_if_there, kind_of, mixed, read_if_there, taught_by

QUIET = Console(quiet=True)


def _taught() -> EscalationModel:
    _, _, where, table = trained()
    return fit_model(table, where, CONFIG, other=busy_kind())


def test_decisions_on_the_list_are_taken_where_their_topic_was_on_it() -> None:
    start, found = hot_decisions(busy(), 300, 0)
    assert len(found.topic)
    assert len(start) == found.topic.max() + 1
    begins = {(start[topic], end - 6) for topic, end in zip(found.topic, found.end, strict=True)}
    record, first = on_record(busy()), dict[str, float]()
    for name, hour in sorted(record, key=lambda one: -one[1]):
        first[name] = float(hour)
    assert begins <= {(first[name], hour) for name, hour in record}
    assert np.isnan(found.windows.authors).any(axis=1).all()


def test_what_a_topic_gained_while_it_was_off_the_list_is_not_known_before_it_returns() -> None:
    """Off the list in hours 5 and 6, back in hour 7 with 100,300 more; another topic is on record all the time."""
    hours = [hour for hour in range(24) if hour not in (5, 6)]
    rows = [(hour + 0.5, "away", 500.0, None) for hour in hours] + [(h + 0.5, "stays", 400.0, None) for h in range(24)]
    totals = [100.0 * hour + 100_000 * (hour >= 7) for hour in hours] + [100.0 * hour for hour in range(24)]
    hot = hot_list_of(table_of(rows, [(total, total, total) for total in totals]))
    start, found = hot_decisions(hot, 2, 0)
    begin = START.timestamp() / 3600
    assert set(start) == {begin}
    ages = (found.end - 6 - begin).astype(int)
    leaps = found.windows.counts.max(axis=1) > 100
    assert sorted(ages[found.topic == found.topic[leaps][0]].tolist()) == [1, 2, 3, 4, *range(7, 18)]
    assert ages[leaps].min() == 7
    assert {1, 5, 6, 7} <= set(ages[~leaps].tolist())


def test_earlier_topics_teach_and_later_ones_test() -> None:
    kind, embargo = busy_kind(), settings().embargo_hours
    fit, later, test = (kind.decisions.take(getattr(kind.where, name)) for name in ("fit", "calibration", "test"))
    assert fit.end.max() + embargo <= later.start.min()
    assert later.end.max() + embargo <= test.start.min()


def test_a_list_without_topics_before_the_date_teaches_nothing() -> None:
    assert kind_of(busy(), replace(settings(), record_until=date(1990, 1, 1))) is None
    assert read_if_there("nowhere.parquet") is read_if_there(None) is None
    alone = replace(CONFIG, record=None)
    assert taught_by(kind_if_there(alone, QUIET), alone) == {}


def test_a_record_that_teaches_nothing_is_told(tmp_path: Path) -> None:
    """Days after `record_until` did nothing, unsaid; without discussions the error spoke of posts in no file's name."""
    path, told = tmp_path / "list.parquet", io.StringIO()
    rows = [(hour + 0.5, "stays", 400.0, None) for hour in range(24)]
    pq.write_table(table_of(rows, [(100.0 * hour,) * 3 for hour in range(24)]), path)
    config = replace(CONFIG, record=str(path), record_until=date(1990, 1, 1))
    assert kind_if_there(config, Console(file=told, width=300)) is None
    assert "list.parquet: no topic of it begins before record_until=1990-01-01" in told.getvalue()
    column = table().column_names.index("discuss")
    pq.write_table(table().set_column(column, "discuss", pa.nulls(len(table()), pa.int64())), path)
    with pytest.raises(CorpusError, match=r"discussions on .*list\.parquet: no decision: .*; or record=''"):
        kind_if_there(config, QUIET)


def test_no_kind_outweighs_the_own() -> None:
    own, other = (np.zeros((4, 2)), np.zeros(4, int)), (np.ones((9, 2)), np.ones(9, int))
    for share in (0.25, 0.5, 1.0):
        features, labels = mixed(own, other, replace(CONFIG, record_share=share))
        assert labels.sum() == len(features) - 4 == 4 * share
    assert mixed(other, own, replace(CONFIG, record_share=1.0))[1].sum() == 9


def test_the_second_kind_changes_the_fallback_and_its_voice_for_the_own_kind_but_not_the_main_model() -> None:
    _, _, where, table = trained()
    taught, alone, features = _taught(), model(), table.features[where.test]
    none = np.zeros(len(features))
    np.testing.assert_array_equal(taught.main.predict_proba(features), alone.main.predict_proba(features))
    assert (taught.answered(features, none) != alone.answered(features, none)).any()
    _, own, wide = taught.voices
    np.testing.assert_allclose(wide / (own + wide), WIDE)
    assert (alone.voices, alone.outside, alone.gate) == ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), None)


def test_the_fallback_reads_no_size_and_nothing_that_one_kind_only_has() -> None:
    names = _taught().fallback_names
    assert not {*names} & {*SCALED}
    assert not [name for name in names if name.startswith(tuple(OPTIONAL.values()))]


def test_a_row_is_answered_alike_alone_and_in_company() -> None:
    _, _, where, table = trained()
    taught, features = _taught(), table.features[where.test][:20]
    inside = np.arange(20) % 3 > 0
    together = taught.probabilities(features, inside)
    alone = [taught.probabilities(features[i : i + 1], inside[i : i + 1])[0] for i in range(20)]
    np.testing.assert_allclose(together, alone, rtol=1e-12)  # a matrix product rounds by the number of rows
