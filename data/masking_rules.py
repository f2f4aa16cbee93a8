"""The table of identifiers that masking stars out: how each is written, how it is checked, how much of it stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Rule:
    """Group 1 of the pattern is the identifier; `keep` says how much of its two ends stays, None leaves it all."""

    kind: str
    keep: tuple[int, int] | None
    pattern: re.Pattern[str]
    valid: Callable[[str], bool]


def _rule(kind: str, keep: tuple[int, int] | None, pattern: str, valid: Callable[[str], bool] = bool) -> Rule:
    return Rule(kind, keep, re.compile(pattern, re.IGNORECASE | re.ASCII), valid)


def _is_date(digits: str) -> bool:
    try:
        return bool(date.fromisoformat(digits))
    except ValueError:
        return False


def _is_id_card(number: str) -> bool:
    """GB 11643: a birthday that exists, and check digit number 18 by ISO 7064 MOD 11-2."""
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(number[:17]))
    return _is_date(number[6:14]) and number[17].upper() == "10X98765432"[total % 11]


def _is_bank_card(number: str) -> bool:
    """Luhn: every second digit from the right counts double, crosswise."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2])
    return (doubled + sum(map(int, number[::-2]))) % 10 == 0


def _groups(sizes: str) -> str:
    """Digits in groups of these sizes with gaps between, the last of all a digit or X: an identity card's."""
    return r"[ -]{1,3}".join(rf"\d{{{size}}}" for size in sizes[:-1]) + rf"[ -]{{1,3}}\d{{{int(sizes[-1]) - 1}}}[\dx]"


_GAP = r"[ -]{0,3}"
_AREA = r"10|2[0-57-9]"
_LOCAL = r"(?:[2-8]\d{6,7}|[ ()-]{1,3}[2-8]\d{2,3}[ -]{0,3}\d{4})"
_CODE = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|9\d)"
_REGION = rf"{_CODE}\d{{4}}"
_GROUPS = r"[3-69]\d{3}(?:[ -]{1,2}\d{4}){3}"
_PROVINCE = "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
_PLATE = "[a-hj-np-z0-9]"
_LINK = r"(?:[账帐]号|号码?|同号|id|[是为: =;(\[【→👉➡/_-])"
_LATIN = "weixin|wechat|vx|wx"
_WECHAT = rf"(?:[微薇威徽]信|wei信|v信|[微薇v]❤|(?<![a-z0-9])(?:{_LATIN}))(?:聊吧?|搜索?)?"
_BARE = rf"(?:{_WECHAT}|薇|(?<![显轻略稍细])微(?=:)|(?<![a-z0-9])v(?=:))"  # enough before a name that holds digits
_PLUS = r"(?:(?<![增更参追附外施])加|➕|(?<![a-z0-9])\+)我?"
_ADD = f"(?<!添){_PLUS}"  # 添加微 is a feature as often as a person, 添加微信 is not
_V = "(?:[微薇]|v(?!ip|ivo|ideo|x))"
# The whole run: with an upper limit, the stars of one name would uncover the next.
_THING = "(?:android|iphone|windows|version|mate|huawei|xiaomi|redmi|oppo|vivo)\\d{0,2}(?:pro|max|plus|ultra)*"
_NAME = f"((?!{_THING}(?![a-z0-9_-]))[a-z][a-z0-9_-]{{5,}})"
_NO_COUNT = r"(?!\d|[年月日元块万亿人名次个条]|\.\d)"

# Eleven digits are a sum of money, not a mobile, before such a unit or after such a word; not where a phone is named.
_AFTER = r"(?=$|[\s，。、；：！？,.;:!?)）\]】」”\"'…~]|整|左右|以上|以下|人民币|[的和及])"
_ABROAD = "[美港日欧澳韩]元|越南盾|印尼盾"
_UNIT = rf"(?:\.\d{{1,2}})? ?(?:元{_AFTER}|{_ABROAD}|人民币|[万亿]元|[万亿](?![\u4e00-\u9fff])|%|[股吨]{_AFTER})"
_LINKS = ("", "为", "是", "达", "约", ":", ": ")
_SUMS = ("营收", "金额", "收入", "利润", "市值", "播放量", "阅读量")
_SUM = "|".join(f"(?<={word}{link})" for word in _SUMS for link in _LINKS)
HAN = "零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖"
_NUMERAL = rf"[0-9{HAN}]"
_CALL = ("电话", "手机", "号码", "手机号", "致电", "拨打", "联系", "加我")
_UNCALLED = "(?<!86)" + "".join(f"(?<!{cue}{link})" for cue in _CALL for link in _LINKS)
_NO_SUM = rf"(?!(?=\d{{11}}(?!\d))(?:(?=\d{{11}}{_UNIT}){_UNCALLED}|{_SUM}))"

# What a rule keeps of one number must not complete a neighbour of its own form, or stars uncover one after the other.
# The longest match wins, of equals the upper row. An 11-digit mobile is one even after 订单号: better one too many.
RULES = (
    _rule("mobile", (3, 4), rf"(?<!\d)(?:(?:\+|00)?86{_GAP}|0(?=1\d{{10}}))?"
     rf"{_NO_SUM}(1[3-9]\d(?:{_GAP}\d{{4}}{_GAP}\d{{4}}|\d[ -]{{1,3}}\d{{3}}[ -]{{1,3}}\d{{4}}"
     r"|(?P<dot>[.·•])\d{4}(?P=dot)\d{4})"
     r"|1(?P<gap>[ -]{1,3})[3-9](?:(?P=gap)\d){9})(?!\d)"),
    _rule("mobile", (3, 4), r"(?<!\d)(?<!\d[ -])(1[3-9]\d(?P<a>[ -])\d{3}(?P=a)\d{5}"
     r"|1[3-9]\d(?P<e>[ -])\d\d(?:(?P=e)\d\d){3}"
     r"|(?!19\d\d[ -](?:19|20)\d\d)1[3-9]\d\d(?P<b>[ -])\d{4}(?P=b)\d{3})(?![ -]?\d)"),  # no row of numbers, no years
    _rule("mobile", (3, 4), r"(?<![\d/])(1[3-9]\d/\d{4}/\d{4})(?![\d/])"),  # not in the path of a link
    _rule("mobile", (3, 4), rf"(?:{'|'.join(_CALL)}|tel|mobile|phone){_LINK}{{0,4}}"
     r"(1[3-9]\d(?P<c>[,_~])\d{4}(?P=c)\d{4}|1[ -][3-9]\d\d[ -]?\d{3}[ -]?\d{4}|1[3-9]\d{3}[ -]\d{3}[ -]?\d{3})(?!\d)"),
    _rule("mobile", (3, 4), r"\((1[3-9]\d\)[ -]{0,3}\d{4}[ -]{0,3}\d{4})(?!\d)"),
    _rule("mobile", (3, 4), rf"(?<!{_NUMERAL})(?=(?:\d[ -]?){{0,10}}[{HAN}])"
     rf"([1一幺壹][ -]?[3-9三四五六七八九叁肆伍陆柒捌玖](?:[ -]?{_NUMERAL}){{9}})(?!{_NUMERAL})"),
    _rule("mobile", (3, 4), r"(?<![\d*])(?=[\d*]{11}(?![\d*]))(1[3-9]\d{6,8}\*+)"),  # whoever hid it hid too little
    _rule("mobile", (2, 2), rf"(?<!\d)(?:\+|00)85[23]{_GAP}([2-9]\d{{3}}{_GAP}\d{{4}})(?!\d)"),
    _rule("mobile", (2, 2), rf"(?<!\d)(?:\+|00)886{_GAP}0?(9\d\d{_GAP}\d{{3}}{_GAP}\d{{3}})(?!\d)"),
    _rule("mobile", (2, 2), r"(?<![\w+])\+(?!86)[1-9]\d{0,2}[ -]{0,2}"  # abroad, in groups or not
     r"((?=(?:[ ()-]{0,2}\d){8,12}(?!\d))\(?\d{1,4}\)?(?:[ -]{0,2}\d{2,10}){1,4})(?!\d)"),
    _rule("hotline", None, r"(?<!\d)([48]00[ -]?(?:\d{3}[ -]?\d{4}|\d{4}[ -]?\d{3})|95\d{3,4}|1(?:00|2\d)\d\d)(?!\d)"),
    _rule("id_card", (3, 1), rf"(?<!\d)({_REGION}{_GAP}(?:18|19|20)\d{{6}}{_GAP}\d{{3}}[\dx])(?!\d)", _is_id_card),
    _rule("id_card", (3, 1), rf"(?<!\d)(?<!\d[ -])(?={_CODE})"
     rf"({'|'.join(map(_groups, ('44442', '6444', '666', '33444', '64224')))})(?![ -]?\d)", _is_id_card),
    _rule("id_card", (3, 1), rf"身份证{_LINK}{{0,4}}((?:\d[ -]?){{17}}[\dx]|\d{{15}})(?!\d)"),
    _rule("order", None, r"(?:订单|单号|编号|流水号?|交易号)[号是为: #-]{0,4}[a-z]{0,4}(\d{12,64})(?!\d)"),
    _rule("id_card", (3, 1), rf"(?<!\d)({_REGION}\d{{9}})(?!\d)", lambda number: _is_date(f"19{number[6:12]}")),
    _rule("link", None, r"(?:https?://|www\.)[!-~]{0,200}?[/=](\d{16,64})(?!\d)"),  # a post's or an item's number
    _rule("bank_card", (4, 4), rf"(?:银行卡|储蓄卡|信用卡|借记卡|卡(?=号)|[账帐](?=号[是为: =]{{0,3}}62)){_LINK}{{0,4}}"
     r"([1-9]\d{3}(?:[ -]{0,2}\d{4}){3}(?:[ -]{0,2}\d{1,3})?)(?!\d)"),
    _rule("bank_card", (4, 4), r"(?<!\d)([3-69]\d{15,18}|[3-69]\d{5}[ -]\d{10,13})(?!\d)", _is_bank_card),
    _rule("bank_card", (4, 4), rf"(?<!\d)({_GROUPS})(?!\d)", _is_bank_card),
    _rule("bank_card", (4, 4), rf"(?<!\d)({_GROUPS}[ -]{{1,2}}\d{{1,3}})(?!\d)", _is_bank_card),
    _rule("landline", (3, 2), rf"(?<!\d)(0(?:{_AREA}){_LOCAL})(?!\d)"),
    _rule("landline", (4, 2), rf"(?<!\d)(0[3-9]\d{{2}}{_LOCAL})(?!\d)"),
    _rule("landline", (2, 2), rf"(?<!\d)(?:(?:\+|00)86{_GAP}|86-)(?:\(0\) ?)?((?:{_AREA}|[3-9]\d{{2}}){_LOCAL})(?!\d)"),
    _rule("landline", (1, 2), rf"(?:电话|座机|固话){_LINK}{{0,4}}(?!20\d\d[01]\d[0-3]\d)"
     rf"([2-8]\d{{2,3}}[ -]?\d{{4}}){_NO_COUNT}"),
    _rule("email", (1, 0), r"(?<!\w)(?<!\w[.+-])(\w(?:[\w.+-]{0,62}\w)?) ?(?:[(\[] ?at ?[)\]]|(?<= )at(?= )|#|@|艾特) ?"
     r"(?:vip\.)?(?:qq|163|126|139|189|sina|sohu|yeah|gmail|outlook|hotmail|foxmail|aliyun)[.。点](?:com|cn|net)"),
    _rule("email", (1, 0), r"(?<!\w)(?<!\w[.+-])(\w(?:[\w.+-]{0,62}\w)?@(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,24})"),
    _rule("plate", (2, 1), rf"({_PROVINCE} ?[a-hj-np-z][ ·•.-]?"
     rf"(?=(?:[a-z]{{0,2}}\d){{3}})"  # 新mate60 is a telephone, but not its number
     rf"(?:{_PLATE}{{4}}(?:{_PLATE}|[挂学警港澳领使])|[a-hjk]{_PLATE}\d{{4}}|\d{{5}}[a-hjk]))(?![a-z0-9])"),
    _rule("plate", (2, 1), rf"车牌{_LINK}{{0,4}}({_PROVINCE}? ?[a-hj-np-z][ ·•.-]?(?=(?:[a-z]{{0,2}}\d){{3}})"
     rf"{_PLATE}{{4,6}})(?![a-z0-9])"),
    _rule("plate", (3, 1), rf"(?<![a-z0-9])(wj ?{_PROVINCE} ?\d{{4}}[\da-z])(?![a-z0-9])"),  # of the armed police
    _rule("document", (2, 2), rf"(?:准考证|台胞证|社保卡|医保卡){_LINK}{{0,4}}([a-z]{{0,2}}\d{{7,18}})(?!\d)"),
    _rule("passport", (2, 2), rf"护照{_LINK}{{0,4}}(e[a-hj-np-z]\d{{7}}|[eg]\d{{8}})(?!\d)"),
    _rule("passport", (2, 2), rf"(?:通行证|回乡证){_LINK}{{0,4}}([a-z](?:\d{{8}}|[a-z]\d{{7}}|\d{{10}}))(?!\d)"),
    _rule("qq", (2, 1), rf"(?:(?<![a-z0-9])(?:q ?q(?:邮箱)?|q(?=[:号]))|加我?[q扣]|我的q|扣扣|(?:企鹅|球球)(?=[:号]))"
     rf"{_LINK}{{0,4}}加?([1-9]\d{{4,11}}|[1-9]\d{{2}}(?P<d>[ -])\d{{3}}(?:(?P=d)\d{{3,4}}){{0,2}}){_NO_COUNT}"),
    _rule("qq", (2, 1), r"\((?!(?:19|20)\d{6}\))([1-9]\d{4,10})\) {1,3}"  # who speaks in a chat that was copied
     r"(?:\d{4}[-/]\d{1,2}[-/]\d{1,2} )?\d{1,2}:\d"),
    _rule("wechat", (1, 1), rf"(?:{_BARE}|{_ADD}[微薇v]){_LINK}{{0,4}}([1-9]\d{{5,10}}){_NO_COUNT}"),
    _rule("wechat", (1, 1), rf"(?:{_BARE}|{_ADD}{_V}){_LINK}{{0,4}}(?=[a-z-]{{1,19}}[0-9_]){_NAME}"),
    _rule("wechat", (1, 1), rf"{_WECHAT} ?(?:[账帐]号|号码?|id|[:=]){_LINK}{{0,4}}{_NAME}"),
    _rule("wechat", (1, 1), rf"(?:{_PLUS}[微薇v]信|{_ADD}[微薇]){_LINK}{{0,4}}{_NAME}"),
    _rule("wechat", (1, 1), rf"{_ADD}(?:{_LATIN}|[vw]){_LINK}{{1,4}}{_NAME}"),
)  # fmt: skip
