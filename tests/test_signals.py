"""Laws of the signals lexicon: what counts as a word, what a negation hides, and where the caller finds it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.normalise import normalise
from data.signals import SignalLexicon
from data.signals_table import COUNT, WATCH_WORD

LEXICON = SignalLexicon.load(watch_words=["星星牌", "ABC", "  "])
PIECES = (
    *("起诉", "没有", "人", "受伤", "１２３１５", "ICU", "3·15晚会", "ＡＢＣ", "星星牌"),
    *("一起", "诉说", "不得不", "，", " ", "\u200b", "投 诉", "·", "起", "诉", "1️⃣", "-"),
)
POSTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=12).map("".join)


def _found(text: str) -> dict[str, list[str]]:
    return {signal.id: [word.text for word in signal.words] for signal in LEXICON.find(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "记者从市场监管局获悉，多人受伤送医",
            {"regulator_involved": ["市场监管局"], "media_involved": ["记者从"], "injury_reported": ["受伤", "送医"]},
        ),
        (
            "我要去12315投诉，已报警",
            {"legal_action": ["报警"], "escalation_threat": ["12315"]},
        ),
        ("网传该品牌被约谈", {"regulator_involved": ["被约谈"], "rumor_suspected": ["网传"]}),
        ("业主拉横幅讨说法", {"collective_action": ["拉横幅"], "escalation_threat": ["讨说法"]}),
        ("收到律师函，律师说赔偿金不少", {"legal_action": ["律师函", "律师", "赔偿金"]}),
        ("今天天气不错", {}),
        ("", {}),
    ],
)
def test_worked_examples(text: str, expected: dict[str, list[str]]) -> None:
    assert _found(text) == expected


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("再不退钱我就从你们楼上跳下去", "楼上跳下去"),
        ("我老公已经找到你们地址了，砍死你们", "砍死你们"),
        ("不解决就去总部楼下喝农药", "喝农药"),
        ("拖欠三个月，我真的不想活了", "不想活了"),
        ("那就同归于尽吧", "同归于尽"),
        ("有人在店里泼油漆", "泼油漆"),
        ("男子持刀闯入门店", "持刀"),
    ],
)
def test_a_threat_to_a_life_is_a_signal_of_its_own(text: str, word: str) -> None:
    assert _found(text)["life_threat"] == [word]


@pytest.mark.parametrize(
    "text",
    [
        *("笑死我了", "气死我了", "砍价成功", "商家又砍单", "勿玩火自焚", "喝这酒等于喝农药", "分分钟砍死", "没人持刀"),
        *("好像你杀了你们全家一样", "砍你一刀帮我领红包", "跟着音乐跳下去"),
    ],
)
def test_a_life_is_not_threatened_by_a_figure_of_speech(text: str) -> None:
    assert "life_threat" not in _found(text)


@pytest.mark.parametrize(
    "text",
    [
        *("没有人受伤", "没有任何人员受伤", "无人员伤亡", "未造成伤亡"),
        *("我不会起诉", "并未被立案", "不想去医院", "没有被央视曝光"),
        *("没有起诉", "不会投诉到底", "别举报", "不用罚款", "未被处罚", "无人受伤"),
        *("也没报警", "没有特别头晕", "没有别人受伤", "从不投诉到底"),
        *("千万别曝光", "请勿传谣", "拒不下跪", "暂未被立案"),
        *("未造成人员受伤、死亡", "没有人员受伤或死亡", "没有红肿、过敏", "没有拉肚子和呕吐"),
        *("无一人伤亡", "没有一例死亡", "没有乘客受伤", "事故0伤亡", "0人受伤", "死亡0人", "零伤亡"),
        *("不予立案", "无需报警", "免于处罚"),
        *("未见伤亡", "无重大伤亡", "没有造成重大人员伤亡", "未发现中毒", "未致人受伤", "无一死亡", "不构成轻伤"),
        *("排除食物中毒", "已排除中毒", "没打12315"),
    ],
)
def test_a_negation_hides_the_word(text: str) -> None:
    assert _found(text) == {}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("我不得不起诉", "起诉"),
        ("不排除食物中毒", "食物中毒"),
        ("尚无法排除中毒", "中毒"),
        ("和死亡擦肩而过", "死亡"),  # joined to nothing
        ("、中毒人数升至30人", "中毒"),
        ("不能不报警", "报警"),
        ("没有退款，我要起诉", "起诉"),
        ("没办法只好起诉", "起诉"),
        ("客服不处理。有人受伤", "受伤"),
        ("别人举报了这家店", "举报"),
        ("别人起诉他们了", "起诉"),
        ("我吃完特别头晕", "头晕"),
        ("股东分别起诉公司", "起诉"),
        ("差别罚款", "罚款"),
        ("个别记者围堵", "记者"),
        ("是不是食物中毒了", "食物中毒"),
        ("有没有人受伤", "受伤"),
        ("会不会中毒", "中毒"),
        ("我不得不去起诉", "起诉"),
        ("没有受伤，但是死亡2人", "死亡"),
        ("他没有死亡，受伤了", "受伤"),
        ("10人受伤", "受伤"),
        ("没有报警和律师商量后再说", "律师"),
        ("不予立案、法院判了", "法院"),
        ("未起诉、被判赔三万", "被判赔"),
        ("无人死亡、重伤5人", "重伤"),
        ("赔偿0要曝光他们", "要曝光"),
        ("比分3:0受伤下场", "受伤"),
        ("打12345元旦也没人接", "12345"),
    ],
)
def test_a_negation_of_something_else_hides_nothing(text: str, word: str) -> None:
    assert [word] in _found(text).values()


@pytest.mark.parametrize(
    "text",
    [
        *("难吃死了", "恶心，包装太差", "在社交媒体上火了", "转发微博", "重组计划流产", "系统瘫痪了", "附近有家医院"),
        *("这款相机曝光补偿很准", "新机海报曝光", "打死我也不买", "电梯罢工了", "令人窒息的操作", "告别抢救室"),
        *("懒得维权", "霸王茶姬联名杯"),
        *("打死卖盐的了", "北京国安客场挑战", "训练画面曝光", "舞台大片曝光", "单膝下跪求婚"),
        *("剃完毛的黑猫", "放在我公司门口了", "跪求链接"),
    ],
)
def test_a_figure_of_speech_is_no_signal(text: str) -> None:
    assert _found(text) == {}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("北京市公安局立案", "公安局"),
        ("市中级人民法院开庭审理", "开庭审理"),
        ("遇难者家属发声", "遇难者"),
        ("经抢救无效", "抢救"),
        ("被批准逮捕", "逮捕"),
        ("被交警查了", "交警"),
        ("多名女性遭猥亵", "猥亵"),
        ("海报被曝光，他死于抢救无效", "抢救"),
        ("城管打死卖瓜小贩", "打死"),
    ],
)
def test_a_word_counts_inside_a_longer_one_that_ends_with_it(text: str, word: str) -> None:
    assert any(word in words for words in _found(text).values())


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("邻县一家遇害案", "遇害案"),
        ("被害人家属发声", "被害人"),
        ("顾客被拘留", "拘留"),
        ("公安部公布案例", "公安部"),
        ("公安部门调查中", "公安部门"),
        ("卫健局已到店", "卫健局"),
        ("被告人未到庭", "被告人"),
        ("判处罚金", "判处"),
        ("诉讼案件增多", "诉讼"),
        ("劳动人事争议仲裁委员会", "仲裁"),
        ("示威者冲进大厅", "示威者"),
        ("举报人说", "举报人"),
        ("举报信息已核实", "举报"),
        ("说好假一罚十", "假一罚十"),
        ("吃完肚子疼", "肚子疼"),
        ("这事上了热搜", "上了热搜"),
        ("请大家转发", "请大家转发"),
        ("再拖我会投诉的", "我会投诉"),
        ("新闻记者从现场回来", "记者"),
    ],
)
def test_a_word_of_its_own_inside_what_the_dictionary_cuts(text: str, word: str) -> None:
    assert [word] in _found(text).values()


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("一起诉说往事", "起诉"),
        ("发烧友", "发烧"),
        ("我们一起诉说", "起诉"),
        ("订单号2123156", "12315"),
        ("这很difficult", "icu"),
        ("换了app图标", "p图"),
    ],
)
def test_a_word_counts_at_word_borders_only(text: str, inside: str) -> None:
    assert inside in text
    assert _found(text) == {}


@pytest.mark.parametrize(
    ("text", "signal", "own"),
    [
        ("拨打１２３１５了", "escalation_threat", "１２３１５"),
        ("送进ｉｃｕ了", "injury_reported", "ｉｃｕ"),
        ("上了３·１５晚会", "media_involved", "３·１５晚会"),
        ("我要起\u200b诉你", "legal_action", "起\u200b诉"),
        ("@某某 @某某 http://a.cn/b 起诉", "legal_action", "起诉"),
    ],
)
def test_words_come_back_in_the_callers_own_characters(text: str, signal: str, own: str) -> None:
    assert _found(text) == {signal: [own]}


@given(POSTS)
def test_every_word_lies_where_it_says(text: str) -> None:
    for signal in LEXICON.find(text):
        assert signal.words
        for word in signal.words:
            assert 0 <= word.start < word.end <= len(text)
            assert text[word.start : word.end] == word.text
        assert all(left.start < right.start for left, right in pairwise(signal.words))


@given(POSTS)
def test_signals_come_once_each_in_the_lexicons_order_and_are_repeatable(text: str) -> None:
    ids = [signal.id for signal in LEXICON.find(text)]
    assert ids == [known for known in LEXICON.names if known in ids]
    assert LEXICON.find(text) == LEXICON.find(text)


@given(POSTS)
def test_surrounding_space_only_shifts_the_places(text: str) -> None:
    shifted = [
        (signal.id, [(word.text, word.start + 3, word.end + 3) for word in signal.words])
        for signal in LEXICON.find(text)
    ]
    moved = LEXICON.find(f" \t {text} \n")
    assert [(signal.id, [(word.text, word.start, word.end) for word in signal.words]) for signal in moved] == shifted


def test_every_word_of_the_lexicon_is_found_where_it_stands_alone() -> None:
    for key, owner in LEXICON.owner.items():
        word = f"17{key.removeprefix(COUNT)}" if key.startswith(COUNT) else key
        found = {signal.id: signal.words for signal in LEXICON.find(word)}
        assert owner in found, key
        assert found[owner][0].text == word


@pytest.mark.parametrize("count", [1, 9, 10, 727, 3000])
@pytest.mark.parametrize("title", ["袭击致CX", "广州交警：CX", "车祸CX，另有2人失联"])
def test_any_count_of_dead_or_hurt_is_an_injury(count: int, title: str) -> None:
    for end in "死伤":
        words = [f"{count}{end}", *(["2伤"] if end == "死" else [])]
        assert _found(title.replace("CX", "".join(words)))["injury_reported"] == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("致三死两伤", ["两伤"]),
        ("造成一死一伤", ["一死", "一伤"]),
        ("已致十二死", ["十二死"]),
        ("致 3 死 2 伤", ["3 死", "2 伤"]),
    ],
)
def test_a_count_may_be_written_in_han_or_apart(text: str, words: list[str]) -> None:
    assert _found(text) == {"injury_reported": words}


@pytest.mark.parametrize(
    "text", ["清仓大出血", "全场骨折价", "急救面膜", "满12345减100", "一死了之", "两伤战争", "买了10 死都不退款"]
)
def test_idioms_of_shops_and_history_are_no_harm(text: str) -> None:
    assert _found(text) == {}


@pytest.mark.parametrize(
    "text",
    [
        *(
            "儿童防烫伤水壶",
            "防过敏面料",
            "低过敏配方",
            "过敏体质也能用",
            "防止烫伤",
            "避免受伤",
            "幸无人员受伤",
            "不容易过敏",
        ),
        *(
            "钱包大出血",
            "我去世了这也太好看",
            "抢救一下我的头发",
            "跳楼机好玩",
            "学了急救知识",
            "烟雾报警灵敏",
            "昨天被告白了",
        ),
        *(
            "花车游行真热闹",
            "被哄抢一空",
            "空调罢工了",
            "品牌曝光",
            "曝光不足",
            "求转发抽奖",
            "洗衣机转起来很安静",
            "在写日报",
        ),
        *("用P图软件修了", "不知道真的假的", "你们总部门口直播", "狐狸的床上面挂水桶", "消费保存期"),
    ],
)
def test_claims_of_products_and_words_of_every_day_are_no_signal(text: str) -> None:
    assert _found(text) == {}


@pytest.mark.parametrize("text", ["未能避免伤亡", "无法避免中毒", "火灾死了3个人"])
def test_what_was_not_prevented_is_an_injury(text: str) -> None:
    assert "injury_reported" in _found(text)


@pytest.mark.parametrize(
    ("signal", "texts"),
    [
        ("regulator_involved", "市场监督局 市场监管所 物价局 发改委 住建局 邮政管理局 银保监局 反垄断局"),
        (
            "escalation_threat",
            "315见 打315 12305 消费保见 在黑猫上投诉 上小红书避雷 告到底 投诉了三次 上抖音让大家看看",
        ),
        (
            "injury_reported",
            "拉了三天肚子 吐了一晚上 起了水泡 打点滴 骨裂 脑震荡 起了一身疹子 脸烂了 肾衰竭 过劳死 住了三天院",
        ),
        ("media_involved", "热搜第一 挂在热搜上 红星新闻 封面新闻 中新网 潇湘晨报 3·15曝光"),
        ("collective_action", "建群维权 聚集售楼处 抱团维权 一起去总部讨说法 堵在工厂门口"),
    ],
)
def test_words_that_were_missed(signal: str, texts: str) -> None:
    assert [text for text in texts.split() if signal not in _found(text)] == []


@pytest.mark.parametrize(
    ("text", "signal", "own"),
    [
        ("我要投 诉 到 底", "escalation_threat", "我要投 诉"),
        ("拨打 1 2 3 1 5", "escalation_threat", "1 2 3 1 5"),
        ("打1️⃣2️⃣3️⃣1️⃣5️⃣", "escalation_threat", "1️⃣2️⃣3️⃣1️⃣5️⃣"),
        ("我要起·诉你们", "legal_action", "起·诉"),
        ("　我要起·诉你们", "legal_action", "起·诉"),
        ("全身过-敏了", "injury_reported", "过-敏"),
        ("不退就投*诉到底", "escalation_threat", "投*诉到底"),
        ("报警了，起·诉他", "legal_action", "起·诉"),
    ],
)
def test_a_word_that_the_writer_splits_is_found_in_his_own_characters(text: str, signal: str, own: str) -> None:
    assert own in _found(text)[signal]


@pytest.mark.parametrize(
    "text",
    ["一起 诉说", "没有起·诉", "拨 12-315", "日期3.1.5", "投 诉，到 底", "1️⃣首先2️⃣然后", "@起·诉 好", "评分 12 3 15"],
)
def test_what_is_not_split_is_not_joined(text: str) -> None:
    assert _found(text) == {}


@pytest.mark.parametrize("text", ["0死0伤", "没有1死", "他1伤心就哭", "和2死党去玩", "九死一生", "第05死", "有3死角"])
def test_no_count_of_dead_or_hurt_is_none(text: str) -> None:
    assert "injury_reported" not in _found(text)


def test_watch_words_ignore_case_and_width_and_negation_but_not_latin_borders() -> None:
    assert _found("没有星星牌，只有abc和ＡＢＣ公司") == {WATCH_WORD: ["星星牌", "abc", "ＡＢＣ"]}
    assert _found("XABCD ABCs") == {}


def test_a_letter_without_a_short_lower_case_leaves_the_case_of_the_others_alone() -> None:
    assert _found("İ ABC公司，住进ICU") == {WATCH_WORD: ["ABC"], "injury_reported": ["ICU"]}
    assert SignalLexicon.load(watch_words=["İKEA"]).find("买了İkea")[0].words[0].text == "İkea"


def test_a_word_belongs_to_one_signal_and_is_written_as_normalised() -> None:
    keys = [*LEXICON.owner]
    assert all(normalise(key).text.lower() == key for key in keys)
    assert set(LEXICON.owner.values()) == set(LEXICON.names) - {WATCH_WORD}


@pytest.mark.parametrize("text", ["回复@法院小张:哈哈", "转发@人民日报 天气真好", "请@ABC公司 看看"])
def test_a_name_right_after_han_shows_nothing(text: str) -> None:
    assert _found(text) == {}
