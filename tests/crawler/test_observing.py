"""Single videos looked at again, with a provider that answers as told."""

import pytest

from crawler.models import MetricSnapshot, ObserveJob, Video
from crawler.observing import request_observations
from crawler.providers.errors import Blocked, Gone
from jobs import kinds
from jobs.models import State
from jobs.runner import drain
from tests.crawler.told import Told, video
from tests.factories import VideoFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def known(told):
    return VideoFactory.create(platform="told", external_id="7", url="https://told.test/7", likes=1, views=None)


def look() -> ObserveJob:
    assert drain(kinds.get("observe"), most=1) == 1
    return ObserveJob.objects.latest("pk")


def test_a_look_records_a_snapshot_and_nothing_else(known):
    Told.pages = [[video(7)]]

    assert request_observations({known.pk: "surging"}) == 1
    job = look()

    assert (job.state, job.outcome, job.reason) == (State.COMPLETED, "ok", "surging")
    assert MetricSnapshot.objects.get(video=known).likes == 7
    assert not known.sightings.exists()


def test_asked_twice_it_is_one_look(known):
    assert request_observations({known.pk: "surging"}) == 1
    assert request_observations({known.pk: "watched"}) == 0
    assert ObserveJob.objects.count() == 1


def test_a_video_that_is_gone_is_marked_and_keeps_its_history(known):
    MetricSnapshot.objects.create(video=known, observed_at=known.published_at, likes=1)
    Told.pages = [Gone("The author removed it.")]

    request_observations({known.pk: "surging"})
    job = look()

    known.refresh_from_db()
    assert (job.state, job.outcome) == (State.COMPLETED, "gone")
    assert known.gone_reason == "The author removed it."
    assert MetricSnapshot.objects.filter(video=known).count() == 1


def test_a_link_that_shows_another_video_is_refused(known):
    Told.pages = [[video(8)]]

    request_observations({known.pk: "surging"})
    job = look()

    assert (job.state, job.error_code) == (State.FAILED, "other_video")
    assert not Video.objects.filter(external_id="8").exists()


def test_blocked_is_not_gone(known):
    Told.pages = [Blocked("A puzzle was shown.")]

    request_observations({known.pk: "surging"})
    job = look()

    known.refresh_from_db()
    assert known.gone_at is None
    assert job.state != State.COMPLETED
