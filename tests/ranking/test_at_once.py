"""Several rank at the same time: each observation is applied once, and in its order."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection

from ranking import services
from ranking.models import CounterState, Score
from ranking.scoring.series import Item, Snapshot
from tests.ranking.test_twins import store

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2026, 3, 1, tzinfo=UTC).timestamp() / 3600


def _items(count: int, *, snapshots: int) -> list[Item]:
    return [
        Item(
            key=f"v{number}",
            published=START - 5,
            snapshots=[Snapshot(at=START + step, counts={"views": 100 * number + step * step}) for step in range(snapshots)],
        )
        for number in range(count)
    ]


def _rank(ids: list[int]) -> int:
    try:
        return services.rank(ids)
    finally:
        connection.close()


def _told() -> list[tuple[object, ...]]:
    states = list(CounterState.objects.order_by("pk").values_list("snapshots", "raw", "total", "fast", "slow", "seen"))
    return states + list(Score.objects.order_by("pk").values_list("virality", "breakout", "reach", "classic", "momentum"))


def test_four_workers_apply_each_observation_once(monkeypatch: pytest.MonkeyPatch) -> None:
    items = _items(30, snapshots=8)
    alone = [video.pk for video in store(items)]
    assert services.rank(alone) == 240
    expected = _told()
    CounterState.objects.all().delete()
    Score.objects.all().delete()
    monkeypatch.setattr(services, "BATCH", 7)  # and within each worker two threads, over several batches

    with ThreadPoolExecutor(4) as pool:
        applied = sum(pool.map(_rank, [alone, alone[::-1], alone[5:], alone[:25]]))

    # A worker that was overtaken leaves what follows to the pass over what was missed.
    assert applied + services.rank(alone) == 240
    assert _told() == expected
