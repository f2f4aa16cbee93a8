"""Laws of the perturbations: same seed same copy, rate 0 changes nothing, what carries the meaning stays."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from time import process_time

import pytest
from altered import edited
from hypothesis import given
from hypothesis import strategies as st

from data.errors import ConfigError
from data.normalise import LINK, normalise
from data.perturb import PERTURBATIONS, all_perturbed, perturb
from data.perturb_tables import DEFAULT_PATH, load_tables
from data.records import MAX_TEXT
from data.samples import sample_examples

TABLES = load_tables()
LINKS = ("http://t.cn/RxA1b2", "https://weibo.com/a?b=1&c=2", "www.example.com/x", "@某某客服 ")
PARTS = [
    *LINKS,
    "退款",
    "投诉",
    "假货",
    "骗子",
    "客服",
    "不要",
    "没有",
    "500元",
    "３天",
    "一万",
    "“好”",
    "。",
    "，",
    " ",
    "😡",
    "abc",
]
POSTS = st.one_of(st.text(), st.lists(st.one_of(st.sampled_from(PARTS), st.text(max_size=3))).map("".join))
PLAIN = st.lists(st.sampled_from([*PARTS, "，", "！", "：", "x", "Y"])).map("".join)
NAMES = st.sampled_from([*PERTURBATIONS])
SEEDS = st.integers(0, 9)
TYPED = [name for name in PERTURBATIONS if name != "long_copy"]  # nothing is added around the text
SAMPLES = [example.text for example in sample_examples()]

every = pytest.mark.parametrize("name", [*PERTURBATIONS])


@given(POSTS, NAMES, SEEDS)
def test_the_same_seed_gives_the_same_copy(post: str, name: str, seed: int) -> None:
    assert perturb(post, name, seed) == perturb(post, name, seed)
    assert all_perturbed(["a", post], name, seed)[::-1] == all_perturbed([post, "a"], name, seed)


@every
def test_the_seed_of_another_process_is_the_same(name: str) -> None:
    ones = [PERTURBATIONS[name](SAMPLES[0], Random(3), rate) for rate in (0.5, 1.0)]
    assert ones == [PERTURBATIONS[name](SAMPLES[0], Random(3), rate) for rate in (0.5, 1.0)]


@pytest.mark.parametrize("name", ["homophones", "inserted_symbols", "typos", "long_copy", "pinyin_initials"])
def test_another_seed_gives_other_copies(name: str) -> None:
    assert all_perturbed(SAMPLES, name, 1) != all_perturbed(SAMPLES, name, 2)


@given(POSTS, NAMES, SEEDS)
def test_rate_0_is_the_identity(post: str, name: str, seed: int) -> None:
    assert perturb(post, name, seed, 0.0) == post


@given(POSTS, NAMES, SEEDS, st.sampled_from([0.3, 1.0]))
def test_a_copy_is_a_post(post: str, name: str, seed: int, rate: float) -> None:
    copy = perturb(post, name, seed, rate)
    assert len(copy) <= MAX_TEXT
    assert copy or not post
    again = normalise(copy).text
    assert normalise(again).text == again


@given(POSTS, st.sampled_from(TYPED), SEEDS)
def test_digits_stay(post: str, name: str, seed: int) -> None:
    def digits(text: str) -> list[int]:
        return [int(char) for char in text if char.isdecimal()]

    assert digits(perturb(post, name, seed, 1.0)) == digits(post)


@given(POSTS, st.sampled_from(TYPED), SEEDS)
def test_amounts_and_negations_stay(post: str, name: str, seed: int) -> None:
    def kept(text: str) -> list[str]:
        forms = TABLES.words["traditional"].forms
        return [forms.get(char, char)[0] for char in text if char in TABLES.kept + "萬億別沒"]

    assert kept(perturb(post, name, seed, 1.0)) == kept(post)


@given(PLAIN, st.sampled_from(LINKS), PLAIN, NAMES, SEEDS)
def test_links_and_mentions_stay(before: str, link: str, after: str, name: str, seed: int) -> None:
    post = f"{before}，{link}，{after}"
    copy = perturb(post, name, seed, 1.0)
    assert link.strip() in copy
    assert normalise(copy).text.count(LINK) >= normalise(post).text.count(LINK)


@given(PLAIN, SEEDS)
def test_full_width_is_nothing_to_the_model(post: str, seed: int) -> None:
    assert normalise(perturb(post, "full_width", seed)).text == normalise(post).text
    assert not re.search("[A-Za-z0-9]", perturb("退款500元abc", "full_width", seed))


@given(POSTS, SEEDS)
def test_a_long_copy_holds_the_text(post: str, seed: int) -> None:
    assert post in perturb(post, "long_copy", seed, 1.0)


@pytest.mark.parametrize(
    ("name", "post", "copies"),
    [
        ("homophones", "退款", {"腿款", "推款"}),
        ("split_characters", "骗", {"马扁"}),
        ("pinyin_initials", "拼多多客服", {"pddkf"}),
        ("emoji_for_words", "生气", {"😡"}),
        ("full_width", "a1!", {"ａ１！"}),
        ("half_width", "ａ１！“。”", {'a1!"."'}),
        ("traditional", "头发没发货", {"頭髮沒發貨"}),
        ("inserted_symbols", "假货", {f"假{symbol}货" for symbol in TABLES.symbols}),
        ("typos", "客服", {"服客", "客", "客服服", "容服", "客报"}),
    ],
)
def test_known_copies(name: str, post: str, copies: set[str]) -> None:
    assert {perturb(post, name, seed, 1.0) for seed in range(300)} == copies


@every
def test_a_full_post_gets_no_longer(name: str) -> None:
    post = ("骗子退款！" * MAX_TEXT)[:MAX_TEXT]
    began = process_time()  # not the clock on the wall: the machine may be busy
    assert len(perturb(post, name, 0, 1.0)) <= MAX_TEXT
    assert process_time() - began < 1


@every
def test_it_finds_something_to_change_in_real_posts(name: str) -> None:
    changed = sum(copy != post for post, copy in zip(SAMPLES, all_perturbed(SAMPLES, name, 0), strict=True))
    assert changed >= len(SAMPLES) / 10


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="unknown perturbation 'martian': use one of homophones, "):
        perturb("退款", "martian", 0)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("homophones", 150),
        ("split_characters", 80),
        ("pinyin_initials", 80),
        ("emoji_for_words", 60),
        ("traditional", 600),
    ],
)
def test_a_table_is_large_enough_and_loses_no_amount_or_negation(name: str, size: int) -> None:
    forms = TABLES.words[name].forms
    assert len(forms) >= size
    for key, others in forms.items() if name != "traditional" else ():
        kept = [char for char in key if char in TABLES.kept]
        assert all([char for char in other if char in TABLES.kept] == kept for other in others), key


def test_every_perturbation_has_a_rate_and_every_table_a_perturbation() -> None:
    assert set(TABLES.rates) == set(PERTURBATIONS)
    assert all(0 < rate <= 1 for rate in TABLES.rates.values())
    assert set(TABLES.words) <= set(PERTURBATIONS)
    assert not set(TABLES.like_shapes) & set(TABLES.kept)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("退款=腿款/推款", "退款=腿款/退款", "退款=腿款/退款: each form must be new"),
        ("退款=腿款/推款", "退款=腿款/腿款", "each form must be new"),
        ("退款=腿款/推款", "退款=", "each form must be new"),
        ("退款=腿款/推款", "退款=腿款 退款=推款", "homophones: '退款' stands twice"),
        ("骗=马扁", "骗=马扁 骗=马户", "split_characters: '骗' stands twice"),
        ("万=萬", "万=万", "traditional: 万=万: "),
        ("土士", "土士 土工", "like_shapes: '土' stands twice"),
        ("土士", "土", "like_shapes: 土: a group needs two"),
        ("typos = 0.1", "typos = 1.1", r"rates.*typos"),
        ("kept =", "keep =", r"perturb\.toml"),
    ],
)
def test_a_faulty_table_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_tables(edited(DEFAULT_PATH, tmp_path, old, new))
