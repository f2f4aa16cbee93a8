"""Laws of masking: same length, idempotent, nothing outside the spans moves, and no planted number survives."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented import CARD_16, CARD_19, ID, ID_X, grouped, wrong

from data.masking import Span, mask
from data.masking_rules import HAN
from data.perturb import perturb
from data.simplify import simplify

PARTS = [
    *["13812345678", "138", "1234", "5678", "+86", "0086", "0", "010", "6551", "0755", "400", "95588", "2024-01-01"],
    *["微信", "vx", "加V", "QQ", "扣扣", "号", "id", ":", "是", "护照", "E12345678", "订单号", "zhang_san1", "abcdef"],
    *["a.b", "@", "qq.com", "13912345678.com", "京A", "12345", "D", "警", "·", " ", "-", "\u200b", "\ufe0f\u20e3"],
    *["一三八", "一二三四", "五六七八", "(at)", "#", "电话", "身份证", "卡号", "车牌", "准考证", "薇", "(138)"],
    *["*", "***", "１", "８", "٣", "😀", "元", "x", ID, ID_X, ID[:6], CARD_16, CARD_19, grouped(CARD_16), CARD_19[:3]],
]
POSTS = st.one_of(st.text(), st.lists(st.one_of(st.sampled_from(PARTS), st.text(max_size=2)), max_size=25).map("".join))
MOBILES = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
FORMS = st.sampled_from([("", ""), ("", "-"), ("", " "), ("+86", ""), ("+86 ", "-"), ("0086-", " ")])
EDGES = st.sampled_from(["。", "号", "x", "/", ":", "@", ".", "*", "****", "微信", "QQ", "😀", "订单号", "\n"])
WIDE = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}


@pytest.mark.parametrize(
    "post",
    [
        f"身份证号{wrong(ID)}",
        f"银行卡号：{wrong(CARD_19)}",
        f"储蓄卡 {grouped(wrong(CARD_16))}",
        "护照号码：E12345678，港澳通行证H12345678，台胞证12345678，准考证号12345678，医保卡号A1234567",
        "车牌号为苏A12345，粤B12345、琼C12345、陕E12345",
        "电话：65512345，手机号码：1-351-2345678，联系19912345678元",
        "微信号：zhangsan，QQ号码：123456789，帐号6222021234567890",
        f"订单号{CARD_16}，营收19912345678，金额：13912345678，市值18912345678.50元，占比19912345678%",
    ],
)
def test_traditional_characters_hide_the_same_places(post: str) -> None:
    traditional = perturb(post, "traditional", 0).translate(str.maketrans("银医赣苏琼陕占", "銀醫贛蘇瓊陝佔"))
    assert traditional != post == simplify(traditional)
    masked = mask(post)
    assert [char == "*" for char in masked.text] == [char == "*" for char in mask(traditional).text]
    assert mask(traditional).spans == masked.spans


def test_several_in_one_post_and_one_inside_another() -> None:
    post = f"张三{ID}，13812345678/13912345678，x@13712345678.com"
    masked = mask(post)
    assert masked.text == f"张三110**************{ID[-1]}，138****5678/139****5678，*@137****5678.com"
    assert [span.kind for span in masked.spans] == ["id_card", "mobile", "mobile", "email"]
    assert post[masked.spans[3].start : masked.spans[3].end] == "x@13712345678.com"


def test_identifiers_that_touch_stay_two() -> None:
    masked = mask("13812345678京A12345")
    assert masked.text == "138****5678京A****5"
    assert masked.spans == (Span("mobile", 0, 11), Span("plate", 11, 18))


@given(POSTS)
def test_length_order_and_everything_outside_the_spans_stay(post: str) -> None:
    masked = mask(post)
    assert len(masked.text) == len(post)
    inside = [place for span in masked.spans for place in range(span.start, span.end)]
    assert inside == sorted(set(inside))
    changed = {place for place, (old, new) in enumerate(zip(post, masked.text, strict=True)) if old != new}
    assert changed <= set(inside)
    assert {masked.text[place] for place in changed} <= {"*"}
    assert all(changed & set(range(span.start, span.end)) for span in masked.spans)


@given(POSTS)
def test_idempotent(post: str) -> None:
    once = mask(post).text
    again = mask(once)
    assert again.text == once
    assert again.spans == ()


@given(POSTS, EDGES, MOBILES, FORMS, st.booleans(), EDGES, POSTS)
def test_a_planted_mobile_never_survives(
    before: str, left: str, mobile: str, form: tuple[str, str], wide: bool, right: str, after: str
) -> None:
    start, gap = form
    prefix, number = before + left + start, mobile[:3] + gap + mobile[3:7] + gap + mobile[7:]
    masked = mask(prefix + (number.translate(WIDE) if wide else number) + right + after)
    middle = len(prefix + mobile[:3] + gap)
    assert masked.text[middle : middle + 4] == "****"
    assert any(span.start <= middle and middle + 4 <= span.end for span in masked.spans)


@given(st.text(st.characters(exclude_categories=["Nd"], exclude_characters="@＠#＃信微薇vVwWｖＶｗＷ❤艾tTｔＴ" + HAN)))
def test_without_digits_at_signs_and_cues_nothing_changes(post: str) -> None:
    assert mask(post).text == post


PIECES = (
    *(
        "1",
        "1 ",
        "1-",
        "13812345678",
        "13812345678 ",
        "138-",
        "138-1234-",
        "6222 ",
        "0755 ",
        "07555678 ",
        "+86",
        "1\u200b",
    ),
    *(
        "a",
        "a.",
        "a@",
        "a@b.",
        "+.a",
        "京A1",
        "护照",
        "qq ",
        "vx:a-",
        "加微信: ",
        "订单号",
        "单号a",
        "https://a/",
        "http://1",
    ),
    *("a#", "a (at", "一", "一 ", "电话1-3", "卡号1234 ", "1234 5678 ", "(12345) ", "*", "1*", "😀1"),
)


@pytest.mark.parametrize("piece", PIECES)
def test_a_hundred_thousand_characters_of_anything_are_quick(piece: str) -> None:
    began = process_time()
    mask((piece * 100_000)[:100_000])
    assert process_time() - began < 5  # a pattern that backtracks takes minutes


@pytest.mark.parametrize(
    "post", ["1" * 10_000, "😀" * 2_500_000, "😀" * 2_500_000 + "1"], ids=["digits", "emoji", "both"]
)
def test_hostile_posts_take_linear_time(post: str) -> None:
    began = process_time()
    assert mask(post).text == post
    assert process_time() - began < 30


@pytest.mark.parametrize("space", ["\t", "\n", "\r\n", "\u2028", "\x0b"])
@pytest.mark.parametrize(("cue", "number"), [("QQ：", "123456789"), ("微信号", "zhangsan88"), ("电话", "65512345")])
def test_a_form_keeps_no_number_on_the_line_or_in_the_column_after_its_cue(cue: str, number: str, space: str) -> None:
    masked = mask(f"姓名{space}{cue}{space}{number}")
    assert number not in masked.text
    assert masked.text.startswith(f"姓名{space}{cue}{space}")


@given(MOBILES, st.sampled_from(["①②③④⑤⑥⑦⑧⑨", "¹²³⁴⁵⁶⁷⁸⁹", "❶❷❸❹❺❻❼❽❾"]))
def test_a_mobile_in_enclosed_or_raised_digits_is_one(mobile: str, digits: str) -> None:
    zero = {"①": "⓪", "¹": "⁰", "❶": "⓿"}[digits[0]]
    written = mobile.translate(str.maketrans("0123456789", zero + digits))
    assert mask(f"加我{written}").text == f"加我{written[:3]}****{written[7:]}"


def test_enclosed_digits_that_number_a_list_stay() -> None:
    for text in ("①质量差②客服差③不退款", "共①②③④⑤⑥⑦⑧⑨⑩条", "①2024年②500元"):
        assert mask(text).text == text
