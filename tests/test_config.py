"""Settings: flags over file over defaults, and every mistake named with what would be right."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from data import perturb_tables, respell, signals_table, taxonomy
from data.errors import ConfigError
from models import policy
from models.policy import Policy
from training.config import load_config, settings_of
from training.escalation_config import EscalationConfig
from training.escalation_simulate_config import SimulateConfig
from training.evaluate_config import EvaluateConfig
from training.hotlist_config import HotlistConfig
from training.text_config import TextConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """Three settings of three types."""

    posts: tuple[str, ...] = ("a.jsonl",)
    share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    seed: int = 7


def toml(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_then_file_then_flags(tmp_path: Path) -> None:
    path = toml(tmp_path, 'share = 0.2\nseed = 8\nposts = ["b.jsonl", "c.jsonl"]')
    assert load_config(Small) == Small()
    assert load_config(Small, path) == Small(share=0.2, seed=8, posts=("b.jsonl", "c.jsonl"))
    assert load_config(Small, path, {"seed": 9}) == Small(share=0.2, seed=9, posts=("b.jsonl", "c.jsonl"))
    assert load_config(Small, None, {"seed": 9}) == Small(seed=9)


def test_a_flag_that_was_not_given_leaves_the_file(tmp_path: Path) -> None:
    assert load_config(Small, toml(tmp_path, "seed = 8"), {"seed": None, "share": 0.5}) == Small(seed=8, share=0.5)


@pytest.mark.parametrize("place", ["file", "flag"])
def test_an_unknown_setting_is_named_with_the_known_ones(tmp_path: Path, place: str) -> None:
    path, flags = (toml(tmp_path, "sede = 8"), {}) if place == "file" else (None, {"sede": 8})
    with pytest.raises(ConfigError, match="unknown setting sede: known are posts, share, seed"):
        load_config(Small, path, flags)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('seed = "many"', "settings of Small: seed='many': .*integer"),
        ("seed = 1.5", "seed=1.5: .*integer"),
        ("share = 1.0", "share=1.0: .*less than 1"),
        ("share = nan", "share=nan: "),
        ("posts = 3", "posts=3: .*tuple"),
        ("posts = [3]", r"posts\[0\]=3: .*string"),
        ("[share]\nvalue = 0.1", "share={'value': 0.1}: .*number"),
        ("seed = " + "[" * 5_000, r"run\.toml: .*recursion.*give a readable TOML file"),
        ("seed = ", r"run\.toml: .*give a readable TOML file"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_config(Small, toml(tmp_path, text))


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"share=2: .*; seed='x': "):
        load_config(Small, toml(tmp_path, 'share = 2\nseed = "x"'))


def test_a_file_that_is_not_there_or_not_utf8_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: .*readable"):
        load_config(Small, tmp_path / "nowhere.toml")
    (tmp_path / "bad.toml").write_bytes(b'posts = ["\xff"]')
    with pytest.raises(ConfigError, match=r"bad\.toml"):
        load_config(Small, tmp_path / "bad.toml")


@pytest.mark.parametrize(
    ("table", "read"),
    [
        (policy.DEFAULT_PATH, Policy.load),
        (signals_table.DEFAULT_PATH, signals_table.signal_names),
        (taxonomy.DEFAULT_PATH, taxonomy.load_taxonomy),
        (respell.DEFAULT_PATH, respell.load_respelling),
        (perturb_tables.DEFAULT_PATH, perturb_tables.load_tables),
    ],
)
def test_a_table_that_an_editor_saved_with_a_mark_before_it_is_read(
    tmp_path: Path, table: Path, read: Callable[[Path], object]
) -> None:
    (tmp_path / table.name).write_bytes(codecs.BOM_UTF8 + table.read_bytes())
    assert read(tmp_path / table.name) == read(table)


def test_settings_that_an_editor_saved_with_a_mark_before_them_are_read(tmp_path: Path) -> None:
    assert load_config(Small, toml(tmp_path, "\ufeffseed = 8")).seed == 8


def test_settings_that_contradict_each_other_are_refused() -> None:
    """One of them would do nothing, unsaid."""
    with pytest.raises(ConfigError, match=r"settings of TextConfig: before and held_out_source hold out different"):
        load_config(TextConfig, flags={"before": "2025-07-01T00:00:00+08:00", "held_out_source": "shop"})
    with pytest.raises(ConfigError, match="settings of TextConfig: start_share is the share of `start`"):
        load_config(TextConfig, flags={"start_share": 0.2})


def test_a_name_in_the_place_of_a_list_is_told_how_to_write_one() -> None:
    with pytest.raises(ConfigError, match=r"posts='mine\.jsonl': .*tuple.*: a list is written \[\"a\", \"b\"\]"):
        load_config(TextConfig, flags={"posts": "mine.jsonl"})


@pytest.mark.parametrize("kind", [TextConfig, EscalationConfig])
def test_defaults_are_valid_and_survive_a_round_trip(kind: type[TextConfig] | type[EscalationConfig]) -> None:
    plain = load_config(kind)
    assert plain == kind()
    assert load_config(kind, flags=asdict(plain)) == plain


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("test", 0.0),
        ("validation", 1.0),
        ("rank", -1),
        ("max_tokens", 4),
        ("pool_after", -1),
        ("max_tokens", 513),
        ("epochs", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("inf")),
        ("label_smoothing", 1.0),
        ("second_weight", 0.5),
        ("rehearsal_share", 1.1),
        ("class_weight_power", -0.1),
        ("token_dropout", 1.0),
        ("bf16", "perhaps"),
    ],
)
def test_settings_out_of_range_are_refused(name: str, value: object) -> None:
    assert name in {field.name for field in fields(TextConfig)}
    with pytest.raises(ConfigError, match=f"settings of TextConfig: {name}={value!r}: "):
        load_config(TextConfig, flags={name: value})


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        *((TextConfig, name, float("inf")) for name in ("weight_decay", "severity_weight")),
        *((kind, "l2", float("inf")) for kind in (EscalationConfig, HotlistConfig)),
        *((SimulateConfig, name, float("inf")) for name in ("miss_cost", "false_alarm_cost")),
        *((kind, "seed", seed) for kind in (TextConfig, EscalationConfig, EvaluateConfig) for seed in (-1, 2**32)),
        *((HotlistConfig, name, 10_000_000) for name in ("calibration_days", "fold_days", "warn_after_days", "folds")),
        *((EscalationConfig, name, 10_000_000) for name in ("recalibrate_days", "warn_after_days")),
    ],
)
def test_what_would_end_in_a_traceback_or_in_no_number_is_refused(kind: type, name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"settings of {kind.__name__}: {name}={value!r}: "):
        load_config(kind, flags={name: value})


@pytest.mark.parametrize("kind", [EscalationConfig, HotlistConfig])
def test_a_bundle_of_a_version_with_a_setting_that_is_gone_keeps_its_other_settings(kind: type) -> None:
    kept = {**asdict(kind(seed=3)), "shift_topics": 4_000}
    assert settings_of(kind, kept, out="elsewhere") == kind(seed=3, out="elsewhere")
    with pytest.raises(ConfigError, match="unknown setting gone"):
        settings_of(kind, kept, gone=1)
