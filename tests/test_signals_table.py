"""A lexicon of one's own: what it may hold, and what is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from altered import edited

from data.errors import ConfigError
from data.signals import SignalLexicon
from data.signals_table import DEFAULT_PATH, WATCH_WORD


def test_a_lexicon_without_figures_of_speech_is_one(tmp_path: Path) -> None:
    text = DEFAULT_PATH.read_text(encoding="utf-8")
    start = text.index("figurative = ")
    path = edited(DEFAULT_PATH, tmp_path, text[start : text.index("]", start) + 1], "")
    assert SignalLexicon.load(path).find("这款相机曝光补偿")[0].words[0].text == "曝光"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("negation = [", "negation = [3, ", r"negation\[0\]"),
        ("affirming = [", "confirming = [", "affirming"),
        ('id = "media_involved"\n', "", r"signal\[1\]\.id"),
        ('name = "人身伤害"\nwords = [', 'name = "人身伤害"\nwords = ["", ', r"signal\[2\]\.words\[0\]"),
        ("[[signal]]", "[[signal", "signals.toml"),
    ],
)
def test_a_faulty_file_is_refused_with_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        SignalLexicon.load(edited(DEFAULT_PATH, tmp_path, old, new))


def test_a_word_of_which_normalisation_leaves_nothing_is_refused(tmp_path: Path) -> None:
    path = edited(DEFAULT_PATH, tmp_path, '"央视", ', '"央视", "\\u200b", ')
    with pytest.raises(ConfigError, match=r"'\\u200b' .* nothing"):
        SignalLexicon.load(path)


WRITTEN = """
negation = ["沒有", "ＮＯ "]
between = ["發生"]
affirming = ["會不會"]
[[signal]]
id = "injury"
name = "傷害"
words = ["中毒", "受傷"]
"""


def test_all_words_of_an_own_lexicon_may_be_in_traditional_characters_and_full_width(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(WRITTEN, encoding="utf-8")
    lexicon = SignalLexicon.load(path)
    for text in ("沒有中毒", "没有中毒", "没有发生中毒", "沒有發生受傷", "no中毒", "ＮＯ中毒"):
        assert lexicon.find(text) == (), text
    for text in ("會不會中毒", "会不会中毒", "有人受傷", "有人受伤"):
        assert [signal.id for signal in lexicon.find(text)] == ["injury"], text


@pytest.mark.parametrize("name", ["negation", "between", "affirming"])
def test_a_negation_of_which_normalisation_leaves_nothing_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="leaves nothing"):
        SignalLexicon.load(edited(DEFAULT_PATH, tmp_path, f"{name} = [", f'{name} = ["\\u200b", '))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("figurative = [", "figuratives = [", "figuratives"),
        ('name = "媒体介入"', 'name = "媒体介入"\nraise_to = 2', r"signal\[1\]\.raise_to"),
        ('id = "media_involved"', 'id = "regulator_involved"', "id 'regulator_involved' is taken"),
        ('id = "media_involved"', f'id = "{WATCH_WORD}"', f"id '{WATCH_WORD}' is taken"),
    ],
)
def test_a_lexicon_that_would_not_do_what_it_says_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigError, match=rf"signals\.toml: .*{told}"):
        SignalLexicon.load(edited(DEFAULT_PATH, tmp_path, old, new))


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ('[[signal]]\nid = "media"\nname = "媒體"\nwords = ["记者", "受伤"]\n', "'受伤' of media is a word of another"),
        ('[[signal]]\nid = "media"\nname = "媒體"\nwords = ["记者"]\n', None),
        ('figurative = ["中毒"]\n', "'中毒' is figurative, too"),
        ('figurative = ["中毒太深"]\n', None),
    ],
)
def test_a_word_of_two_minds_is_refused_however_it_is_written(tmp_path: Path, other: str, told: str | None) -> None:
    path = tmp_path / "own.toml"
    path.write_text(WRITTEN + other if "signal" in other else other + WRITTEN, encoding="utf-8")
    if told is None:
        SignalLexicon.load(path)
    else:
        with pytest.raises(ConfigError, match=f"^signals: {told}"):
            SignalLexicon.load(path)


LONGER = """
negation = ["没"]
between = ["再"]
affirming = ["没完"]
[[signal]]
id = "media"
name = "媒体"
words = ["记者", "央视", "律师"WORDS]
"""


@pytest.mark.parametrize("text", ["新闻记者从现场", "记者从现场", "央视新闻频道", "央视新闻", "律师事务所律师"])
def test_a_longer_word_takes_no_place_from_a_shorter_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.toml"
    starts = []
    for longer in ("", ', "记者从", "央视新闻", "律师事务所"'):
        path.write_text(LONGER.replace("WORDS", longer), encoding="utf-8")
        starts.append([word.start for signal in SignalLexicon.load(path).find(text) for word in signal.words])
    assert starts[0] == starts[1] != []


def test_a_lexicon_may_hold_counts_only(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(LONGER.replace('"记者", "央视", "律师"WORDS', '"0起投诉"'), encoding="utf-8")
    (signal,) = SignalLexicon.load(path).find("当天有12起投诉，没3起投诉")
    assert [word.text for word in signal.words] == ["12起投诉"]


@pytest.mark.parametrize("word", ["0", "00后", "０", "007"])
def test_a_number_alone_is_no_word(tmp_path: Path, word: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(LONGER.replace('"记者", "央视", "律师"WORDS', f'"{word}"'), encoding="utf-8")
    with pytest.raises(ConfigError, match=f"'{word}': a 0 at the head is any whole number"):
        SignalLexicon.load(path)
