"""Surges as people see them: their order, what confirms them, and what an empty page waits for."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.surging import surges_of, surging, waiting
from ranking import services
from tests.factories import BaselineFactory, MetricSnapshotFactory, RankingModelFactory, ScoreFactory, SurgeFactory, VideoFactory

pytestmark = pytest.mark.django_db


def ago(**period):
    return timezone.now() - timedelta(**period)


@pytest.fixture
def model():
    return RankingModelFactory()


def seen(**traits):
    """A video seen twice while all its counters grew, with a score."""
    video = VideoFactory(**traits)
    for hours, factor in ((2, 1), (0, 3)):
        MetricSnapshotFactory(
            video=video,
            observed_at=ago(hours=hours),
            views=10_000 * factor,
            likes=900 * factor,
            comments=80 * factor,
            shares=30 * factor,
        )
    services.rank([video.pk])
    return video


def shown():
    return {section.state: [foretold.card.id for foretold in section.shown] for section in surging()}


def test_open_ones_come_first_and_the_likeliest_of_them(model):
    calm, likely = ScoreFactory(reach=0.4).video, ScoreFactory(reach=0.9).video
    for video in (calm, likely):
        SurgeFactory(video=video, model=model, alerted=True)
    peaked = SurgeFactory(model=model, state="peaked", alerted_at=ago(hours=9), peaked_at=ago(hours=1)).video
    SurgeFactory(model=model, state="peaked", alerted_at=ago(days=4), peaked_at=ago(days=2))
    watched = SurgeFactory(model=model).video
    SurgeFactory(model=model, state="cleared", alerted_at=ago(hours=9), cleared_at=ago(hours=1))

    assert list(shown().items()) == [("open", [likely.pk, calm.pk]), ("peaked", [peaked.pk]), ("watch", [watched.pk])]


def test_more_are_counted_than_shown(model):
    for _ in range(5):
        SurgeFactory(model=model, alerted=True)

    section = surging(most=2)[0]

    assert (len(section.shown), section.count) == (2, 5)


def test_what_confirms_a_surge_is_named(model):
    video = seen()
    SurgeFactory(video=video, model=model, alerted=True, confirmed_at=timezone.now())

    (foretold,) = surging()[0].shown

    assert foretold.primary
    assert foretold.primary.metric == "views"
    assert foretold.primary.per_hour > 1_000
    assert foretold.confirmed_by == ["likes", "comments", "shares"]
    assert foretold.why
    assert foretold.why.head == "surge"
    assert foretold.probability == foretold.why.probability


def test_one_counter_alone_confirms_nothing(model):
    SurgeFactory(video=seen(), model=model, state="watch", confirmed_at=None)

    (foretold,) = surging()[2].shown

    assert foretold.confirmed_by == []


def test_the_page_costs_the_same_however_many_surge(model):
    def statements():
        surging()
        with CaptureQueriesContext(connection) as queries:
            surging()
        return len(queries)

    SurgeFactory(video=seen(), model=model, alerted=True)
    few = statements()
    for state in ("open", "peaked", "watch"):
        for _ in range(6):
            SurgeFactory(video=seen(), model=model, state=state, alerted_at=timezone.now(), peaked_at=timezone.now())

    assert statements() == few <= 7


def test_an_empty_house_waits_for_its_first_video():
    assert [section.count for section in surging()] == [0, 0, 0]
    assert waiting().since is None


def test_what_is_waited_for_is_counted(model):
    first = seen(first_seen_at=ago(days=3))
    VideoFactory(platform="tiktok")
    BaselineFactory(platform="douyin")
    SurgeFactory(model=model, state="cleared", alerted_at=ago(hours=9), cleared_at=ago(hours=1))

    told = waiting()

    assert told.since == first.first_seen_at
    assert told.seen_twice == 1
    assert told.platforms == [("tiktok", 1)]
    assert told.first_alert_at == told.last_alert_at is not None


def test_a_video_tells_its_own_surges_latest_first(model):
    video = VideoFactory()
    old = SurgeFactory(video=video, model=model, state="cleared", watched_at=ago(days=3), cleared_at=ago(days=2))
    new = SurgeFactory(video=video, model=model)
    SurgeFactory(model=model)

    assert surges_of(video.pk) == [new, old]
