"""Where to look next: by age and promise, within what a platform may be asked."""

from datetime import timedelta
from typing import Any

import pytest
from constance import config
from django.utils import timezone

from crawler.models import MetricSnapshot, ObserveJob, Video
from ranking import plan, services
from ranking.models import Score, Surge
from tests.factories import VideoFactory

pytestmark = pytest.mark.django_db


def seen(*, age_hours: float, hours_ago: float, **changes: Any) -> Video:
    """A video of that age now, last observed so long ago."""
    now = timezone.now()
    video: Video = VideoFactory.create(published_at=now - timedelta(hours=age_hours), **changes)
    MetricSnapshot.objects.create(video=video, observed_at=now - timedelta(hours=hours_ago), likes=10, comments=1, shares=1)
    services.rank([video.pk])
    return video


@pytest.mark.parametrize(("age_hours", "interval"), [(0.9, 0.5), (1.5, 1), (3, 2), (7, 4), (20, 8), (100, 24), (13 * 24, 24)])
def test_the_interval_grows_with_age(age_hours: float, interval: float) -> None:
    early = seen(age_hours=age_hours, hours_ago=interval * 0.9)
    due = seen(age_hours=age_hours, hours_ago=interval * 1.1)

    planned = {look.video_id: look for look in plan.planned(timezone.now())}

    assert planned.keys() == {due.pk}
    assert planned[due.pk].interval_hours == interval
    assert early.pk in {look.video_id for look in plan.planned(timezone.now() + timedelta(hours=interval))}


def test_old_gone_and_unreadable_ones_are_left_alone() -> None:
    seen(age_hours=15 * 24, hours_ago=50)
    seen(age_hours=100, hours_ago=50, gone_at=timezone.now())
    seen(age_hours=100, hours_ago=50, platform="nobody")

    assert plan.planned(timezone.now()) == []


def test_what_surges_is_seen_every_half_hour_whatever_its_age() -> None:
    video = seen(age_hours=20 * 24, hours_ago=0.6)
    score = Score.objects.get(video=video)
    Surge.objects.create(
        video=video, model=score.model, state="open", watched_at=timezone.now(), probability=0.5, highest=0.5,
        level=1, observed_at=timezone.now(),
    )  # fmt: skip

    (look,) = plan.planned(timezone.now())

    assert (look.reason, look.interval_hours) == ("surging", 0.5)


def test_promise_doubles_the_looks_at_older_videos() -> None:
    video = seen(age_hours=100, hours_ago=13)
    assert plan.planned(timezone.now()) == []

    Score.objects.filter(video=video).update(virality=0.4)

    assert [look.reason for look in plan.planned(timezone.now())] == ["promising"]


def test_asking_stays_within_the_budget_and_asks_for_nothing_twice() -> None:
    config.OBSERVATIONS_PER_HOUR = 12
    for _ in range(8):
        seen(age_hours=0.9, hours_ago=0.8)

    first, second = plan.ask(), plan.ask()

    assert (first, second) == ({"douyin": 2}, {"douyin": 2})
    assert ObserveJob.objects.values("video").distinct().count() == 4
    cost = next(cost for cost in plan.costs() if cost.platform == "douyin")
    assert (cost.asked_last_hour, cost.asked_last_day, cost.left) == (4, 4, 8)


def test_a_budget_of_nothing_switches_it_off() -> None:
    config.OBSERVATIONS_PER_HOUR = 0
    seen(age_hours=0.9, hours_ago=0.8)

    assert plan.ask() == {}
    assert not ObserveJob.objects.exists()
