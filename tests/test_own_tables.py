"""A risk policy and a lexicon of one's own: read where the settings say, checked before the start, part of a batch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from altered import edited

from data import signals_table
from data.errors import ConfigError
from data.records import Item
from models import policy
from models.bundle import Bundle
from models.scorer import Scorer
from serving.batch.model import LoadScorer, model_identity
from serving.scoring import check_bundle, load_scorer
from serving.settings import Settings

SIGNAL = '[[signal]]\nid = "recall"\nname = "召回"\nwords = ["召回"]\n\n[[signal]]'
RULE = '[signals.recall]\nname = "召回"\nnotify = ["法务"]\nraise_to = 3\n\n[signals.'


@pytest.fixture
def own(tiny_bundle: Bundle, tmp_path: Path) -> Settings:
    lexicon = edited(signals_table.DEFAULT_PATH, tmp_path, "[[signal]]", SIGNAL)
    table = edited(policy.DEFAULT_PATH, tmp_path, "[signals.", RULE)
    return Settings(bundle=tiny_bundle.folder, threads=1, policy=table, signals=lexicon)


def test_answers_follow_the_tables_that_the_settings_name(own: Settings, tiny_scorer: Scorer) -> None:
    check_bundle(own)
    [found] = load_scorer(own).score([Item(text="这批奶粉全部召回")])
    assert [signal.id for signal in found.signals] == ["recall"]
    assert found.risk is not None
    assert (found.risk.rank, "法务" in found.risk.notify) == (3, True)
    [packaged] = tiny_scorer.score([Item(text="这批奶粉全部召回")])
    assert packaged.signals == ()


def test_a_policy_is_checked_against_the_lexicon_beside_it(own: Settings) -> None:
    for start in (check_bundle, load_scorer):
        with pytest.raises(ConfigError, match=r"policy\.toml: .*recall"):
            start(replace(own, signals=None))
        with pytest.raises(ConfigError, match=r"nowhere\.toml: .*: give a readable policy table"):
            start(replace(own, policy=Path("nowhere.toml")))
        with pytest.raises(ConfigError, match=r"nowhere\.toml: .*: give a readable signals lexicon"):
            start(replace(own, policy=None, signals=Path("nowhere.toml")))


def test_a_batch_does_not_go_on_with_what_other_tables_answered(own: Settings) -> None:
    before = model_identity(LoadScorer(own))
    assert model_identity(LoadScorer(replace(own, policy=None, signals=None)))["tables"] != before["tables"]
    assert own.policy is not None
    edited(own.policy, own.policy.parent, "raise_to = 3", "raise_to = 4")
    assert model_identity(LoadScorer(own))["tables"] != before["tables"]


def test_a_worker_reads_them_from_the_environment(own: Settings) -> None:
    assert Settings.from_env(own.to_env()) == own
