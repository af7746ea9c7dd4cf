"""Curves as SVG paths: through all points, never overshooting, whatever the numbers."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages import charts
from pages.charts import Mark
from pages.templatetags.groundswell import tick

BEGIN = datetime(2026, 11, 20, tzinfo=UTC)


def ys(path):
    return [float(y) for _x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)]


def drawn(path):
    """The y of points all along a path of cubic curves."""
    points = ys(path)
    for start, a, b, end in zip(points[0::3], points[1::3], points[2::3], points[3::3], strict=False):
        for t in (0, 0.25, 0.5, 0.75, 1):
            yield (1 - t) ** 3 * start + 3 * (1 - t) ** 2 * t * a + 3 * (1 - t) * t * t * b + t**3 * end


def hourly(values):
    return [(BEGIN + timedelta(hours=n), value) for n, value in enumerate(values)]


@pytest.mark.parametrize("values", [[], [5]])
def test_one_observation_is_no_curve(values):
    assert charts.sparkline(hourly(values)) is None


def test_two_observations_of_one_moment_are_no_curve():
    assert charts.sparkline([(BEGIN, 5), (BEGIN, 6)]) is None


def test_a_sparkline_is_drawn_by_time_whenever_was_looked():
    looks = [(BEGIN + timedelta(minutes=minutes), minutes) for minutes in (0, 6, 12, 18, 60)]
    curve = charts.sparkline(looks, width=100)

    assert curve is not None
    assert [float(x) for x in re.findall(r"(-?[\d.]+) -?[\d.]+(?=C|$)", curve.line)] == [0, 10, 20, 30, 100]


def test_a_flat_history_is_a_line_at_the_bottom():
    curve = charts.sparkline(hourly([7, 7, 7]), height=28, floor=3)

    assert curve is not None
    assert set(ys(curve.line)) == {26.5}


@given(st.lists(st.integers(0, 2**62), min_size=2, max_size=60))
def test_a_sparkline_stays_in_its_box(values):
    curve = charts.sparkline(hourly(values), width=100, height=28)

    assert curve is not None
    assert all(-0.1 <= y <= 28.1 for y in ys(curve.line))


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=40).map(sorted), st.data())
def test_a_counter_that_only_grows_is_drawn_only_growing(values, data):
    minutes = sorted(data.draw(st.sets(st.integers(0, 20_000), min_size=len(values), max_size=len(values))))
    curve = charts.sparkline([(BEGIN + timedelta(minutes=n), value) for n, value in zip(minutes, values, strict=True)])

    assert curve is not None
    assert all(after <= before + 0.11 for before, after in pairwise(drawn(curve.line)))  # y points down; a tenth is rounding


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0, 0), (5, 5), (0, 7), (13, 14), (0, 999), (123_456, 123_470), (0, 10**15), (0, 3.3e9)]
)
def test_ticks_are_few_and_cover_the_range(low, high):
    ticks = charts.nice_ticks(low, high)

    assert 2 <= len(ticks) <= 8
    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert all(tick == round(tick) for tick in ticks)


@pytest.mark.parametrize("counts", [(199_242, 199_242), (199_242, 199_243), (999_999, 1_000_004), (5_374_951, 5_374_990), (7, 7)])
def test_numbers_of_an_axis_stay_short_where_hardly_anything_changed(counts):
    chart = charts.growth([(BEGIN + timedelta(hours=n), count) for n, count in enumerate(counts)])

    assert chart
    said = [tick(value, chart.step) for _, value in chart.values]
    assert max(map(len, said)) <= 6
    assert len(set(said)) == len(said)


@pytest.mark.parametrize(
    "span", [timedelta(minutes=2), timedelta(minutes=47), timedelta(hours=5), timedelta(days=3), timedelta(days=400)]
)
def test_times_on_the_axis_are_few_and_inside(span):
    begins = BEGIN + timedelta(minutes=13)
    ticks = charts.time_ticks(begins, begins + span)

    assert 1 <= len(ticks) <= 6
    assert all(begins <= tick <= begins + span for tick in ticks)


def test_a_chart_marks_only_what_lies_in_it():
    history = [(BEGIN, 10), (BEGIN + timedelta(hours=5), 90)]
    chart = charts.growth(
        history, marks=[Mark(BEGIN + timedelta(hours=1), "in", "alert"), Mark(BEGIN - timedelta(hours=1), "out")]
    )

    assert chart is not None
    assert [(mark.words, mark.kind) for mark in chart.marks] == [("in", "alert")]
    assert [dot.value for dot in chart.dots] == [10, 90]
    assert chart.left <= chart.dots[0].x < chart.dots[1].x <= chart.right


def test_words_of_moments_close_together_stand_below_each_other():
    history = [(BEGIN + timedelta(hours=n), n) for n in range(25)]
    near = [Mark(BEGIN + timedelta(hours=hours), words) for hours, words in ((3, "watched"), (3.5, "alert"), (4, "top level"))]
    far = Mark(BEGIN + timedelta(hours=20), "past its peak")

    chart = charts.growth(history, marks=[far, *reversed(near)])

    assert chart
    assert [(mark.words, mark.row) for mark in chart.marks] == [
        ("watched", 0),
        ("alert", 1),
        ("top level", 2),
        ("past its peak", 0),
    ]
    assert chart.marks[0].dy == "0.85em"


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(minutes=10), timedelta(hours=1)])
def test_two_moments_minutes_apart_have_their_words_on_either_side(apart):
    history = [(BEGIN + timedelta(hours=n), n) for n in range(25)]
    watched = Mark(BEGIN + timedelta(hours=8), "watched")

    chart = charts.growth(history, marks=[watched, Mark(watched.at + apart, "alert")])

    assert chart
    assert [(mark.words, mark.anchor, mark.row) for mark in chart.marks] == [("watched", "end", 0), ("alert", "start", 0)]


@pytest.mark.parametrize("history", [[], [(BEGIN, 1)], [(BEGIN, 1), (BEGIN, 2)]])
def test_a_chart_needs_two_moments(history):
    assert charts.growth(history) is None
