"""The table of identifiers, by example: what is hidden of each, what stays of it, and what is none."""

import pytest
from invented import CARD_16, CARD_19, ID, ID_X, grouped, id_card, wrong

from data.masking import Span, mask


@pytest.mark.parametrize(
    ("kind", "number", "expected"),
    [
        ("mobile", "13812345678", "138****5678"),
        ("mobile", "138-1234-5678", "138-****-5678"),
        ("mobile", "138 1234 5678", "138 **** 5678"),
        ("mobile", "138·1234·5678", "138·****·5678"),
        ("mobile", "138•1234•5678", "138•****•5678"),
        ("mobile", "1381 234 5678", "138* *** 5678"),
        ("mobile", "138——1234——5678", "138——****——5678"),
        ("mobile", "138.1234.5678", "138.****.5678"),
        ("mobile", "138 123 45678", "138 *** *5678"),
        ("mobile", "1381-2345-678", "138*-***5-678"),
        ("mobile", "138/1234/5678", "138/****/5678"),
        ("mobile", "１３８１２３４５６７８", "１３８****５６７８"),
        ("mobile", "138\u200b1234\u200b5678", "138\u200b****\u200b5678"),
        ("mobile", "1 3 8 1 2 3 4 5 6 7 8", "1 3 8 * * * * 5 6 7 8"),
        ("landline", "010-65512345", "010-******45"),
        ("landline", "01065512345", "010******45"),
        ("landline", "021 6551 2345", "021 **** **45"),
        ("landline", "0755-6551234", "0755-*****34"),
        ("landline", "0571）88881234", "0571）******34"),
        ("id_card", ID, f"110**************{ID[-1]}"),
        ("id_card", ID_X, "440**************X"),
        ("id_card", ID_X.lower(), "440**************x"),
        ("id_card", f"{ID[:6]} {ID[6:14]} {ID[14:]}", f"110*** ******** ***{ID[-1]}"),
        ("id_card", "110105900307253", "110***********3"),
        ("bank_card", CARD_16, f"6225********{CARD_16[-4:]}"),
        ("bank_card", CARD_19, f"6222***********{CARD_19[-4:]}"),
        ("bank_card", grouped(CARD_16), f"6225 **** **** {CARD_16[-4:]}"),
        ("bank_card", grouped(CARD_19), f"6222 **** **** ***{CARD_19[-4]} {CARD_19[-3:]}"),
        ("email", "zhang.san@example.com", "z****.***@example.com"),
        ("email", "a@b.cn", "*@b.cn"),
        ("email", "13812345678@163.com", "1**********@163.com"),
        ("email", "ab＠ｑｑ．ｃｏｍ", "a*＠ｑｑ．ｃｏｍ"),
        ("plate", "京A12345", "京A****5"),
        ("plate", "粤B·F1234", "粤B·****4"),
        ("plate", "沪AD12345", "沪A*****5"),
        ("plate", "鲁Q12345D", "鲁Q*****D"),
        ("plate", "京A1234警", "京A****警"),
        ("plate", "WJ京12345", "WJ京****5"),
        ("plate", "wj 粤 1234X", "wj 粤 ****X"),
        ("plate", "陕 E·F5115", "陕 E·****5"),
        ("mobile", "一三八一二三四五六七八", "一三八****五六七八"),
        ("mobile", "1三8 一2三4 五6七8", "1三8 **** 五6七8"),
        ("mobile", "136134462**", "136****62**"),
        ("id_card", f"{ID[:4]} {ID[4:8]} {ID[8:12]} {ID[12:16]} {ID[16:]}", f"110* **** **** **** *{ID[-1]}"),
        ("id_card", f"{ID[:6]}-{ID[6:10]}-{ID[10:14]}-{ID[14:]}", f"110***-****-****-***{ID[-1]}"),
    ],
)
@pytest.mark.parametrize(("before", "after"), [("", ""), ("电话", "找我"), ("(", "),"), ("...", "。")])
def test_a_number_by_itself(kind: str, number: str, expected: str, before: str, after: str) -> None:
    masked = mask(before + number + after)
    assert masked.text == before + expected + after
    assert masked.spans == (Span(kind, len(before), len(before + number)),)


@pytest.mark.parametrize(
    ("kind", "cue", "number", "expected"),
    [
        ("mobile", "+86 ", "138 1234 5678", "138 **** 5678"),
        ("mobile", "0086", "13812345678", "138****5678"),
        ("mobile", "86", "13812345678", "138****5678"),
        ("mobile", "0", "13812345678", "138****5678"),
        ("mobile", "＋８６", "13812345678", "138****5678"),
        ("mobile", "微信", "13812345678", "138****5678"),
        ("mobile", "订单号", "13812345678", "138****5678"),
        ("mobile", "营收不详，电话：", "19912345678", "199****5678"),
        ("mobile", "加我", "13812345678", "138****5678"),
        ("mobile", "+852 ", "9123 4567", "91** **67"),
        ("mobile", "00853-", "66123456", "66****56"),
        ("landline", "+86-", "10-65512345", "10-******45"),
        ("landline", "86-", "755-82345678", "75*-******78"),
        ("landline", "+86 (0)", "10 6234 5678", "10 **** **78"),
        ("wechat", "微信号：", "zhangsan", "z******n"),
        ("wechat", "微信", "wxid_abc123", "w*********3"),
        ("wechat", "微信是", "li-si2024", "l*-*****4"),
        ("wechat", "加微信", "zhangsan", "z******n"),
        ("wechat", "weixin:", "zhangsan", "z******n"),
        ("wechat", "VX ", "zhang_san", "z*******n"),
        ("wechat", "wx", "zhang123", "z******3"),
        ("wechat", "V信 ", "zhang123", "z******3"),
        ("wechat", "加V：", "zhangsan", "z******n"),
        ("wechat", "加vx", "88888888", "8******8"),
        ("wechat", "加微", "zhangsan88", "z********8"),
        ("wechat", "加我薇：", "zhangsan", "z******n"),
        ("wechat", "加v", "zhangsan88", "z********8"),
        ("wechat", "添加微信", "zhangsan", "z******n"),
        ("wechat", "加微", "88888888", "8******8"),
        ("qq", "QQ", "123456789", "12******9"),
        ("qq", "qq号码是：", "54321", "54**1"),
        ("qq", "扣扣", "123456789", "12******9"),
        ("qq", "企鹅号 ", "１２３４５６", "１２***６"),
        ("passport", "护照", "E12345678", "E1*****78"),
        ("passport", "护照号码：", "G12345678", "G1*****78"),
        ("passport", "港澳通行证", "C12345678", "C1*****78"),
        ("passport", "回乡证号：", "H1234567890", "H1*******90"),
        ("mobile", "手机:", "1-351-2345678", "1-35*-***5678"),
        ("mobile", "电话：", "138_1234_5678", "138******5678"),
        ("landline", "家里电话 ", "65512345", "6*****45"),
        ("id_card", "身份证号", wrong(ID), f"110**************{wrong(ID)[-1]}"),
        ("id_card", "身份证", f"{wrong(ID)[:16]} {wrong(ID)[16:]}", f"110************* *{wrong(ID)[-1]}"),
        ("mobile", "+886", "912345678", "91*****78"),
        ("mobile", "+886-", "912-345-678", "91*-***-*78"),
        ("mobile", "00886 0", "912345678", "91*****78"),
        ("bank_card", "银行卡号：", wrong(CARD_19), f"6222***********{wrong(CARD_19)[-4:]}"),
        ("bank_card", "账号", wrong(CARD_16), f"6225********{wrong(CARD_16)[-4:]}"),
        ("plate", "车牌号为：", "AX1619", "AX***9"),
        ("plate", "车牌为", "B00779D", "B0****D"),
        ("document", "准考证号", "204101311", "20*****11"),
        ("wechat", "薇", "zhang123", "z******3"),
        ("wechat", "V：", "zhang123", "z******3"),
        ("wechat", "➕微", "zhang123", "z******3"),
        ("wechat", "+V：", "zhang123", "z******3"),
        ("wechat", "加w ", "zhangsan88", "z********8"),
        ("wechat", "微❤", "zhang123", "z******3"),
        ("wechat", "高能威信", "763660397", "7*******7"),
        ("wechat", "QQ或微信；", "2458079233", "2********3"),
        ("wechat", "加WX聊吧", "651310593", "6*******3"),
        ("wechat", "微信【", "zhang123", "z******3"),
        ("qq", "Q：", "123456789", "12******9"),
        ("qq", "企鹅：", "123456789", "12******9"),
        ("qq", "我的Q是", "123456789", "12******9"),
        ("qq", "加扣", "123456789", "12******9"),
        ("qq", "QQ：", "123 456 789", "12* *** **9"),
        ("qq", "QQ加", "123456789", "12******9"),
        ("wechat", "微信搜：", "zhang123", "z******3"),
        ("wechat", "加微信", "iphone5188", "i********8"),
        ("wechat", "微信：", "android_zhang88", "a*************8"),
        ("wechat", "VX/", "zhangsan88", "z********8"),
        ("wechat", "vx👉", "zhangsan88", "z********8"),
        ("landline", "座机", "6551 2345", "6*** **45"),
        ("qq", "QQ邮箱：", "123456789", "12******9"),
        ("mobile", "", "138 12 34 56 78", "138 ** ** 56 78"),
        ("mobile", "+1 ", "(415) 555-2671", "(41*) ***-**71"),
        ("mobile", "＋６５", "91234567", "91****67"),
        ("mobile", "+81 ", "90-1234-5678", "90-****-**78"),
    ],
)
def test_only_the_number_after_a_cue(kind: str, cue: str, number: str, expected: str) -> None:
    masked = mask(f"{cue}{number}，谢谢")
    assert masked.text == f"{cue}{expected}，谢谢"
    assert masked.spans == (Span(kind, len(cue), len(cue + number)),)


@pytest.mark.parametrize(
    "post",
    [
        "",
        "客服400-820-8820、4008208820、800 820 8820、95588、12315、10086",
        "QQ 4008208820，扣扣95588，微信4008208820",
        "订单号202401011381234567，单号：138123456789，运单号SF1381234567890",
        f"订单号{CARD_16}",
        "订单 13812345678901234567",
        "价格138123456789元，13,812,345,678元，12812345678",
        "营收19912345678元，营收为19912345678，金额：13912345678，市值18912345678.50元，共15012345678 美元",
        "1500 2000 300 400，20 1500 2000 300，https://example.com/138/1234/5678/",
        "加微博，加vivo12345，加V，通行证2号，通行证C1234567",
        "2024-01-01 12:00:00，2023年，20240101，1990.03.07",
        wrong(ID),
        id_card("11010519900231253"),
        id_card("99010519901331253")[:15],
        "110105900231253",
        wrong(CARD_16),
        grouped(wrong(CARD_19)),
        "a@b，@用户，https://example.com/@name",
        "新mate60，京东12345，京I12345，京A123456，新SUV2024款",
        "微信2023年，微信转账50000元，QQ 10000元，wxpython，加VIP888888",
        "E12345678，护照E1234567",
        "增加vmware17支持，添加vue3_router，参加vlog_2024大赛，更加VR_glass好用，参加微 business训练",
        "1998-2008-100周年",
        "http://m.weibo.cn/7236974530/4398785217752102 ?",
        f"https://example.com/video?id={CARD_16}",
        "一九九八年二〇〇八年，一二三四五六七八九，一三五七九一三五七九一三五",
        "电话2000000元，手机 1599 1899 2099，信用卡2023 2024 2025",
        "开会(20240101) 10:00，#qq音乐#，张薇：iphone，V：iphone，轻微：iphone15pro，12+v2024pro",
        "微信 iphone15pro 闪退，微信 mate60pro 用不了，微信version8闪退，电话20240315打的",
        "共19912345678元，占股19912345678股",
    ],
)
def test_what_identifies_nobody_stays(post: str) -> None:
    masked = mask(post)
    assert masked.text == post
    assert masked.spans == ()


@pytest.mark.parametrize("after", ["元旦前打", "元", "亿达公司", "%", "万先生"])
@pytest.mark.parametrize("cue", ["电话", "手机号：", "联系", "+86"])
def test_a_mobile_that_is_called_one_is_no_sum_of_money(cue: str, after: str) -> None:
    assert mask(f"{cue}13812345678{after}").text == f"{cue}138****5678{after}"


@pytest.mark.parametrize(
    ("post", "expected"),
    [
        ("(138)12345678", "(138)****5678"),
        ("zhangsan(at)163.com", "z*******(at)163.com"),
        ("zhangsan [AT] gmail.com", "z******* [AT] gmail.com"),
        ("zhangsan#qq.com", "z*******#qq.com"),
        ("zhangsan艾特163点com", "z*******艾特163点com"),
        ("zhangsan@163。com", "z*******@163。com"),
        ("zhangsan at qq.com", "z******* at qq.com"),
        ("张三(410494910) 2012-8-3 16:05 在吗", "张三(41******0) 2012-8-3 16:05 在吗"),
        ("①13812345678②13912345678", "①138****5678②139****5678"),
        ("https://wa.me/8613812345678", "https://wa.me/86138****5678"),
        (f"https://example.com/?id={ID}", f"https://example.com/?id=110**************{ID[-1]}"),
    ],
)
def test_what_stands_around_a_number_stays(post: str, expected: str) -> None:
    assert mask(post).text == expected
    assert mask(expected).text == expected


@pytest.mark.parametrize("gap", "\u00a0\u00ad\u2003\u200d\u202f\u2060\u3000\ufeff")
def test_what_nobody_sees_hides_no_number(gap: str) -> None:
    assert mask(f"打138{gap}1234{gap}5678").text == f"打138{gap}****{gap}5678"


@pytest.mark.parametrize("after", ["股票群", "股民交流", "元先生", "吨位"])
def test_a_word_that_begins_with_a_unit_is_none(after: str) -> None:
    assert mask(f"王老师13812345678{after}").text == f"王老师138****5678{after}"
