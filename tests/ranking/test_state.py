"""What the state machine makes of counters that reset, glitch, lie or come late."""

import pytest

from ranking.scoring.state import METRICS, Guard, VideoState, advance, median

GUARD = Guard(dict.fromkeys(METRICS, 0.3))


def run(*snapshots: tuple[float, dict[str, int | None]], age: float | None = 10.0, guard: Guard = GUARD) -> VideoState:
    state = None
    for at, counts in snapshots:
        own_age = None if age is None else age + at
        state = advance(state, counts, at=at, age=own_age, horizon=24, guard=guard)
    assert state is not None
    return state


def test_the_first_rate_is_the_mean_over_the_age() -> None:
    state = run((0, {"likes": 500}), age=10)

    assert state.metrics["likes"].fast == state.metrics["likes"].slow == 50


def test_of_unknown_age_the_horizon_stands_in() -> None:
    assert run((0, {"likes": 240}), age=None).metrics["likes"].fast == 10


def test_a_zero_after_a_count_is_a_glitch() -> None:
    state = run((0, {"likes": 500, "comments": 5}), (1, {"likes": 0, "comments": 6}))

    assert (state.metrics["likes"].raw, state.metrics["likes"].at) == (500, 0)
    assert state.metrics["comments"].raw == 6


def test_zero_views_beside_reactions_are_not_shown_views() -> None:
    assert "views" not in run((0, {"views": 0, "likes": 500})).metrics


def test_a_counter_that_was_reset_counts_on_from_there() -> None:
    state = run((0, {"likes": 1000}), (1, {"likes": 400}), (2, {"likes": 450}), guard=Guard())

    assert (state.metrics["likes"].raw, state.metrics["likes"].total) == (450, 1050)


def test_one_counter_that_jumps_alone_is_clipped() -> None:
    honest: dict[str, int | None] = {"views": 1000, "likes": 100, "comments": 10, "shares": 10}
    state = run((0, honest), (1, {"views": 50_000, "likes": 101, "comments": 10, "shares": 10}))

    assert state.is_clipped
    assert state.metrics["views"].total < 1500
    assert state.metrics["views"].raw == 50_000


def test_a_counter_that_always_lagged_behind_loses_nothing_when_its_siblings_stop() -> None:
    guard = Guard({"likes": 0.3, "comments": -0.05})
    state = run((0, {"likes": 900, "comments": 3}), (1, {"likes": 900, "comments": 3}), guard=guard)

    assert (state.metrics["comments"].total, state.is_clipped) == (3, False)
    assert state.metrics["comments"].fast >= 0


def test_counters_that_jump_together_are_believed() -> None:
    state = run(
        (0, {"views": 1000, "likes": 100, "comments": 100, "shares": 100}),
        (1, {"views": 9000, "likes": 900, "comments": 900, "shares": 900}),
    )

    assert not state.is_clipped
    assert (state.moving, state.metrics["views"].total) == (4, 9000)


@pytest.mark.parametrize("at", [5.0, 4.0, -100.0])
def test_a_clock_that_goes_back_changes_nothing(at: float) -> None:
    state = run((5, {"likes": 10}))

    again = advance(state, {"likes": 99}, at=at, age=15, horizon=24, guard=GUARD)

    assert (again.metrics["likes"].raw, again.snapshots, again.last_at) == (10, 1, 5)


def test_a_missing_counter_keeps_its_state() -> None:
    state = run((0, {"likes": 10, "shares": 4}), (1, {"likes": 11, "shares": None}), (3, {"likes": 12, "shares": 8}))

    assert state.metrics["shares"].seen == 2
    assert state.metrics["shares"].at == 3


def test_two_short_steps_at_one_rate_equal_one_long_step() -> None:
    steady = run((0, {"likes": 100}), (1, {"likes": 110}), (3, {"likes": 130}), age=10, guard=Guard())
    at_once = run((0, {"likes": 100}), (3, {"likes": 130}), age=10, guard=Guard())

    assert steady.metrics["likes"].fast == pytest.approx(at_once.metrics["likes"].fast)
    assert steady.metrics["likes"].slow == pytest.approx(at_once.metrics["likes"].slow)


def test_years_between_snapshots_are_no_error() -> None:
    assert run((0, {"likes": 100}), (50_000, {"likes": 200})).metrics["likes"].fast == pytest.approx(100 / 50_000)


@pytest.mark.parametrize(("values", "middle"), [([], None), ([3.0], 3.0), ([1.0, 2.0], 1.5), ([9.0, 1.0, 2.0], 2.0)])
def test_median(values: list[float], middle: float | None) -> None:
    assert median(values) == middle
