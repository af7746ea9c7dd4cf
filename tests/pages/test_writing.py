"""How numbers, times and placeholders are written."""

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from pages.templatetags.groundswell import ago, clock, hue, human, initials, moment, percent, span, tick, whole


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (None, "–"),
        (0, "0"),
        (999, "999"),
        (999.4, "999"),
        (999.9, "999"),
        (1_000, "1K"),
        (1_234, "1.2K"),
        (1_299, "1.2K"),
        (99_949, "99.9K"),
        (99_999, "99.9K"),
        (123_456, "123K"),
        (999_949, "999K"),
        (1_500_000, "1.5M"),
        (2_000_000_000, "2B"),
        (10**15, "1000000B"),
        (-1_234, "−1.2K"),
    ],
)
def test_numbers_are_short(number, written):
    assert human(number) == written


def test_chinese_counts_in_ten_thousands():
    with translation.override("zh-hans"):
        assert [human(n) for n in (9_999, 10_000, 123_456, 250_000_000)] == ["9999", "1万", "12.3万", "2.5亿"]


@pytest.mark.parametrize(
    ("number", "step", "written"),
    [
        (0, 500, "0"),
        (500, 500, "500"),
        (1_500, 500, "1.5K"),
        (1_440_000, 5_000, "1.440M"),
        (1_400_000, 200_000, "1.4M"),
        (2_000_000, 1_000_000, "2M"),
        (12_500, 2_500, "12.5K"),
        (3, 1, "3"),
    ],
)
def test_a_tick_can_be_told_from_the_next(number, step, written):
    assert tick(number, step) == written


def test_all_digits_are_grouped():
    assert (whole(1234567), whole(None)) == ("1,234,567", "–")


@pytest.mark.parametrize(
    ("ratio", "written"),
    [(None, "–"), (0.5, "+50 %"), (-0.25, "−25 %"), (0, "+0 %"), (8.9, "+890 %"), (42.0, "×43"), (5000, "×5K")],
)
def test_changes_have_a_sign(ratio, written):
    assert percent(ratio) == written


@pytest.mark.parametrize(("ms", "written"), [(None, ""), (0, "0:00"), (65_000, "1:05"), (3_600_000, "1:00:00")])
def test_durations_are_clocks(ms, written):
    assert clock(ms) == written


@pytest.mark.parametrize(
    ("period", "written"),
    [
        (timedelta(seconds=5), "a moment"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=3), "3 days"),
        (timedelta(days=90), "3 mo"),
        (timedelta(days=800), "2 years"),
    ],
)
def test_spans_name_one_unit(period, written):
    assert span(period) == written


def test_times_carry_their_utc_for_the_script():
    at = timezone.now() - timedelta(hours=3)

    assert "data-tip>3 h ago</time>" in ago(at)
    assert "in 2 h" in ago(timezone.now() + timedelta(hours=2, minutes=1))
    assert ago(None) == "never"
    assert 'data-local="full"' in moment(at)
    assert f'datetime="{at:%Y-%m-%dT%H:%M:%S}Z"' in moment(at)


@pytest.mark.parametrize(
    ("title", "letters"),
    [
        ("", "~"),
        ("🔥🔥", "~"),
        ("美食街头", "美食"),
        ("#美食 street", "美食"),
        ("street food", "SF"),
        ("ωmega", "Ω"),
        ("\u202eabc", "A"),
    ],
)
def test_placeholders_have_up_to_two_letters(title, letters):
    assert initials(title) == letters


def test_a_thing_keeps_its_colour():
    assert hue(7) == hue("7")
    assert {hue(n) for n in range(200)} == set(range(12))
