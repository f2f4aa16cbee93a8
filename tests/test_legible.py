"""What the models cannot read is told from ordinary posts, whatever stands in them beside Chinese."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.legible import is_legible
from data.samples import sample_examples


@pytest.mark.parametrize(
    "text",
    [
        "это мошенники, верните деньги",
        "ร้านนี้โกงเงิน ไม่คืนเงิน",
        "이 가게는 사기입니다 환불해 주세요",
        "この店は偽物を売っています、返金してください",
        "the phone exploded and burned my hand",
        "the phone exploded @某店 http://t.cn/x",  # placeholders are Han, and none of the text's
        "é€€æ¬¾ï¼Œå‡è´§",  # UTF-8 read as Latin-1
        "ÎÒÒªÍË¿î",  # GBK read as Latin-1
        "鍋囪揣锛岄€€娆惧晩",  # UTF-8 read as GBK
        "鍋囪揣锛岄��娆惧晩楠楀瓙",
        "\ufffd\ufffd\ufffd\ufffd退款",
        "锟斤拷锟斤拷退款",
    ],
)
def test_what_is_mostly_no_chinese_is_not_legible(text: str) -> None:
    assert not is_legible(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "假货",
        "联通",  # its bytes in GBK are UTF-8, as it happens
        "😡😡😡！！！",
        "iPhone 15",
        "OK",
        "ʕ•ᴥ•ʔ",
        "ありが",
        "http://t.cn/A6x1b2C3abcdefgh",
        "退款。refund please you liars, give me back",
        "買到假貨，客服推諉",
        "一个\ufffd字坏了",
        "ＡＰＰ闪退",
        "12315 12315 12315",
    ],
)
def test_posts_are_legible(text: str) -> None:
    assert is_legible(text)


def test_samples_are_legible() -> None:
    assert [one.text for one in sample_examples() if not is_legible(one.text)] == []


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=5, max_size=5), st.booleans())
def test_han_of_a_few_characters_is_never_taken_for_a_wrong_decoding(text: str, marked: bool) -> None:
    assert is_legible(text + "！" * marked)


@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    assert is_legible(text) in (True, False)
