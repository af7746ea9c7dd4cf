"""The whole of both engines against the sample platform: its slides as its CDN gives them, its own Gemini, its planned words."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone

from analysis import services
from analysis.models import Analysis, AnalysisJob, SlideText
from catalog.feed import feed
from catalog.filters import Filters
from crawler.models import ProviderPause, Video
from jobs import kinds
from jobs.models import State
from jobs.runner import drain
from tests.analysis.conftest import MakeCarousel
from tests.factories import ScoreFactory
from tests.sample import Sample

pytestmark = pytest.mark.django_db(transaction=True)
KIND = kinds.get("analysis")
Planned = list[list[str]]


@pytest.fixture
def site(sample: Sample, settings: Any) -> Iterator[Sample]:
    settings.GEMINI_URL = sample.gemini_url
    yield sample
    sample.clear_faults()


@pytest.fixture(scope="module")
def downloaded(sample: Sample) -> tuple[Planned, list[bytes]]:
    """The words planned for a carousel of the platform, and its slides."""
    plans = sample.truth()["videos"]
    plan = next(plan for plan in plans if plan["slides"] and plan["is_published"] and not plan["is_deleted"])
    headers = {"User-Agent": "Mozilla/5.0", "Referer": f"{sample.web_url}/"}
    urls = [image["url_list"][-1] for image in sample.detail(plan["id"])["images"]]
    return plan["slides"], [requests.get(url, headers=headers, timeout=60).content for url in urls]


@pytest.fixture
def video(site: Sample, carousel: MakeCarousel, downloaded: tuple[Planned, list[bytes]]) -> Video:
    made = carousel(list(downloaded[1]), title="posted")
    ScoreFactory.create(video=made)
    return made


def read(video: Video) -> AnalysisJob:
    job = services.request_analysis(video)
    AnalysisJob.objects.waiting().update(scheduled_at=timezone.now())
    drain(KIND)
    job.refresh_from_db()
    return job


def found(words: str) -> list[int]:
    return [card.id for card in feed(Filters(q=words), limit=5, sparklines=False).cards]


def test_by_gemini_each_slide_has_its_planned_words(video: Video, downloaded: tuple[Planned, list[bytes]], settings: Any) -> None:
    settings.GEMINI_API_KEY = "sample-gemini-key"

    job = read(video)

    assert (job.state, job.outcome) == (State.COMPLETED, "done")
    texts = list(SlideText.objects.filter(video=video).values_list("text", flat=True))
    for text, (chinese, english) in zip(texts, downloaded[0], strict=True):
        assert text in {f"{chinese}\n{english}", english}
    reading = Analysis.objects.select_related("category").get(video=video)
    assert reading.category is not None
    assert (reading.engine, reading.is_new) == ("gemini", True)
    assert reading.tokens_in > 0
    assert reading.cost_micros == job.cost_micros is not None


def test_on_this_machine_the_chinese_of_each_slide_is_found_by_search(
    video: Video, downloaded: tuple[Planned, list[bytes]]
) -> None:
    assert read(video).outcome == "done"

    for chinese, english in downloaded[0]:
        assert found(chinese) == [video.pk], chinese
        assert found(english.split()[-1]) == [video.pk], english


@pytest.mark.parametrize(
    ("fault", "value", "code", "status"),
    [
        ("quota", "minute", "rate_limited", "pending"),
        ("quota", "day", "quota_spent", "pending"),
        ("key_refused", None, "key_refused", "pending"),
        ("unreachable", 503, "overloaded", "retrying"),
        ("refused", None, "refused", "failed"),
        ("prompt_refused", None, "refused", "failed"),
        ("cut_off", None, "cut_off", "failed"),
        ("cut_off", "nothing", "cut_off", "failed"),
        ("broken_schema", None, "bad_answer", "retrying"),
        ("cut_json", None, "bad_answer", "retrying"),
    ],
)
def test_each_way_to_go_wrong_is_told_apart_and_passes(
    site: Sample, video: Video, settings: Any, fault: str, value: Any, code: str, status: str
) -> None:
    settings.GEMINI_API_KEY = "sample-gemini-key"
    site.set_fault(fault, value=value, places=["gemini"])

    job = read(video)

    assert (job.state, job.error_code) == (status, code)
    assert not SlideText.objects.exists()
    if code == "rate_limited":
        assert timezone.now() < job.scheduled_at < timezone.now() + timedelta(minutes=2)
    site.clear_faults()
    ProviderPause.objects.all().delete()
    assert read(video).state == State.COMPLETED
