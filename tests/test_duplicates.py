"""Laws of near-duplicate groups: equal posts share one, chains share one, order and company do not matter."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.duplicates import BLOCK, components, near_any, near_duplicate_groups

POST = "这家店的充电宝用了两天就鼓包漏电，客服一直推脱不给退款，大家千万不要买"
OTHER = "今天公园里的花都开了，带着孩子出来走走，心情特别好"
TEXTS = st.lists(st.text("退款客服不给", max_size=8), max_size=12)


def _partition(groups: Sequence[int]) -> set[frozenset[int]]:
    return {frozenset(i for i, group in enumerate(groups) if group == one) for one in set(groups)}


@pytest.mark.parametrize(
    "twin",
    [
        POST,
        f"  {POST}\n",
        POST.replace("，", ","),
        POST[:9] + "\u200b" + POST[9:],
        POST + "！",
        POST.replace("两天", "三天"),
        POST + "退款" * 10,  # a shingle counts once, however often it is said
    ],
)
def test_posts_that_say_the_same_share_a_group(twin: str) -> None:
    assert near_duplicate_groups([POST, OTHER, twin]) == [0, 1, 0]


def test_links_and_mentions_are_no_difference() -> None:
    texts = [f"{POST} @某人 https://a.cn/{i}" for i in range(3)]
    assert near_duplicate_groups(texts) == [0, 0, 0]


def test_short_equal_posts_share_a_group_and_others_do_not() -> None:
    assert near_duplicate_groups(["好", "坏", "好", "", " ", "退款"]) == [0, 1, 0, 2, 2, 3]


def test_no_texts_have_no_groups() -> None:
    assert near_duplicate_groups([]) == []
    assert near_any([], [POST]).tolist() == []
    assert near_any([POST, "好"], []).tolist() == [False, False]


@pytest.mark.parametrize(
    ("text", "twin"),
    [
        ("ＯＰＰＯ手机ＲＥＮＯ８充电口烧了", "OPPO手机RENO8充电口烧了"),
        ("充电口烧了 https://a.cn/1x8", "充电口烧了 http://b.example.com/page?q=17"),
        ("@某人 充电口烧了", "@另一个用户 充电口烧了"),
        ("這個賣家賣給我的充電寶漏電燒傷了手，客服態度極差", "这个卖家卖给我的充电宝漏电烧伤了手，客服态度极差"),
        ("差評", "差评"),
        ("差评", "差评"),
        ("差评", " 差评\n"),
        ("", " "),
    ],
)
def test_a_held_out_post_is_known_again_however_it_is_written(text: str, twin: str) -> None:
    assert near_any([OTHER, text], [POST, twin]).tolist() == [False, True]
    assert near_duplicate_groups([text, twin]) == [0, 0]


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_near_any_is_a_pair_in_one_group(texts: list[str], others: list[str]) -> None:
    for text, near in zip(texts, near_any(texts, others), strict=True):
        assert near == any(near_duplicate_groups([text, other]) == [0, 0] for other in others)


def test_a_chain_of_near_duplicates_is_one_group() -> None:
    chain = [POST[i:] + OTHER[:i] for i in range(0, 25, 2)]
    assert set(near_duplicate_groups(chain)) == {0}
    assert near_duplicate_groups([chain[0], chain[-1]]) == [0, 1]


@given(TEXTS, st.randoms(use_true_random=False))
def test_the_order_of_posts_does_not_matter(texts: list[str], random: object) -> None:
    order = list(range(len(texts)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = near_duplicate_groups([texts[i] for i in order])
    back = [shuffled[order.index(i)] for i in range(len(texts))]
    assert _partition(back) == _partition(near_duplicate_groups(texts))


@given(TEXTS)
def test_groups_are_numbered_by_first_appearance(texts: list[str]) -> None:
    seen = list(dict.fromkeys(near_duplicate_groups(texts)))
    assert seen == list(range(len(seen)))


@given(TEXTS, st.floats(0.3, 0.95), st.floats(0.3, 0.95))
def test_a_higher_threshold_only_splits_groups(texts: list[str], one: float, other: float) -> None:
    loose = near_duplicate_groups(texts, min(one, other))
    strict = near_duplicate_groups(texts, max(one, other))
    assert all(len({loose[i] for i in part}) == 1 for part in _partition(strict))


def test_pairs_are_found_across_blocks() -> None:
    fillers = [f"第{i * 7919}号帖子{i}说的是{i * i}件别的事" for i in range(BLOCK + 5)]
    groups = near_duplicate_groups([POST, *fillers, POST + "！"], threshold=0.9)
    assert groups == [*range(BLOCK + 6), 0]


def test_pairs_are_found_within_a_later_block() -> None:
    fillers = [f"第{i * 7919}号帖子{i}说的是{i * i}件别的事" for i in range(BLOCK + 5)]
    groups = near_duplicate_groups([*fillers, OTHER, POST, POST + "！", OTHER + "！"], threshold=0.9)
    assert groups == [*range(BLOCK + 7), BLOCK + 6, BLOCK + 5]


def test_a_similarity_at_the_threshold_binds_although_it_is_rounded() -> None:
    texts = ["退款退款退", "款退款退款"]  # the same shingles: a cosine of 1, or the float32 below it
    assert near_duplicate_groups(texts, threshold=1.0) == [0, 0]
    assert near_any(texts[:1], texts[1:], threshold=1.0).tolist() == [True]


def test_components_by_hand() -> None:
    assert components([0, 3, 1], [2, 4, 1], 6) == [0, 1, 0, 2, 2, 3]
    assert components([], [], 2) == [0, 1]
