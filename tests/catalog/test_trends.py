"""Trends: shares and medians of topics, authors, sounds and sources, and who may see which."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.trends import trends
from ranking.models import CounterState
from tests.factories import (
    AuthorFactory,
    BaselineFactory,
    RankingModelFactory,
    SoundFactory,
    SourceFactory,
    SourceVideoFactory,
    SurgeFactory,
    VideoFactory,
)

pytestmark = pytest.mark.django_db


def ago(**period):
    return timezone.now() - timedelta(**period)


@pytest.fixture
def model():
    return RankingModelFactory()


def seen(per_hour=100.0, size=10_000, at=None, views=True, **traits):
    """A video whose primary counter rises so fast."""
    video = VideoFactory(**traits)
    at = at or timezone.now()
    places = ([size, None] if views else [None, size]) + [None, None]
    rates = [per_hour if place is not None else None for place in places]
    CounterState.objects.create(
        video=video, first_at=at, last_at=at, snapshots=2, moving=2, is_clipped=False,
        raw=places, hour=rates, total=rates, fast=rates, slow=rates, seen=[1] * 4,
    )  # fmt: skip
    return video


def named(found):
    return [trend.name for trend in found]


def test_topics_go_by_the_share_that_surged(model):
    for n in range(4):
        hot = seen(hashtags=["Food", "all"], per_hour=100 + n)
        seen(hashtags=["cats", "all"])
        if n < 2:
            SurgeFactory(video=hot, model=model, alerted=True)

    food, whole, cats = trends("topics")

    assert named([food, whole, cats]) == ["food", "all", "cats"]
    assert (food.videos, food.surges, food.share) == (4, 2, 0.5)
    assert (whole.videos, whole.surges) == (8, 2)
    assert cats.surges == 0


def test_growth_is_the_median_in_three_measures(model):
    author = AuthorFactory(name="A")
    BaselineFactory(platform="douyin", age_bucket=5, median_rate=0.0)  # 1 an hour and 1 more is usual at two days
    for per_hour, size in ((1, 1_000), (99, 10_000), (5_000, 10_000_000)):
        seen(author=author, per_hour=per_hour, size=size)

    (trend,) = trends("authors")

    assert (trend.name, trend.id) == ("A", author.pk)
    assert trend.per_hour == 99
    assert trend.per_day == pytest.approx(24 * 1 / 1_000)  # of 0.012, 0.024 and 0.24
    assert trend.times_usual == pytest.approx(100)


def test_likes_speak_where_no_views_are_shown(model):
    sound = SoundFactory(title="S")
    for _ in range(3):
        seen(sound=sound, per_hour=7, views=False)

    (trend,) = trends("sounds")

    assert (trend.per_hour, trend.times_usual) == (7, None)


def test_two_videos_are_no_trend_and_old_looks_are_not_of_this_period(model):
    for _ in range(2):
        seen(hashtags=["two"])
    for _ in range(3):
        seen(hashtags=["yesterday"], at=ago(hours=30))
        seen(hashtags=["last month"], published_at=ago(days=30))

    assert named(trends("topics", "24h")) == []
    assert named(trends("topics", "7d")) == ["yesterday"]


def test_one_lucky_video_of_three_does_not_lead(model):
    for n in range(30):
        video = seen(hashtags=["many"])
        if n < 12:
            SurgeFactory(video=video, model=model, alerted=True)
    for n in range(3):
        video = seen(hashtags=["few"])
        if n < 1:
            SurgeFactory(video=video, model=model, alerted=True)

    assert named(trends("topics")) == ["many", "few"]


def test_a_workspace_sees_its_own_sources_and_nobody_elses(model):
    mine, theirs = SourceFactory(value="mine"), SourceFactory(value="theirs")
    for _ in range(3):
        video = seen()
        for source in (mine, theirs):
            SourceVideoFactory(source=source, video=video)

    assert named(trends("sources", workspace_id=mine.workspace_id)) == ["mine"]
    assert trends("sources") == []


@pytest.mark.parametrize("by", ["topics", "authors", "sounds", "sources"])
def test_a_page_takes_two_statements(by, model):
    author, sound, source = AuthorFactory(), SoundFactory(), SourceFactory()
    for _ in range(9):
        video = seen(author=author, sound=sound, hashtags=["a", "b"])
        SourceVideoFactory(source=source, video=video)
        SurgeFactory(video=video, model=model, alerted=True)

    with CaptureQueriesContext(connection) as queries:
        found = trends(by, workspace_id=source.workspace_id)

    assert found
    assert len(found[0].examples) == 3
    assert len(queries) == 2
