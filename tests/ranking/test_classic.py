"""The classic score: the formula as people know it, in Python and in SQL."""

from datetime import timedelta
from math import isfinite
from typing import Any

import pytest
from constance import config
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.models import MetricSnapshot
from crawler.signals import videos_observed
from ranking import services
from ranking.classic import weights
from ranking.models import Score
from ranking.scoring.classic import WINDOW, Weights, classic, momentum
from tests.factories import MetricSnapshotFactory, VideoFactory

COUNTS = st.none() | st.integers(0, 10**12)


@pytest.mark.parametrize(
    ("counts", "score"),
    [
        ({"views": 1000, "likes": 100, "shares": 10}, 442.0),
        ({"views": None, "likes": 100, "shares": 10}, (0.4 * 100 + 0.2 * 10) / 0.6),
        ({"views": 0, "likes": 0, "shares": 0}, 0.0),
        ({"views": None, "likes": None, "shares": None}, 0.0),
        ({"views": 1000, "likes": None, "shares": None}, 1000.0),
    ],
)
def test_hidden_counters_give_their_weight_to_the_others(counts: dict[str, Any], score: float) -> None:
    assert classic(counts, Weights()) == pytest.approx(score)


@pytest.mark.parametrize(
    ("now", "before", "change"),
    [
        ({"likes": 150, "shares": 0}, {"likes": 100, "shares": 0}, 0.5),
        ({"likes": 150, "views": 9000}, {"likes": 100}, 0.5),  # views just appeared: only likes can be compared
        ({"likes": 150}, {"likes": 0}, None),
        ({"views": 5}, {"likes": 5}, None),
    ],
)
def test_momentum_compares_what_both_observations_show(now: Any, before: Any, change: float | None) -> None:
    told = momentum(now, before, Weights())
    assert told == (None if change is None else pytest.approx(change))


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    series=st.lists(
        st.lists(
            st.tuples(st.integers(0, 4000), st.fixed_dictionaries({"views": COUNTS, "likes": COUNTS, "shares": COUNTS})),
            min_size=1,
            max_size=6,
            unique_by=lambda snapshot: snapshot[0],
        ),
        min_size=1,
        max_size=8,
    )
)
def test_sql_and_python_agree(series: list[list[tuple[int, dict[str, int | None]]]]) -> None:
    start = timezone.now() - timedelta(days=3)
    videos = VideoFactory.create_batch(len(series))
    MetricSnapshot.objects.bulk_create(
        MetricSnapshot(video=video, observed_at=start + timedelta(minutes=minute), **counts)
        for video, snapshots in zip(videos, series, strict=True)
        for minute, counts in snapshots
    )

    services.rank([video.pk for video in videos])

    for video, snapshots in zip(videos, series, strict=True):
        ordered = sorted(snapshots, key=lambda snapshot: snapshot[0])
        minute, counts = ordered[-1]
        day_old = [c for m, c in ordered if m <= minute - WINDOW.total_seconds() / 60]
        before = day_old[-1] if day_old else (ordered[0][1] if len(ordered) > 1 else None)
        change = momentum(counts, before, Weights()) if before else None
        score = Score.objects.get(video=video)
        assert score.classic == pytest.approx(classic(counts, Weights()), rel=1e-6)
        assert score.momentum == (None if change is None else pytest.approx(change, rel=1e-6, abs=1e-6))


@pytest.mark.django_db
def test_a_page_that_was_recorded_is_scored_at_once() -> None:
    snapshot: Any = MetricSnapshotFactory(views=1000, likes=100, shares=10)

    videos_observed.send_robust(sender=None, video_ids=[snapshot.video_id], at=snapshot.observed_at)

    assert Score.objects.get(video=snapshot.video).classic == pytest.approx(442)


@pytest.mark.django_db
def test_an_observation_without_a_score_is_found_by_the_pass() -> None:
    snapshot: Any = MetricSnapshotFactory(observed_at=timezone.now())

    assert services.rank_missed() == 1
    assert services.rank_missed() == 0
    assert Score.objects.filter(video=snapshot.video).exists()


@pytest.mark.django_db
def test_ranking_again_rewrites_nothing(django_assert_num_queries: Any) -> None:
    snapshots = MetricSnapshotFactory.create_batch(20)

    ids = [snapshot.video_id for snapshot in snapshots]
    assert services.rank(ids) == 20
    before = list(Score.objects.values_list("pk", "classic", "virality"))

    with django_assert_num_queries(4):  # models and settings within a savepoint; the one statement goes past Django's cursor
        assert services.rank(ids) == 0

    assert list(Score.objects.values_list("pk", "classic", "virality")) == before


@pytest.mark.django_db
def test_staff_edit_the_weights_and_senseless_ones_are_not_used() -> None:
    MetricSnapshotFactory(views=1000, likes=100, shares=10)

    config.CLASSIC_WEIGHT_VIEWS, config.CLASSIC_WEIGHT_LIKES, config.CLASSIC_WEIGHT_SHARES = 0.0, 1.0, 0.0
    services.rank_all()
    assert Score.objects.get().classic == pytest.approx(100)

    config.CLASSIC_WEIGHT_LIKES = -5.0
    assert weights() == Weights()


@pytest.mark.django_db
@pytest.mark.parametrize("weight", [1e308, 1e-320])
def test_a_weight_at_the_ends_of_what_a_float_holds_stops_no_ranking(weight: float) -> None:
    MetricSnapshotFactory(views=10**12, likes=1, shares=1)
    config.CLASSIC_WEIGHT_VIEWS = weight
    config.CLASSIC_WEIGHT_LIKES = config.CLASSIC_WEIGHT_SHARES = min(weight, 1.0)

    assert services.rank_all() == 1
    assert services.rank_all() == 0
    assert isfinite(Score.objects.get().classic)


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["1e308", "nan", "-1", "many"])
def test_staff_cannot_type_such_a_weight(staff_client: Any, typed: str) -> None:
    page = reverse("admin:constance_config_changelist")
    shown = staff_client.get(page).context["form"].initial

    answer = staff_client.post(page, {**shown, "CLASSIC_WEIGHT_VIEWS": typed})

    assert "CLASSIC_WEIGHT_VIEWS" in answer.context["form"].errors
    assert config.CLASSIC_WEIGHT_VIEWS == 0.4


@pytest.mark.django_db
def test_the_command_says_how_many_scores_changed(capsys: pytest.CaptureFixture[str]) -> None:
    MetricSnapshotFactory.create_batch(3)

    call_command("rank")

    assert "New observations scored: 3." in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_many_videos_are_scored_in_batches_that_run_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "BATCH", 4)
    snapshots = MetricSnapshotFactory.create_batch(18)

    assert services.rank_all() == 18
    assert services.rank_all() == 0
    assert set(Score.objects.values_list("pk", flat=True)) == {snapshot.video_id for snapshot in snapshots}


@pytest.mark.django_db
def test_lost_scores_come_back_as_they_were() -> None:
    MetricSnapshotFactory.create_batch(5)
    services.rank_all()
    before = list(Score.objects.order_by("pk").values_list("pk", "classic", "virality", "observed_at"))

    Score.objects.filter(pk__in=[pk for pk, *_rest in before[:3]]).delete()
    assert services.rank_all() == 3

    assert list(Score.objects.order_by("pk").values_list("pk", "classic", "virality", "observed_at")) == before
