"""A surge from its first sign to its end, told by the rows that people see."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from crawler.models import MetricSnapshot, Video
from monitoring import tasks
from monitoring.models import Pass
from ranking import baselines, learning, quality, services
from ranking.explanation import explain
from ranking.models import Baseline, Milestone, RankingModel, Score, Surge, SurgeState
from tests.factories import VideoFactory

pytestmark = pytest.mark.django_db
Counts = Callable[[float], dict[str, int]]
STEP = timedelta(minutes=30)


class World:
    """Sixty videos at rest, whose sizes span what a platform has, and others that move as told."""

    def __init__(self) -> None:
        self.start = timezone.now() - timedelta(days=4)
        self.hour = 0.0
        self.videos: dict[str, tuple[Video, Counts]] = {}
        for number in range(60):
            size = 500 * 1.12**number  # up to 400,000
            self.add(f"calm{number}", even(size, per_hour=size / 5000), age_hours=480)

    def add(self, name: str, counts: Counts, *, age_hours: float = 30) -> Video:
        born = self.now() - timedelta(hours=age_hours)
        video: Video = VideoFactory.create(platform="douyin", external_id=name, published_at=born)
        self.videos[name] = (video, counts)
        return video

    def now(self) -> datetime:
        return self.start + timedelta(hours=self.hour)

    def observe(self, steps: int = 1) -> None:
        for _ in range(steps):
            MetricSnapshot.objects.bulk_create(
                MetricSnapshot(video=video, observed_at=self.now(), **counts(self.hour)) for video, counts in self.videos.values()
            )
            services.rank([video.pk for video, _counts in self.videos.values()])
            self.hour += STEP.total_seconds() / 3600


def even(size: float, *, per_hour: float) -> Counts:
    return lambda hour: _all(size + per_hour * hour)


def wave(size: float, *, starts: float, peaks: float, gain: float) -> Counts:
    """Flat, then an S-shaped rise of `gain` around `peaks`."""
    return lambda hour: _all(size + (gain / (1 + math.exp(-(hour - peaks) * 8 / (peaks - starts))) if hour > starts else 0))


def _all(likes: float) -> dict[str, int]:
    return {"likes": int(likes), "comments": int(likes / 15), "shares": int(likes / 25)}


@pytest.fixture
def world() -> World:
    return World()


def test_a_surge_is_alerted_before_its_peak_and_followed_to_its_end(world: World) -> None:
    video = world.add("rising", wave(3000, starts=3, peaks=9, gain=900_000), age_hours=10)

    world.observe(50)

    surge = Surge.objects.get(video=video)
    peak = world.start + timedelta(hours=9)
    assert surge.alerted_at is not None
    assert surge.alerted_at < peak
    assert surge.watched_at <= surge.alerted_at
    assert surge.confirmed_at is not None
    assert surge.reached_at is not None
    assert surge.lead is not None
    assert surge.lead > timedelta(0)
    assert surge.peaked_at is not None
    assert surge.state in (SurgeState.PEAKED, SurgeState.CLEARED)
    assert Milestone.objects.get(video=video).reached_at == surge.reached_at


def test_while_it_lasts_the_score_says_so(world: World) -> None:
    video = world.add("rising", wave(3000, starts=3, peaks=9, gain=900_000), age_hours=10)

    world.observe(18)

    score = Score.objects.get(video=video)
    assert score.is_surging
    assert score.surging_since == Surge.objects.get(video=video).alerted_at
    assert not Score.objects.filter(video__external_id="calm5", is_surging=True).exists()


def test_one_counter_alone_is_watched_but_never_alerted(world: World) -> None:
    def bots(hour: float) -> dict[str, int]:
        return _all(40_000) | {"likes": 40_000 + (900_000 if hour > 3 else 0)}

    video = world.add("bots", bots)

    world.observe(14)

    assert not Surge.objects.filter(video=video, alerted_at__isnull=False).exists()
    assert not Score.objects.get(video=video).is_surging


def test_a_video_at_the_top_when_first_seen_is_nobodys_prophecy(world: World) -> None:
    world.observe(2)
    video = world.add("huge", even(5_000_000, per_hour=90_000))

    world.observe(4)

    assert not Surge.objects.filter(video=video).exists()
    assert not Milestone.objects.filter(video=video, reached_at__isnull=False).exists()


def test_one_surge_per_video_at_a_time_and_one_a_day(world: World) -> None:
    video = world.add("rising", wave(3000, starts=3, peaks=9, gain=900_000), age_hours=10)

    world.observe(30)
    services.rank([video.pk])
    services.rank([video.pk])

    assert Surge.objects.filter(video=video).count() == 1


def test_thresholds_are_what_staff_set_them_to(world: World) -> None:
    world.observe()
    RankingModel.objects.update(alert_threshold=1.0, watch_threshold=1.0)
    video = world.add("rising", wave(3000, starts=3, peaks=9, gain=900_000), age_hours=10)

    world.observe(20)

    assert not Surge.objects.filter(video=video).exists()


def test_a_new_model_judges_what_is_live_at_once(world: World) -> None:
    world.observe()
    RankingModel.objects.update(alert_threshold=1.0)
    video = world.add("rising", wave(3000, starts=3, peaks=9, gain=900_000), age_hours=10)
    world.observe(14)
    before = Surge.objects.get(video=video)
    assert before.state == SurgeState.WATCH
    old = RankingModel.objects.get(state="active", family="reactions")
    new = RankingModel.objects.create(
        family="reactions", origin="fitted", data=old.data, alert_threshold=0.2, watch_threshold=old.watch_threshold
    )

    learning.activate(new)

    after = Surge.objects.get(video=video)
    assert (after.state, after.alerted_at, after.low_streak) == (SurgeState.OPEN, before.observed_at, before.low_streak)
    assert Score.objects.get(video=video).is_surging
    learning.activate(old)
    assert Surge.objects.get(video=video).state == SurgeState.OPEN, "what was said stays said"


def test_the_explanation_adds_up_and_speaks_in_numbers(world: World, django_assert_num_queries: Any) -> None:
    video = world.add("rising", wave(3000, starts=3, peaks=9, gain=900_000), age_hours=10)
    world.observe(18)
    baselines.refresh()

    with django_assert_num_queries(4):
        told = explain([video.pk])[video.pk]

    model = RankingModel.objects.get(pk=told.model_version)
    head = model.data["heads"]["virality"]
    average = head["intercept"] + sum(w * m for w, m in zip(head["weights"], model.data["means"], strict=True))
    logit = math.log(told.probability / (1 - told.probability))
    assert average + sum(share.points for share in told.contributions) == pytest.approx(logit, abs=0.05)
    assert {share.group for share in told.contributions} >= {"age", "likes"}
    assert told.times_usual is not None
    assert told.times_usual > 5
    assert told.robust_z is not None
    assert told.robust_z > 2
    now, before = video.snapshots.order_by("-observed_at")[0], video.snapshots.order_by("-observed_at")[2]
    assert now.observed_at - before.observed_at == timedelta(hours=1)
    assert told.rates[0].metric == "likes"
    assert now.likes is not None
    assert before.likes is not None
    assert told.rates[0].per_hour == pytest.approx(now.likes - before.likes)
    assert not told.is_fallback


def test_nothing_is_foretold_of_what_is_as_good_as_there(world: World) -> None:
    world.observe(2)
    baselines.refresh()
    level = Baseline.objects.get(age_bucket=-1).level
    nearly = world.add("nearly", wave(level * 0.85, starts=2, peaks=5, gain=900_000), age_hours=10)
    early = world.add("early", wave(level * 0.1, starts=2, peaks=5, gain=900_000), age_hours=10)

    world.observe(10)

    assert Surge.objects.filter(video=early, alerted_at__isnull=False).exists()
    assert not Surge.objects.filter(video=nearly).exists()
    assert not Milestone.objects.filter(video=nearly, reached_at__isnull=False).exists()


@pytest.mark.parametrize(("share", "is_foretold"), [(1.3, False), (0.9, True)])
def test_a_leap_between_two_looks_is_told_but_foretold_only_below_the_level(
    world: World, share: float, is_foretold: bool
) -> None:
    world.observe()
    baselines.refresh()
    level = Baseline.objects.get(age_bucket=-1).level
    leaps = world.add("leaps", lambda hour: _all(level * (0.2 if hour < 2 else share if hour < 2.5 else 1.3)), age_hours=10)

    world.observe(8)

    surge = Surge.objects.get(video=leaps)
    assert surge.alerted_at is not None
    assert surge.reached_at is not None
    assert (surge.reached_at > surge.alerted_at) == is_foretold
    ours = quality.total(quality.lines(timezone.now()), "default")
    assert (ours.right, ours.events, ours.foretold) == (is_foretold, 1, is_foretold)


def test_a_video_of_the_top_whose_counters_dip_and_return_leaps_nowhere(world: World) -> None:
    world.observe()
    baselines.refresh()
    level = Baseline.objects.get(age_bucket=-1).level
    dips = world.add("dips", lambda hour: _all(level * (0.3 if hour == 2 else 0.95)), age_hours=10)

    world.observe(8)

    assert not Surge.objects.filter(video=dips, alerted_at__isnull=False).exists()


def test_who_looks_often_makes_no_surge_by_it(world: World) -> None:
    world.observe()
    baselines.refresh()
    level = Baseline.objects.get(age_bucket=-1).level
    calm = world.add("calm", even(level * 0.6, per_hour=level / 1000), age_hours=130)

    world.observe(3)
    early = Score.objects.get(video=calm).reach
    world.observe(45)

    late = Score.objects.get(video=calm).reach
    assert not Surge.objects.filter(video=calm).exists()
    assert early is not None
    assert late is not None
    assert late < max(2 * early, 0.01)


def test_a_platform_with_few_videos_says_that_it_borrows() -> None:
    video: Any = VideoFactory(platform="new")
    MetricSnapshot.objects.create(video=video, observed_at=timezone.now(), likes=10, comments=1, shares=1)
    services.rank([video.pk])

    assert explain([video.pk])[video.pk].is_fallback
    assert not Baseline.objects.exists()


def test_a_second_platform_is_measured_by_its_own_videos_within_the_minute(
    world: World, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.observe()
    for number in range(30):
        video: Any = VideoFactory(platform="tiktok", external_id=f"t{number}")
        MetricSnapshot.objects.create(video=video, observed_at=timezone.now(), likes=1000 + number, comments=9, shares=9)
        services.rank([video.pk])
    assert not Baseline.objects.filter(platform="tiktok").exists()

    tasks.refresh_baselines()

    assert Baseline.objects.get(platform="tiktok", age_bucket=-1).level == pytest.approx(1027.55)
    Baseline.objects.update(computed_at=timezone.now())  # as outside of this test's one transaction
    with django_assert_max_num_queries(7):
        tasks.refresh_baselines()  # nothing new since
    assert Pass.objects.filter(name="baselines").count() == 1
    monkeypatch.setattr(baselines, "FEW_VIDEOS", 90)
    Baseline.objects.update(computed_at=timezone.now() - baselines.LASTS / 2, level=1.0)
    tasks.refresh_baselines()  # many videos, and looked lately
    assert set(Baseline.objects.values_list("level", flat=True)) == {1.0}
    Baseline.objects.update(computed_at=timezone.now() - baselines.LASTS)
    tasks.refresh_baselines()
    assert Baseline.objects.get(platform="tiktok", age_bucket=-1).level == pytest.approx(1027.55)


def test_quality_counts_ours_beside_the_classic_rule(world: World) -> None:
    world.add("rising", wave(3000, starts=3, peaks=9, gain=900_000), age_hours=10)
    world.add("small", wave(100, starts=3, peaks=9, gain=400), age_hours=20)  # +400 %, and still nothing
    world.observe(50)

    later = timezone.now() + timedelta(days=1)
    told = quality.lines(later)

    ours, classic = quality.total(told, "default"), quality.total(told, "classic")
    assert (ours.alerts, ours.right, ours.recall) == (1, 1, 1.0)
    assert ours.lead_hours is not None
    assert classic.alerts == 2
    assert classic.wrong == 1
    assert classic.precision == 0.5
    assert sum(bin_.surges for bin_ in quality.calibration(later)) >= 1
