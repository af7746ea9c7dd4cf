"""The nightly refit: fitted on our own history, kept only if it is no worse, and reversible."""

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from django.urls import reverse

from config import preparation
from crawler.models import MetricSnapshot
from ranking import learning, pulse, services
from ranking.models import Baseline, ModelState, RankingModel, Score
from ranking.scoring.model import Model
from ranking.scoring.series import Item, Snapshot
from tests.factories import VideoFactory
from tests.ranking.test_backtest import grown

pytestmark = pytest.mark.django_db


def store(items: list[Item]) -> datetime:
    """Our own history, as if these items had been crawled; return a moment after it."""
    latest = 0.0
    for item in items:
        assert item.published is not None
        video: Any = VideoFactory.create(published_at=datetime.fromtimestamp(item.published * 3600, UTC))
        MetricSnapshot.objects.bulk_create(
            MetricSnapshot(
                video=video,
                observed_at=datetime.fromtimestamp(round(s.at * 3600), UTC),
                followers=s.followers,
                **dict(s.counts),
            )
            for s in item.snapshots
        )
        latest = max(latest, item.snapshots[-1].at)
    services.rank_all()
    return datetime.fromtimestamp(latest * 3600 + 60, UTC)


def test_with_enough_history_a_better_fit_takes_over_and_scores_everything() -> None:
    now = store(grown(300, days=20))
    before = pulse.active_models()["views"].row

    row = learning.refit("views", now=now)

    assert row is not None
    row.refresh_from_db()
    before.refresh_from_db()
    assert (row.state, before.state) == (ModelState.ACTIVE, ModelState.RETIRED)
    assert row.evidence["candidate"]["virality"]["pr_auc"] >= learning.NO_WORSE * row.evidence["current"]["virality"]["pr_auc"]
    assert set(Score.objects.values_list("model", flat=True)) == {row.pk}
    # It was held against the shipped model as it is used here, brought to size, and by the same notion of a breakout.
    history = learning.own_history("views", now=now)
    split = sorted(snapshot.at for item in history for snapshot in item.snapshots)[int(300 * 14 * learning.TRAIN_SHARE)]
    shipped, usual = Model.from_json(before.data), Baseline.objects.get(age_bucket=-1)
    assert row.evidence["current"] == learning.judge(
        shipped,
        history,
        split,
        typical=Model.from_json(row.data).typical,
        scales={usual.platform: shipped.level / usual.level},
    )


def test_a_worse_fit_is_refused_logged_and_changes_no_score(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = store(grown(300, days=20))
    monkeypatch.setattr(learning, "NO_WORSE", 5.0)  # nothing can be five times as good
    before = list(Score.objects.order_by("pk").values_list("pk", "virality", "model"))

    with caplog.at_level(logging.WARNING):
        row = learning.refit("views", now=now)

    assert row is not None
    assert row.state == ModelState.REFUSED
    assert "worse" in row.note
    assert "A refit was refused" in caplog.text
    assert list(Score.objects.order_by("pk").values_list("pk", "virality", "model")) == before


def test_too_little_history_fits_nothing() -> None:
    now = store(grown(8))

    assert learning.refit("views", now=now) is None
    assert learning.refit("reactions", now=now) is None
    assert not RankingModel.objects.filter(origin="refit").exists()


def test_a_later_part_where_nothing_moves_judges_no_fit() -> None:
    items = grown(300, days=20)
    middle = sorted(s.at for item in items for s in item.snapshots)[int(300 * 14 * 0.55)]
    for item in items:
        if item.snapshots[0].at > middle:
            item.snapshots = [Snapshot(s.at, item.snapshots[0].counts, s.followers) for s in item.snapshots]

    assert learning.refit("views", now=store(items)) is None
    assert not RankingModel.objects.filter(origin="refit").exists()


def test_staff_roll_back_in_the_admin(staff_client: Any) -> None:
    now = store(grown(300, days=20))
    shipped = pulse.active_models()["views"].row
    first = dict(Score.objects.values_list("pk", "virality"))
    refit = learning.refit("views", now=now)
    assert refit is not None
    assert dict(Score.objects.values_list("pk", "virality")) != first

    answer = staff_client.post(
        reverse("admin:ranking_rankingmodel_changelist"),
        {"action": "make_active", "_selected_action": [shipped.pk]},
        follow=True,
    )

    assert answer.status_code == 200
    shipped.refresh_from_db()
    assert shipped.state == ModelState.ACTIVE
    assert dict(Score.objects.values_list("pk", "virality")) == pytest.approx(first)


def test_after_an_upgrade_the_shipped_model_replaces_one_that_reads_other_numbers(staff_client: Any) -> None:
    store(grown(40, days=4))
    old = pulse.active_models()["views"].row
    before = dict(Score.objects.values_list("pk", "virality"))
    RankingModel.objects.filter(pk=old.pk).update(data={**old.data, "features": ["age", "moon"]})
    Score.objects.update(virality=0.5)
    pulse._models.clear()  # another process

    preparation.seed()
    preparation.seed()  # at every start

    new = RankingModel.objects.get(family="views", state=ModelState.ACTIVE)
    old.refresh_from_db()
    assert (old.state, new.origin, new.pk != old.pk) == (ModelState.RETIRED, "shipped", True)
    assert dict(Score.objects.values_list("pk", "virality")) == pytest.approx(before)
    assert set(Score.objects.values_list("model", flat=True)) == {new.pk}
    page = staff_client.post(
        reverse("admin:ranking_rankingmodel_changelist"), {"action": "make_active", "_selected_action": [old.pk]}, follow=True
    )
    assert "numbers that are no longer read" in page.content.decode()
    assert RankingModel.objects.get(family="views", state=ModelState.ACTIVE) == new


def test_staff_change_a_threshold_in_the_admin(staff_client: Any) -> None:
    row = pulse.active_models()["views"].row
    page = reverse("admin:ranking_rankingmodel_change", args=[row.pk])

    refused = staff_client.post(page, {"alert_threshold": "1.5", "watch_threshold": "0.1", "note": ""})
    row.refresh_from_db()
    assert refused.status_code == 200
    assert row.alert_threshold < 1

    staff_client.post(page, {"alert_threshold": "0.6", "watch_threshold": "0.3", "note": "Fewer alerts."})
    row.refresh_from_db()
    assert (row.alert_threshold, row.watch_threshold, row.note) == (0.6, 0.3, "Fewer alerts.")
