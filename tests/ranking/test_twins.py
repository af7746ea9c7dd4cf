"""The state machine and the heads, once in Python and once in SQL: the same numbers to 1e-6."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import isclose
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.models import MetricSnapshot, Video
from ranking import pulse, services, surges
from ranking.explanation import video_state
from ranking.models import Baseline, CounterState, Family, Score
from ranking.scoring import features, series
from ranking.scoring.series import Item, Snapshot
from ranking.scoring.state import METRICS, VideoState, advance

pytestmark = pytest.mark.django_db
SERIES = ["youtube_us_daily", "reddit_hourly", "bilibili_popular_daily_part1"]
CLOSE = 1e-6


def store(items: Sequence[Item]) -> list[Video]:
    videos = Video.objects.bulk_create(
        Video(platform="p", external_id=item.key, url="https://example.org/", published_at=_time(item.published))
        for item in items
    )
    MetricSnapshot.objects.bulk_create(
        (
            MetricSnapshot(video=video, observed_at=_moment(snapshot.at), followers=snapshot.followers, **dict(snapshot.counts))
            for video, item in zip(videos, items, strict=True)
            for snapshot in item.snapshots
        ),
        batch_size=5000,
    )
    return videos


def _time(hours: float | None) -> datetime | None:
    return None if hours is None else _moment(hours)


def _moment(hours: float) -> datetime:
    return datetime.fromtimestamp(round(hours * 3600), UTC)


def assert_twins(items: Sequence[Item], *, level: float | None = None) -> None:
    """Run both over the items and compare every state and every probability; `level`: what is known of the platform's top."""
    videos = store(items)
    ids = [video.pk for video in videos]

    applied = surges.observe(ids)

    assert applied == sum(len(item.snapshots) for item in items)
    states = CounterState.objects.in_bulk(ids)
    scores = Score.objects.in_bulk(ids)
    active = pulse.active_models()
    for video, item in zip(videos, items, strict=True):
        state: VideoState | None = None
        for snapshot in item.snapshots:
            known = None if state is None else state.metrics.get("views")
            kit = active["views" if snapshot.counts["views"] or (known and known.raw) else "reactions"].model
            state = advance(
                state,
                snapshot.counts,
                at=snapshot.at,
                age=item.age(snapshot.at),
                horizon=kit.horizon,
                guard=kit.guard,
            )
        assert state is not None
        stored = video_state(states[video.pk])
        assert (stored.snapshots, stored.moving, stored.is_clipped) == (state.snapshots, state.moving, state.is_clipped)
        assert stored.metrics.keys() == state.metrics.keys()
        for metric, expected in state.metrics.items():
            for name in ("raw", "at", "total", "fast", "slow", "seen"):
                told, wanted = getattr(stored.metrics[metric], name), getattr(expected, name)
                assert told is not None
                assert isclose(told, wanted, rel_tol=CLOSE, abs_tol=CLOSE), (item.key, metric, name, told, wanted)
        vector = features.vector(
            state,
            age=item.age(state.last_at),
            followers=item.snapshots[-1].followers,
            horizon=kit.horizon,
            primary=kit.primary,
            scale=1 if level is None else kit.level / level,
        )
        score = scores[video.pk]
        for head, told in (("virality", score.virality), ("breakout", score.breakout), ("surge", score.reach)):
            assert told is not None
            assert isclose(told, kit.probability(head, vector), abs_tol=CLOSE), (item.key, head)


@pytest.mark.parametrize("name", SERIES)
def test_they_agree_on_real_series(name: str, shared_dir: Path) -> None:
    items = series.read(shared_dir / "timeseries" / f"{name}.csv.gz").items

    assert_twins(items[:: max(1, len(items) // 400)])


COUNT = st.none() | st.sampled_from([0, 1, 20, 10**12]) | st.integers(0, 10**10) | st.integers(0, 300)


@st.composite
def generated(draw: st.DrawFn) -> list[Item]:
    items = []
    for number in range(draw(st.integers(1, 5))):
        steps = draw(st.lists(st.integers(1, 100_000), min_size=1, max_size=7))
        start, snapshots = 480_000 * 3600, []
        for step in steps:
            start += step
            counts = {metric: draw(COUNT) for metric in METRICS}
            snapshots.append(Snapshot(start / 3600, counts, draw(st.none() | st.integers(0, 10**8))))
        published = draw(st.none() | st.integers(-10_000_000, 1_000))
        born = None if published is None else 480_000 + published / 3600
        items.append(Item(str(number), born, "", snapshots))
    return items


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=generated(), level=st.none() | st.floats(1, 1e12))
def test_they_agree_on_generated_series(items: list[Item], level: float | None) -> None:
    """Also of views that appear late, and on a platform of its own size."""
    for table in (Video, MetricSnapshot, Baseline):
        table.objects.all().delete()
    if level is not None:
        usual = {"age_bucket": -1, "videos": 50, "median_size": 1, "level": level, "median_rate": 0, "spread_rate": 0}
        Baseline.objects.bulk_create(Baseline(platform="p", family=family, **usual) for family in Family.values)
    assert_twins(items, level=level)


def test_a_rate_that_fades_for_ever_is_no_error() -> None:
    """PostgreSQL refuses a product too small for a float, where Python makes it 0."""
    hours = [*(200.0 * step for step in range(23)), *(200.0 * 22 + step for step in range(1, 60))]

    assert_twins([Item("dead", 479_990.0, "", [Snapshot(480_000 + hour, dict.fromkeys(METRICS, 7)) for hour in hours])])


def test_counters_as_large_as_the_crawler_lets_in_are_scored() -> None:
    most = dict.fromkeys(METRICS, 10**12)

    assert_twins(
        [
            Item("born so", 479_999.9, "", [Snapshot(480_000.0, most, 10**12)]),
            Item("of no age", None, "", [Snapshot(480_000.0, dict.fromkeys(METRICS, 1)), Snapshot(480_000.1, most, 10**12)]),
        ]
    )


def test_a_snapshot_is_applied_once_however_often_it_is_asked_for() -> None:
    items = [
        Item("a", 480_000.0, "", [Snapshot(480_010.0, dict.fromkeys(METRICS, 5)), Snapshot(480_011.0, dict.fromkeys(METRICS, 9))])
    ]
    ids = [video.pk for video in store(items)]

    assert services.rank(ids) == 2
    assert services.rank(ids) == 0
    assert services.rank_all() == 0


def test_a_counter_that_appears_late_joins_the_others() -> None:
    counts = {"views": None, "likes": 10, "comments": 1, "shares": None}
    items = [Item("a", 480_000.0, "", [Snapshot(480_010.0, counts), Snapshot(480_011.0, {**counts, "likes": 20, "shares": 7})])]
    ids = [video.pk for video in store(items)]

    services.rank(ids)

    state = video_state(CounterState.objects.get())
    assert (state.metrics["shares"].seen, state.metrics["likes"].seen) == (1, 2)
    assert "views" not in state.metrics
