"""All about one video, in few statements; and the score taken apart."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.detail import detail, metrics
from downloads.models import AssetRole
from tests.factories import AssetFactory, MetricSnapshotFactory, ScoreFactory, SourceVideoFactory, VideoFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("video_id", [0, 1, 2**63 - 1, 2**63, 2**80, -1])
def test_what_does_not_exist_is_none(video_id):
    assert detail(video_id) is None
    assert metrics(video_id) is None


def test_a_detail_has_its_files_in_order_and_costs_the_same_whatever_it_has():
    def statements(video):
        with CaptureQueriesContext(connection) as queries:
            found = detail(video.pk)
        return found, len(queries)

    _, few = statements(ScoreFactory().video)
    video = VideoFactory(carousel=True, title="街头 / food", external_id="77")
    for position in (2, 0, 1):
        AssetFactory(video=video, role=AssetRole.SLIDE, quality="", position=position, object__mime="image/webp")
    AssetFactory(video=video, role=AssetRole.AUDIO, quality="audio", object__mime="audio/mp4")
    AssetFactory(video=video, role=AssetRole.SLIDE, quality="", position=3, wanted=True)
    for _ in range(5):
        SourceVideoFactory(video=video)
    found, many = statements(video)

    assert found is not None
    assert [slide.file.filename for slide in found.of(AssetRole.SLIDE)] == [f"街头 food 77 0{n}.webp" for n in (1, 2, 3)]
    assert [sound.file.filename for sound in found.of(AssetRole.AUDIO)] == ["街头 food 77 audio.m4a"]
    assert len(found.sightings) == 5
    assert many <= few <= 6


def test_metrics_are_the_newest_oldest_first_and_go_on_before_a_time():
    video = VideoFactory(views=None, likes=1_000, shares=50)
    now = timezone.now()
    for hours in range(5):
        MetricSnapshotFactory(video=video, observed_at=now - timedelta(hours=hours), views=None, likes=100 - hours)

    newest = metrics(video.pk, limit=2)
    assert newest is not None
    older = metrics(video.pk, limit=2, before=newest.history[0].observed_at)
    assert older is not None

    assert [seen.likes for seen in newest.history] == [99, 100]
    assert [seen.likes for seen in older.history] == [97, 98]
    assert newest.score is None
    weights = {part.metric: part.weight for part in newest.parts}
    assert set(weights) == {"likes", "shares"}
    assert sum(weights.values()) == pytest.approx(1.0)  # the weight of what is not shown is shared
