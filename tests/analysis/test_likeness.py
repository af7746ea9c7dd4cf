"""When two posts are the same: the rules, without a database."""

from datetime import UTC, datetime

import pytest

from analysis.likeness import Match, Near, Pair, Post, judge, say_the_same

AT = datetime(2026, 11, 1, tzinfo=UTC)


def clip(pk, *, author=None, ms=15_000):
    return Post(pk, "clip", pk if author is None else author, ms, AT)


def slides(pk, count):
    return Post(pk, "carousel", pk, None, AT, count)


def cover(bits, *, is_equal=False):
    return Near("cover", 0, 0, bits, is_equal)


def slide(position, other=None, bits=2, *, is_equal=False):
    return Near("slide", position, position if other is None else other, bits, is_equal)


@pytest.mark.parametrize(
    ("one", "other", "near", "found"),
    [
        (clip(1), clip(2), [cover(4)], Match(is_equal=False, bits=4)),
        (clip(1), clip(2, ms=15_100), [cover(4)], Match(is_equal=False, bits=4)),
        (clip(1), clip(2, ms=15_167), [cover(4)], None),
        (clip(1), clip(2, ms=15_400), [cover(2)], Match(is_equal=False, bits=2)),
        (clip(1, ms=100_000), clip(2, ms=101_900), [cover(0)], Match(is_equal=False, bits=0)),
        (clip(1), clip(2, ms=16_000), [cover(0, is_equal=True)], None),
        (clip(1), clip(2, ms=None), [cover(0)], None),
        (clip(1, author=7), clip(2, author=7), [cover(4)], None),
        (clip(1, author=7), clip(2, author=7), [cover(2)], Match(is_equal=False, bits=2)),
        (clip(1, author=7), clip(2, author=7, ms=15_200), [cover(2)], None),
        (clip(1), clip(2, ms=99_000), [Near("video", 0, 0, 0, True)], Match(is_equal=True, bits=0)),
        (clip(1), slides(2, 1), [cover(0)], None),
        (clip(1), clip(2), [], None),
    ],
)
def test_clips_are_the_same_by_their_bytes_or_by_cover_and_duration(one, other, near, found):
    assert judge(Pair(one, other, near), {}, {}) == found


@pytest.mark.parametrize(
    ("counts", "near", "found"),
    [
        ((5, 5), [slide(n) for n in range(5)], Match(is_equal=False, bits=2)),
        ((5, 5), [slide(n, is_equal=True, bits=0) for n in range(3)], Match(is_equal=True, bits=0)),
        ((5, 5), [slide(0), slide(1)], None),  # two of five
        ((5, 4), [slide(n + 1, n) for n in range(4)], Match(is_equal=False, bits=2)),  # another first slide was put in front
        ((2, 2), [slide(0)], None),
        ((3, 3), [slide(0, other) for other in range(3)], None),  # one picture that is near to three
        ((1, 1), [slide(0, bits=2)], Match(is_equal=False, bits=2)),
        ((1, 1), [slide(0, bits=3)], None),
        ((5, 5), [cover(0, is_equal=True)], None),
    ],
)
def test_carousels_are_the_same_where_most_slides_agree_each_with_its_own(counts, near, found):
    assert judge(Pair(slides(1, counts[0]), slides(2, counts[1]), near), {}, {}) == found


def test_slides_on_one_layout_are_told_apart_by_what_they_say():
    pair = Pair(slides(1, 3), slides(2, 3), [slide(0), slide(1), slide(2)])
    texts = {0: "先备好猫砂盆", 1: "窗户要装纱网", 2: "尾巴竖起是开心"}
    others = {0: "鸡蛋冷水下锅", 1: "盐最后再放进去", 2: "蔬菜先洗后切"}

    assert judge(pair, texts, others) is None
    assert judge(pair, texts, dict(texts)) is not None
    assert judge(pair, texts, {}) is not None  # only one of them was read


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Five easy dinners", "FIVE easy dinners!", True),
        ("五个简单晚餐 5 dinners", "五个简单晚餐 5 dinnars", True),
        ("five easy dinners", "three rainy walks", False),
        ("五个简单晚餐", "", False),
        ("ab", "xy", None),
        (None, "text on one only", None),
    ],
)
def test_texts_are_the_same_though_a_reader_errs_in_some_letters(one, other, same):
    assert say_the_same(one, other) is same
