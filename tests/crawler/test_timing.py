from datetime import UTC, datetime, timedelta

import pytest

from crawler.timing import BadCron, next_tick, pause_after

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "interval", "expected"),
    [
        ("", 60, "2026-11-20 13:30"),
        ("", 0, "2026-11-20 12:31"),
        ("0 */2 * * *", 60, "2026-11-20 14:00"),
        ("30 12 * * *", 60, "2026-11-21 12:30"),
        ("0 0 29 2 *", 60, "2028-02-29 00:00"),
    ],
)
def test_the_next_look_lies_after_now(cron, interval, expected):
    assert f"{next_tick(cron, interval, NOW):%Y-%m-%d %H:%M}" == expected


@pytest.mark.parametrize(
    "cron", ["x", "* * * *", "* * * * * *", "61 * * * *", "0 0 31 2 *", "@hourly", "*/0 * * * *", "R R * * *", "a" * 100]
)
def test_a_line_that_cannot_be_followed_is_refused(cron):
    with pytest.raises(BadCron):
        next_tick(cron, 60, NOW)


def test_refusals_in_a_row_are_waited_out_for_longer_and_a_day_at_most():
    pauses = [pause_after(failures, 60, 0.0) for failures in (1, 2, 3, 4, 5, 99)]

    assert pauses == [timedelta(hours=h) for h in (2, 4, 8, 16, 24, 24)]
    assert pause_after(1, 1, 0.0) == timedelta(minutes=30)
    assert pause_after(0, 60, 0.999) < timedelta(hours=2.5)
