"""Settings of a deployment: environment, flags over it, and a faithful way into a child process."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from altered import edited

from data import respell, signals_table
from data.errors import BundleError, ConfigError
from serving.live import Live, load_tested
from serving.scoring import check_bundle
from serving.settings import Settings


def test_defaults_and_environment() -> None:
    assert Settings.from_env({}) == Settings()
    env = {"YUJING_ENGINE": "torch", "YUJING_THREADS": "2", "YUJING_BUNDLE": "b", "OTHER": "x"}
    assert Settings.from_env(env) == Settings(bundle=Path("b"), engine="torch", threads=2)


def test_a_flag_wins_over_the_environment() -> None:
    env = {"YUJING_BUNDLE": "b", "YUJING_WATCH_WORDS": "w"}
    assert Settings.from_env(env, bundle=Path("c"), watch_words=None) == Settings(
        bundle=Path("c"), watch_words=Path("w")
    )


def test_to_env_is_the_way_back(tmp_path: Path) -> None:
    settings = Settings(bundle=tmp_path, watch_words=tmp_path / "w", engine="torch", threads=3)
    assert Settings.from_env(settings.to_env()) == settings


def test_keys_limits_and_public_groups_come_through_the_environment(tmp_path: Path) -> None:
    settings = Settings(
        keys_file=tmp_path / "k",
        keys="a  score  0",
        max_body=4096,
        rate=0,
        public=(),
        anonymous=True,
        calibration_days=30,
    )
    assert Settings.from_env(settings.to_env()) == settings
    assert Settings.from_env({"YUJING_PUBLIC": "probes, metrics"}).public == ("probes", "metrics")
    assert Settings.from_env({"YUJING_PUBLIC": "none", "YUJING_ANONYMOUS": "false"}).public == ()


def test_a_child_does_not_inherit_what_is_not_set() -> None:
    assert Settings.from_env({"YUJING_KEYS": "theirs", **Settings().to_env()}) == Settings()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("YUJING_ENGINE", "gpu", "'int8', 'bf16', 'onnx' or 'torch'"),
        ("YUJING_THREADS", "-1", "greater than or equal to 0"),
        ("YUJING_THREADS", "two", "valid integer"),
        ("YUJING_THREADS", "99999999999999999999", "less than or equal to 1024"),
        ("YUJING_PUBLIC", "probes,everything", "'probes', 'metrics' or 'docs'"),
        ("YUJING_RATE", "nan", "finite number"),
        ("YUJING_CONCURRENCY", "0", "greater than or equal to 1"),
        ("YUJING_ANONYMOUS", "perhaps", "valid boolean"),
    ],
)
def test_an_unusable_value_is_named_with_its_variable_and_what_was_expected(
    name: str, value: str, expected: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        Settings.from_env({name: value, "YUJING_BURST": "3"})
    assert str(raised.value).startswith(f"{name} is '{value}': ")
    assert expected in str(raised.value)


def test_a_wrong_flag_is_no_variable_and_a_secret_is_not_repeated() -> None:
    with pytest.raises(ConfigError, match=r"^--threads is 'two': .*; --keys is '7': "):
        Settings.from_env({"YUJING_THREADS": "1"}, threads="two", keys_file=7)
    with pytest.raises(ConfigError, match=r"^--keys: Input should be a valid string") as raised:
        Settings.from_env({}, keys=["yj_secret"])
    assert "yj_secret" not in str(raised.value)


def test_watch_words_are_lines_without_comments(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("\ufeff极光商城\n\n# 注释\n 小鹿鲜奶 \n", encoding="utf-8")
    assert Settings(watch_words=path).read_watch_words() == ["极光商城", "小鹿鲜奶"]
    assert Settings().read_watch_words() == []


@pytest.mark.parametrize("content", [None, "词".encode("gb18030")])
def test_an_unreadable_word_list_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "words.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"^YUJING_WATCH_WORDS or --watch-words: .*words\.txt: .* UTF-8 text file$"):
        Settings(watch_words=path).read_watch_words()


def test_a_watch_word_that_no_post_can_hold_is_refused_before_the_start(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("极光商城\n看 https://t.cn/x\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"^YUJING_WATCH_WORDS or --watch-words: .*words\.txt: .* holds a link"):
        check_bundle(Settings(watch_words=path))


def test_a_bundle_that_is_none_is_told_with_the_setting_that_leads_to_it(tmp_path: Path) -> None:
    settings = Settings(bundle=tmp_path)
    for start in (check_bundle, lambda given: Live(given, load_tested)):
        with pytest.raises(BundleError, match=r"^YUJING_BUNDLE or --bundle: .*: no readable manifest"):
            start(settings)


def test_a_faulty_policy_is_refused_before_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policy.toml").write_text("version = ", encoding="utf-8")
    monkeypatch.setattr("models.policy.DEFAULT_PATH", tmp_path / "policy.toml")
    with pytest.raises(ConfigError, match=r"policy\.toml: .*: give a readable policy table"):
        check_bundle(Settings())


def test_a_faulty_lexicon_is_refused_before_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = edited(signals_table.DEFAULT_PATH, tmp_path, '"央视曝光",', '"央视曝光", "公安局",')
    monkeypatch.setattr(signals_table, "DEFAULT_PATH", path)
    with pytest.raises(ConfigError, match=r"^signals: '公安局' of media_involved is a word of another signal"):
        check_bundle(Settings())


def test_a_faulty_table_of_disguises_is_refused_before_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = edited(respell.DEFAULT_PATH, tmp_path, "tk=退款", "tk=退款 tk=投诉")
    monkeypatch.setattr(respell, "load_respelling", partial(respell.load_respelling, path))
    with pytest.raises(ConfigError, match=r"respell\.toml: respelling: initials tk=: expected each once"):
        check_bundle(Settings())
