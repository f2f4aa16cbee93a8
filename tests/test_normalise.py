"""Laws of normalisation: idempotent, nothing that matters is lost, every span finds its way back."""

import sys
import unicodedata
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.normalise import LINK, MENTION, normalise

ODD_PARTS = [
    "http://",
    "www.",
    "t.cn/",
    "@",
    "网",
    "址",
    "用户",
    "😀",
    "\u200d",
    "\ufe0f",
    "e\u0301",
    "\u1dc2",  # stands between a letter and the accent that it composes with
    "\u0338",
    "ﾞ",
    "ｶ",
    "㈱",
    "…",
    " ",
    "&",
    "&amp;",
    "&lt;",
    "&#x26;",
    "&#65018;",  # a ligature that goes as what is invisible does
    "#38;",
    "&zwj;",
    "nbsp;",
    "<br",
    ">",
    "O网页链接",
    "L",
    "的微博视频",
    "转发微博",
    "//@",
    "收起d",
    "退钱" * 12,
]
POSTS = st.one_of(
    st.text(),
    st.text(st.characters(categories=["Cs", "Cf", "Mn", "Nd", "Zs", "Lo"])),
    st.lists(st.one_of(st.sampled_from(ODD_PARTS), st.text(max_size=3))).map("".join),
)


@pytest.mark.parametrize(
    ("post", "expected"),
    [
        ("ＡＢＣ１２３，全角！", "ABC123,全角!"),
        ("  第一行\n\n第二行\t末尾　", "第一行 第二行 末尾"),
        ("看这里http://t.cn/RxA1b2，快来", f"看这里{LINK},快来"),
        ("见www.example.com/a?b=1 吧", f"见{LINK} 吧"),
        ("在jd.com买的", "在jd.com买的"),
        ("@某某客服 什么时候退款", f"{MENTION} 什么时候退款"),
        ("@某某客服你们到底什么时候给我退款都拖了三个月", "@某某客服你们到底什么时候给我退款都拖了三个月"),
        ("@某某旗舰店卖的面霜是假货！", "@某某旗舰店卖的面霜是假货!"),  # as long as a name, and none
        ("@某某奶茶喝了食物中毒进医院", "@某某奶茶喝了食物中毒进医院"),
        ("@还我血汗钱 今天天气好", f"{MENTION} 今天天气好"),  # a name, if an angry one
        ("@公安部 @某法院", f"{MENTION} {MENTION}"),
        ("@某市监管局 😡", f"{MENTION} 😡"),
        ("@某店卖变质奶粉！ http://t.cn/x", f"@某店卖变质奶粉! {LINK}"),  # nothing else would be said
        ("@某客服，退款！", f"{MENTION},退款!"),
        ("@某咖啡喝出虫子！太恶心了", "@某咖啡喝出虫子!太恶心了"),  # a name does not end a sentence
        ("@某某拖欠工资！没法过年", "@某某拖欠工资!没法过年"),
        ("@还我血汗钱: 转发", f"{MENTION}: 转发"),
        ("@某某官方旗舰店客服 退款//@某某数码官方旗舰店:已处理", f"{MENTION} 退款//{MENTION}:已处理"),
        ("@some_long_name, refund @某某官方旗舰店客服", f"{MENTION}, refund {MENTION}"),
        ("写信到a.b@example.com", "写信到a.b@example.com"),
        ("太差了！！！！！！哈哈哈哈哈", "太差了!!!哈哈哈"),
        ("损失100000元，订单11111111", "损失100000元,订单11111111"),
        ("零\u200b宽\ufeff和\x07控制\ud800字\ue123符", "零宽和控制字符"),
        ("❤️ 👩‍⚕️ 👨‍👩‍👧 1️⃣", "❤️ 👩‍⚕️ 👨‍👩‍👧 1️⃣"),
        ("连\u200d字\ufe0f", "连字"),
        ("好\ufdfa评", "好评"),
        ("看http://t.cn/x，OK。", "看网址,OK。"),
        ("网网网ｈｔｔｐ：／／ｔ．ｃｎ／ｘ", f"网网{LINK}"),  # with the placeholder four of a kind: a second round
        ("退款&nbsp;不给&nbsp，&quot;假货&quot;&#33;&#x597d;&hellip;", '退款 不给 ,"假货"!好...'),
        ("A&amp;B，&amp;amp;lt;，&amp;nbsp;好，&NBSP;好", "A&B,<, 好, 好"),  # escaped once more at each station
        ("看http://t.cn/x&nbsp;退款，t.cn/y<br>假货", f"看{LINK} 退款,{LINK} 假货"),
        ("假&#8203;货&#65018;&#xd800;好", "假 货 好"),
        ("R&D;，AT&T，a&b，&#12 34;，&nosuchname;", "R&D;,AT&T,a&b,&#12 34;,&nosuchname;"),
        ("<p>假货<br/>退款</p><BR >x<img alt=[怒] src='a'>", "假货 退款 x"),
        ("&lt;br&gt;退款", "退款"),
        ("a<b，3<5>2，<某店>，<p 这家店卖假货>，<brand>", "a<b,3<5>2,<某店>,<p 这家店卖假货>,<brand>"),
        ("更多↓L人民日报的微博视频", f"更多↓{LINK}"),
        ("10公里的处罚O网页链接 吧", f"10公里的处罚{LINK} 吧"),
        ("XL人民日报的微博视频，网页链接，他的微博视频", "XL人民日报的微博视频,网页链接,他的微博视频"),
        ("卖假货…展开全文c", "卖假货..."),
        ("卖假货 收起d 还有", "卖假货 还有"),
        ("把衣服收起来，收起dd，展开全文", "把衣服收起来,收起dd,展开全文"),
        ("转发微博//@小明:假货", f"//{MENTION}:假货"),
        ("退钱" * 40 + "我的手被炸伤", "退钱退钱退钱我的手被炸伤"),
        ("差评" * 20, "差评" * 20),
        ("@某店 " * 30, " ".join([MENTION] * 30)),
        ("", ""),
    ],
)
def test_known_forms(post: str, expected: str) -> None:
    assert normalise(post).text == expected


@given(POSTS)
def test_idempotent(post: str) -> None:
    once = normalise(post).text
    assert normalise(once).text == once


@given(POSTS)
def test_result_is_clean_nfkc_with_single_spaces(post: str) -> None:
    text = normalise(post).text
    assert unicodedata.is_normalized("NFKC", text)
    assert text == " ".join(text.split())
    text.encode()  # no lone surrogates


@given(POSTS, st.data())
def test_spans_lie_in_the_post_in_order(post: str, data: st.DataObject) -> None:
    normalised = normalise(post)
    assert len(normalised.starts) == len(normalised.ends) == len(normalised.text)
    start = data.draw(st.integers(0, len(normalised.text)))
    end = data.draw(st.integers(start, len(normalised.text)))
    first, last = normalised.span(start, end)
    assert 0 <= first <= last <= len(post)
    assert (start < end) <= (first < last)
    assert list(normalised.starts) == sorted(normalised.starts)


@given(
    st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)),
    st.sampled_from(["", "！！！！", "\u200b", "\n"]),  # all but the first leave the short way
    st.integers(0, 9),
    st.integers(1, 30),
)
def test_digits_are_never_collapsed(post: str, odd: str, digit: int, times: int) -> None:
    assert str(digit) * times in normalise(post + odd + str(digit) * times).text


def test_a_span_covers_what_it_came_from() -> None:
    post = "　看 http://t.cn/RxA1b2 ！！！！！坏了…退钱\u200b！"
    normalised = normalise(post)

    def back(part: str) -> str:
        start = normalised.text.index(part)
        first, last = normalised.span(start, start + len(part))
        return post[first:last]

    assert back(LINK) == "http://t.cn/RxA1b2"
    assert back("坏了") == "坏了"
    assert back("...") == "…"
    assert back("退钱!") == "退钱\u200b！"
    assert normalised.span(0, len(normalised.text)) == (1, len(post))


def test_a_span_covers_the_whole_entity_or_label_that_it_was() -> None:
    post = "&#20551;&#36135;！<br>退款&amp;amp;赔偿 L某报的微博视频"
    seen = normalise(post)
    assert seen.text == f"假货! 退款&赔偿 {LINK}"
    assert post[slice(*seen.span(0, 2))] == "&#20551;&#36135;"
    assert post[slice(*seen.span(3, 4))] == "<br>"
    assert post[slice(*seen.span(6, 7))] == "&amp;amp;"
    assert post[slice(*seen.span(seen.text.index(LINK), len(seen.text)))] == "L某报的微博视频"


@pytest.mark.parametrize("before", [0, 1, 31, 32, 33, 63])
@pytest.mark.parametrize("unit", ["退钱", "还我钱!", "假货骗子退钱吧"])
def test_a_refrain_of_a_page_is_told_thrice_wherever_it_begins(unit: str, before: int) -> None:
    head = "".join(map(chr, range(0x4E00, 0x4E00 + before)))
    assert normalise(head + unit * 32).text == head + unit * 3
    assert normalise(head + unit * (63 // len(unit))).text == head + unit * (63 // len(unit))


def test_entities_within_entities_are_quick() -> None:
    inner = "&lt;"
    while len(inner) < 4_950:
        inner = f"&#65{'&#65018;' if len(inner) < 5 else inner}018;"
    began = process_time()
    for post in (inner, "&#" * 500 + "51;8;" * 500, "&" + "#65286;" * 700 + "lt;"):
        assert normalise(normalise(post).text).text == normalise(post).text
    assert process_time() - began < 0.5


def test_an_empty_span_stands_where_its_place_was() -> None:
    normalised = normalise("\u200b好\u200b吗\u200b")
    assert normalised.text == "好吗"
    assert [normalised.span(i, i) for i in range(3)] == [(1, 1), (3, 3), (4, 4)]
    assert normalise("\u200b").span(0, 0) == (0, 0)


def test_composed_characters_map_to_their_cluster() -> None:
    normalised = normalise("cafe\u0301好①")
    assert normalised.text == "café好1"
    assert normalised.span(3, 4) == (3, 5)
    assert normalised.span(5, 6) == (6, 7)


@pytest.mark.parametrize(
    ("post", "text", "composed"),
    [("a\u1dc2\u0301bcdef", "á\u1dc2bcdef", 3), ("<\uff9e\u0338\ufe0f好", "≮\u3099好", 3)],
)
def test_a_mark_that_composes_over_another_moves_nothing_behind_it(post: str, text: str, composed: int) -> None:
    normalised = normalise(post)
    assert normalised.text == text
    assert len(normalised.starts) == len(normalised.ends) == len(text)
    assert normalised.span(0, 1) == normalised.span(0, 2) == (0, composed)
    assert [post[slice(*normalised.span(i, i + 1))] for i in range(2, len(text))] == [*text[2:]]


@pytest.mark.parametrize("post", ["foo-.com/abc", "见 a.foo-.cn/x 吧"])
def test_a_link_is_one_whether_or_not_the_text_holds_something_odd(post: str) -> None:
    assert LINK in normalise(post).text
    assert normalise(post + "\u200b").text == normalise(post).text


def test_no_character_becomes_a_text() -> None:
    longest = [one for one in map(chr, range(sys.maxunicode + 1)) if len(unicodedata.normalize("NFKC", one)) > 4]
    assert "\ufdfa" in longest
    for character in longest:
        assert len(normalise(f"好{character}好").text) <= 2 + 6


@pytest.mark.parametrize(
    "piece",
    [
        "好",
        "ab",
        "a.",
        "@a",
        "http://",
        "e\u0301",
        " \n",
        "1",
        "a./",
        "www.",
        "\u200b",
        "㌖",
        "\ufdfa",
        "&",
        "&amp;",
        "amp;",
        "&#",
        "&#65286;",
        "#65286;",
        "&#65018;",
        "<",
        "<p ",
        "<p a=",
        "L好",
        "退钱",
        "差评很差的店吧",
    ],
)
def test_five_thousand_characters_of_anything_are_quick(piece: str) -> None:
    began = process_time()  # not the clock on the wall: the machine may be busy
    normalise((piece * 5_000)[:5_000])
    assert process_time() - began < 0.5


def test_a_character_that_composes_leaves_the_places_of_the_others() -> None:
    """Names of brands come so from macOS; full-width marks stand in nearly every post."""
    post = "某牌Lanco\u0302me买到假货，客服推诿，烂脸，打12315投诉！"
    seen = normalise(post)
    for part in ("假货", "烂脸", "12315"):
        start = seen.text.index(part)
        first, last = seen.span(start, start + len(part))
        assert post[first:last] == part
