"""History thins with age and keeps its first points; whole months leave at the end."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from crawler.models import MetricSnapshot
from crawler.partitions import TABLE, ensure_partitions
from crawler.thinning import drop_expired, thin
from tests.factories import VideoFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 2, 20, tzinfo=UTC)


def observe(*, days_ago: float, every_minutes: int, hours: int = 24) -> None:
    start = (NOW - timedelta(days=days_ago)).replace(hour=0, minute=0)
    MetricSnapshot.objects.bulk_create(
        MetricSnapshot(video=VIDEO["video"], observed_at=start + timedelta(minutes=minute), likes=minute)
        for minute in range(0, hours * 60, every_minutes)
    )


VIDEO: dict = {}


@pytest.fixture(autouse=True)
def _video():
    VIDEO["video"] = VideoFactory.create()


@pytest.mark.parametrize(("days_ago", "left"), [(3, 144), (9, 24), (70, 1)])
def test_after_a_week_an_hour_and_after_two_months_a_day_keeps_one(days_ago, left):
    observe(days_ago=days_ago, every_minutes=10)

    thin(NOW)

    kept = list(MetricSnapshot.objects.order_by("observed_at").values_list("likes", flat=True))
    assert len(kept) == left
    assert kept[0] == 0  # the first of each hour or day stays


def test_thinning_again_removes_nothing_and_the_next_night_only_looks_at_what_came_of_age():
    observe(days_ago=9, every_minutes=10)
    observe(days_ago=7, every_minutes=10)

    first = thin(NOW)
    again = thin(NOW, since=NOW)
    next_night = thin(NOW + timedelta(days=1), since=NOW)

    assert (first["hourly"], again["hourly"], next_night["hourly"]) == (120, 0, 120)


def test_two_videos_do_not_thin_each_other():
    observe(days_ago=9, every_minutes=60)
    VIDEO["video"] = VideoFactory.create()
    observe(days_ago=9, every_minutes=60)

    assert thin(NOW)["hourly"] == 0


def test_a_month_goes_only_when_all_of_it_is_older_than_retention():
    ensure_partitions(datetime(2024, 1, 5, tzinfo=UTC))
    observe(days_ago=(NOW - datetime(2024, 1, 31, tzinfo=UTC)).days, every_minutes=600)
    observe(days_ago=(NOW - datetime(2024, 2, 20, tzinfo=UTC)).days, every_minutes=600)

    dropped = drop_expired(NOW, NOW - datetime(2024, 2, 10, tzinfo=UTC))

    assert dropped == [f"{TABLE}_2024_01"]
    assert {moment.month for moment in MetricSnapshot.objects.values_list("observed_at", flat=True)} == {2}
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"{TABLE}_2024_01"])
        assert cursor.fetchone() == (None,)


def test_old_rows_without_a_month_of_their_own_go_too():
    MetricSnapshot.objects.create(video=VIDEO["video"], observed_at=datetime(2009, 1, 1, tzinfo=UTC))

    drop_expired(NOW, timedelta(days=730))

    assert not MetricSnapshot.objects.exists()
