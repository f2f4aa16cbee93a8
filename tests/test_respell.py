"""Disguised words become the words themselves, in their places; what is a word of its own stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import ConfigError
from data.respell import load_respelling, readable, respell
from data.respell_check import command
from data.samples import sample_examples
from data.words import singles
from models.evidence import content

TABLE = load_respelling()
SMALL = """
words = "退款 投诉"
kept = ""
initials = ""
[sounds]
tui = "退腿"
kuan = "款"
tou = "投头"
su = "诉素"
"""


def test_a_worked_example() -> None:
    read = "我要投诉你们,客服不给退款,全是假货"
    assert respell("我要头诉你们,课服不给腿款,全是jh") == read
    assert readable("我要頭訴你們，課服不給腿款，全是ｊｈ") == read


@pytest.mark.parametrize(
    "text",
    [
        "他克服了困难，看了片子",  # words of the dictionary, though they sound like 客服 and 骗子
        "薛之谦的演唱会",  # kept: a name
        "路边煎饼加个油条",  # kept: two words
        "TK和tkx，a@tk.cn，3kf",  # no initials of a word: capitals, longer, in an address, in a code
        "投诉退款",
        "xl的有点大，传到pc上，tf卡坏了，晚上8点吃的",  # sizes, computers, cards, and no battery
        "打卡dk第30天，电脑pz推荐一下，tx换了，zj做的",  # initials of other words, too
        "晚安zd，cy大家晚上好，yq期间在xj，sj没电了，pt站，wm都在ks",  # everyday words: 知道, 成员, 疫情, 新疆, 手机
        "买了块 2 tb 硬盘，td退订",
        "没车或不喜欢坐出租车",  # a character that is a word of its own: no 车祸
        "给自己家和爸妈家各买一个",
        "希望能用久点，居家必备之良品",
        "孙颖莎对阵李雨琪，张浩是店长",  # people
        "天茂集团跌停，晶方科技大涨",  # brands
    ],
)
def test_what_is_a_word_of_its_own_stays(text: str) -> None:
    assert respell(text) == text


def test_a_number_before_them_makes_a_size_only_of_what_can_be_one() -> None:
    assert respell("双11 jd买的，2 tb 硬盘在tb买的") == "双11 京东买的，2 tb 硬盘在淘宝买的"


def test_the_longer_word_is_read() -> None:
    assert respell("服物太度很差") == "服务态度很差"


def test_samples_have_hardly_a_disguise() -> None:
    texts = [example.text for example in sample_examples()]
    changed = [text for text in texts if respell(text) != text]
    assert len(changed) <= len(texts) // 50, changed


CHARACTERS = (
    st.sampled_from([*map(chr, TABLE.sounds)]) | st.sampled_from("".join(TABLE.heard.values())) | st.characters()
)


@given(st.text(CHARACTERS, max_size=40))
def test_positions_stay_and_only_what_sounds_alike_changes(text: str) -> None:
    read = respell(text)
    assert len(read) == len(text)
    for old, new in zip(text, read, strict=True):
        assert old == new or old.isascii() or TABLE.sounds[ord(old)] == TABLE.sounds[ord(new)]


def test_a_run_of_chinese_is_cut_once_however_many_disguises_it_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[str] = []

    def counted(run: str) -> set[int]:
        cut.append(run)
        return singles(run)

    monkeypatch.setattr("data.respell.singles", counted)
    assert respell("头诉" * 2_500 + "，课服" * 2) == "投诉" * 2_500 + "，客服" * 2
    assert cut == ["头诉" * 2_500, "课服", "课服"]


@given(st.sampled_from(sorted(TABLE.heard.values())))
def test_every_word_of_the_table_stays(word: str) -> None:
    assert respell(word) == word


def test_evidence_tells_the_disguise_as_the_word_that_it_is() -> None:
    assert [(word.text, word.start) for word in content("找課服推诿")] == [("找", 0), ("課服", 1), ("推诿", 3)]


def test_a_table_of_ones_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "respell.toml"
    path.write_text(SMALL, encoding="utf-8")
    assert load_respelling(path)("腿款") == "退款"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"退款 投诉"', '"退款 腿款"', "sound alike"),
        ('"退款 投诉"', '"退款 发票"', "'发票' needs"),
        ('"退款 投诉"', '"退"', "'退' needs"),
        ('tou = "投头"', 'tou = "投头退"', "退 has two sounds"),
        ('initials = ""', 'initials = "tk=退款 tk=投诉"', "tk=: expected each once"),
        ('initials = ""', 'initials = "tkk=退款"', "tkk=退款"),
        ('initials = ""', 'initials = "fp=发票"', "发票"),
        ('initials = ""', "", "initials"),
    ],
)
def test_a_faulty_table_is_told(tmp_path: Path, old: str, new: str, why: str) -> None:
    path = tmp_path / "respell.toml"
    path.write_text(SMALL.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"respell\.toml.*{why}"):
        load_respelling(path)


def test_of_two_disguises_that_share_a_character_the_first_is_read() -> None:
    table = load_respelling()
    assert [*table.disguised("推牵薪")] == [(0, "退钱")]
    assert [*table.disguised("牵薪")] == [(0, "欠薪")]


def test_what_is_respelt_in_posts_of_ones_own_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["我要头诉", "頭訴無門，jh", "没有什么", "再头诉一次"]
    lines = [*(json.dumps({"text": row}) for row in rows), "{}", "no json"]
    (tmp_path / "posts.jsonl").write_text("\n".join(lines), encoding="utf-8")
    command(tmp_path / "posts.jsonl")
    assert capsys.readouterr().out.splitlines() == ["3\t头诉\t投诉", "1\tjh\t假货", "4 places in 3 of 4 posts"]
