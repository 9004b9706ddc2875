import random
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.records.identifiers import birth
from layers.records.personal import excerpt, find, kinds, mask, personal
from tests.hotline import PLACES, card, feed, mobile, trap

PIECES = st.sampled_from((
    "李", "王先生", "张三", "先生", "投诉人", "联系人:", "姓名：高峰", "反映", "路", "村", "，", "。", ":", "：", "(", ")",
    "[id]", "[name]", "[phone]", "[", "]", "\0", "1", "13", "138", "0013", "8000", "13800138000",
    "0762", "-3386688", "电话", "11010519491231002X", "粤B", "12345", "挂", "Mr.", "Dr", "John", "Smith",
    "name:", "@", "qq.com", "a", "zhang", "微信号", "QQ", "-", ".", "+", "86", "１３８", "plate", "4AX665",
))  # fmt: skip
TEXTS = st.one_of(
    st.text(), st.lists(PIECES, max_size=12).map("".join), st.lists(PIECES, max_size=12).map(" ".join)
)


@pytest.mark.parametrize(
    ("number", "born"),
    [
        ("11010519491231002X", date(1949, 12, 31)),  # GB 11643-1999, annex A
        ("11010519491231002x", date(1949, 12, 31)),
        ("34052419800101001X", date(1980, 1, 1)),  # in wide use as an example
        ("440524188001010014", None),  # GB 11643-1999, annex A: right, but born in 1880
        ("440524800101001", date(1980, 1, 1)),
        ("110105194912310021", None),
        ("110105194902300025", None),
        ("990105194912310020", None),
        ("110105491331002", None),
    ],
)
def test_an_id_card_number_tells_a_birth_only_with_region_date_and_check(number, born):
    assert birth(number) == born


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("身份证11010519491231002X，", "身份证[id]，"),
        ("号码 110105 19491231 002X。", "号码 [id]。"),
        ("１１０１０５１９４９１２３１００２Ｘ", "[id]"),
        ("身份证号：440524188001010014", "身份证号：[id]"),
        ("旧证440524800101001", "旧证[id]"),
        ("护照E12345678", "护照[id]"),
        ("电话13800138000转", "电话[phone]转"),
        ("138 0013 8000、138-0013-8000、138.001.38000", "[phone]、[phone]、[phone]"),
        ("1 3 8 0 0 1 3 8 0 0 0", "[phone]"),
        ("１３８００１３８０００", "[phone]"),
        ("+86 138-0013-8000/0086 13800138000/8613800138000", "[phone]/[phone]/[phone]"),
        ("固话0762-3386688转801或(0762)3386688或07623386688", "固话[phone]或[phone]或[phone]"),
        ("010 6655 4433，+86 20 8888 7777", "[phone]，[phone]"),
        ("400-123-4567 4008-123-123 8001234567", "[phone] [phone] [phone]"),
        ("电话3386688", "电话[phone]"),
        ("call 617-555-0123 or (416) 555-0199, +1 416 555 0199 x12", "call [phone] or [phone], [phone]"),
        ("call me at 6175550123, tel. 555-0123", "call me at [phone], tel. [phone]"),
        ("+44 20 7946 0958", "[phone]"),
        ("粤P12345、粤P·12345、粤 PD12345、粤B1234挂、粤p88a88", "[plate]、[plate]、[plate]、[plate]、[plate]"),
        (
            "licence plate 7ABC123; plate # 123 ABC; 车牌号ABC123",
            "licence plate [plate]; plate # [plate]; 车牌号[plate]",
        ),
        ("zhang.san+1@mail.example.com说", "[email]说"),
        ("13800138000＠qq.com", "[email]"),
        ("微信号：zhangsan_88，QQ123456789", "微信号：[account]，QQ[account]"),
        ("住户高先生和方志强女士，欧阳娜娜小姐", "住户[name]先生和[name]女士，[name]小姐"),
        ("请找李老师、张建国师傅", "请找[name]老师、[name]师傅"),
        ("由张江路王先生处理", "由张江路[name]先生处理"),
        ("由于李女士", "由于[name]女士"),
        ("投诉人李建国反映", "投诉人[name]反映"),
        ("联系人：方圆，姓名：买买提·吐尔逊", "联系人：[name]，姓名：[name]"),
        ("我叫王五，报案人李有才称", "我叫[name]，报案人[name]称"),
        ("Mr. Smith met Dr Jane Doe and MRS. O'NEIL", "Mr. [name] met Dr [name] and MRS. [name]"),
        ("name: Mr Smith", "name: [name] [name]"),
        ("my name is Alisha Burgos, reported by Mary Lee", "my name is [name], reported by [name]"),
    ],
)
def test_what_names_a_person_is_masked_and_the_rest_is_left(text, shown):
    assert mask(text).text == shown
    assert mask(shown).text == shown


@pytest.mark.parametrize(
    "text",
    [
        "110105194912310021 44160200600111",
        "2025-01-02 12:30:45 20250102 20250102030405 2025/1/2",
        "441602006001，441602 006001，工单250314000123",
        "金额13800138000元，13,800,138,000.00，4000000000 元",
        "114.698012345678 23.74313800138 114.13800138000",
        "+42.3601 -71.0589 UTC+8 2025-01-02",
        "case 101001346948, cart # 5150029725, cart #05156360399, (H222590-101001666",
        "8a2a1072b59ffff 599686042433355775 1380013800012",
        "G205国道K2537+300 粤S120线 新Windows系统 沪ABCD12",
        "热线12345 call 311 plate number not given",
        "张江路 李家村 王先生餐厅 田师傅镇 李师傅屯村 张奶奶庙村",
        "投诉人李家村村民，投诉人李家大屋村，我是杨柳社区居民",
        "投诉人强烈要求，业主方便时，当事人应当，业主何时，投诉人曾多次，业主黄某某",
        "语文老师、班主任老师、货车司机师傅、水电师傅，感谢老师",
        "12 Lakeshore Dr Toronto; S Dr Martin Luther King Blvd; reported by Boston Police; Street name: Main Street",
    ],
)
def test_what_only_looks_like_a_person_stays(text):
    assert find(text) == ()


@given(TEXTS)
def test_masking_again_changes_nothing(text):
    once = mask(text)
    assert mask(once.text) == (once.text, ())


@given(TEXTS)
def test_spans_are_apart_and_what_lies_between_them_is_kept(text):
    masked, spans = mask(text)
    assert all(span.start < span.end for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    pieces, at = [], 0
    for span in spans:
        pieces += [text[at : span.start], f"[{span.kind}]"]
        at = span.end
    assert masked == "".join([*pieces, text[at:]])
    assert kinds(text).total() == len(spans)


@given(st.integers(), st.text("，。：（）的 ", max_size=5), st.text("，。：（）的 ", max_size=5))
def test_every_card_and_mobile_is_found_between_words(seed, before, after):
    luck = random.Random(seed)
    for number in (card(luck), mobile(luck)):
        assert number not in mask(before + number + after).text


def test_the_hotline_leaves_nothing_of_what_was_planted():
    rows, planted = feed(10_000)
    left = "\n".join(mask(row["content"]).text for row in rows)
    assert len(planted) > 4_000
    assert [string for string in planted if string in left] == []


def test_no_trap_and_no_place_of_the_hotline_is_taken_for_a_person():
    luck = random.Random(7)
    texts = [f"{luck.choice(PLACES)}，{trap(luck)}。" for _ in range(5_000)]
    assert [text for text in texts if find(text)] == []


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("11010519491231002X", {"id"}),
        (" 110105 19491231 002X ", {"id"}),
        ("440524800101001", {"id"}),
        ("13800138000", {"phone"}),
        (13800138000, {"phone"}),
        ("+86 138 0013 8000", {"phone"}),
        ("0762-3386688", {"phone"}),
        ("粤P12345", {"plate"}),
        ("a@b.cn", {"email"}),
        ("王先生", {"name"}),
        ("姓名：张三", {"name"}),
        ("Mr. Smith", {"name"}),
        ("250314000123", set()),
        ("441602202501020013", set()),
        ("440524250102001", set()),
        ("07623386688", set()),
        ("4001234567", set()),
        ("A-13800138000", set()),
        ("王先生餐厅", set()),
        ("粤P12345停车场", set()),
        ("441602006001", set()),
        ("江东", set()),
        ("", set()),
    ],
)
def test_a_key_is_personal_only_as_a_whole(key, named):
    assert personal(key) == named


def test_a_ticket_of_region_and_day_is_no_card_even_where_its_check_is_right():
    tickets = [f"44160220250102{number:04}" for number in range(200)]
    assert sum(birth(ticket) is not None for ticket in tickets) > 10
    assert not any(personal(ticket) for ticket in tickets)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("2024-13-45 25:00", "2024-13-45 25:00"),
        ("2024/1/2", "2024/1/2"),
        ("tel 138 0013 8000", "tel [phone]"),
        ("44162119900101123X", "#" * 17 + "X"),
        ("20240102", "########"),
        ("2024-01-0213800138000", "#" * 21),
        ("block 12345", "block 12345"),
        (12345, "12345"),
        ("a\0b", "a\N{REPLACEMENT CHARACTER}b"),
        ("x" * 80, "x" * 59 + "…"),
        ("张先生" * 30, "[name]先生" * 7 + "[na…"),
    ],
)
def test_an_excerpt_is_short_and_names_nobody(value, shown):
    assert excerpt(value) == shown
