from datetime import timedelta

import pytest

from jobs.retry import LONGEST, LONGEST_ASKED, backoff, bounded


@pytest.mark.parametrize(
    ("attempt", "code", "seconds"),
    [
        (1, "", 10),
        (2, "", 20),
        (3, "", 40),
        (1, "network", 5),
        (2, "network", 10),
        (1, "blocked", 900),
        (2, "blocked", 1800),
        (3, "blocked", 3600),
        (4, "blocked", 3600),
        (9, "worker_lost", 512),
        (0, "", 10),
        (-7, "", 10),
        (99, "", 3600),
        (32_767, "worker_lost", 3600),
        (10**9, "a code nobody knows", 3600),
    ],
)
def test_backoff_doubles_from_the_base_of_its_code_up_to_an_hour(attempt, code, seconds):
    assert backoff(attempt, code, jitter=0) == timedelta(seconds=seconds)


def test_jitter_takes_off_up_to_half():
    pauses = [backoff(3, "network") for _ in range(200)]

    assert all(timedelta(seconds=10) < pause <= timedelta(seconds=20) for pause in pauses)
    assert len(set(pauses)) > 100
    assert backoff(99, jitter=0.999) > LONGEST / 2


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (timedelta(minutes=5), timedelta(minutes=5)),
        (timedelta(0), timedelta(0)),
        (timedelta(days=-3), timedelta(0)),
        (timedelta.max, LONGEST_ASKED),
        (timedelta.min, timedelta(0)),
    ],
)
def test_a_pause_from_outside_is_never_negative_and_a_week_at_most(asked, given):
    assert bounded(asked) == given
