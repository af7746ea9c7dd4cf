"""Real workers: one killed while a carousel is read, and two at once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from analysis import services
from analysis.models import Analysis, AnalysisJob, SlideText
from jobs.models import State
from jobs.services import rescue
from tests.analysis.conftest import KEY, MakeCarousel, StandIn, drawn
from tests.downloads.test_kill import Worker, start_worker, until  # noqa: F401  (the fixture)

pytestmark = pytest.mark.django_db(transaction=True)
Start = Callable[..., Worker]


def test_a_worker_killed_while_the_model_thinks_leaves_nothing_half_read(
    gemini: StandIn,
    carousel: MakeCarousel,
    start_worker: Start,  # noqa: F811
) -> None:
    video = carousel([drawn("one"), drawn("two")])
    services.request_analysis(video)
    gemini.may_answer.clear()
    worker = start_worker("analysis", GEMINI_URL=gemini.url, GEMINI_API_KEY=KEY)
    until(lambda: gemini.asked)

    worker.kill()
    gemini.may_answer.set()

    assert not SlideText.objects.exists()
    assert AnalysisJob.objects.get().state == State.RUNNING

    def is_rescued() -> bool:  # what it sent last may renew the lease after us
        AnalysisJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        return bool(rescue())

    until(is_rescued)
    AnalysisJob.objects.filter(state=State.RETRYING).update(scheduled_at=timezone.now())
    start_worker("analysis", GEMINI_URL=gemini.url, GEMINI_API_KEY=KEY)
    until(lambda: AnalysisJob.objects.get().state == State.COMPLETED)

    assert (SlideText.objects.filter(video=video).count(), Analysis.objects.count()) == (2, 1)
    assert AnalysisJob.objects.get().attempt == 2


def test_two_workers_read_each_carousel_once(
    gemini: StandIn,
    carousel: MakeCarousel,
    start_worker: Start,  # noqa: F811
) -> None:
    videos = [carousel([drawn(str(n), size=(300, 400))], title=f"number {n}") for n in range(8)]
    for _ in range(2):
        start_worker("analysis", GEMINI_URL=gemini.url, GEMINI_API_KEY=KEY)
    services.request_many([video.pk for video in videos])

    until(lambda: AnalysisJob.objects.filter(state=State.COMPLETED).count() == len(videos))

    assert len(gemini.asked) == len(videos)
    assert Analysis.objects.count() == SlideText.objects.count() == len(videos)
    assert Analysis.objects.filter(is_new=True).count() == 1, "the category that all have was made once"
