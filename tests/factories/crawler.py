"""What is watched, what was seen of it, and the looks themselves."""

from __future__ import annotations

from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from crawler.models import (
    Author,
    BrowserSession,
    CrawlJob,
    MetricSnapshot,
    ObserveJob,
    Outcome,
    ProviderPause,
    Sound,
    Source,
    SourceVideo,
    Video,
    WebhookDelivery,
)
from tests.factories.jobs import JobFactory
from tests.factories.people import WorkspaceFactory
from tests.factories.times import now


class SourceFactory(DjangoModelFactory[Source]):
    class Meta:
        model = Source

    class Params:
        blocked = factory.Trait(
            outcome=Outcome.BLOCKED,
            outcome_detail="The platform shows a verification page.",
            failures_in_a_row=3,
            last_run_at=factory.LazyFunction(now),
            last_good_at=factory.LazyFunction(lambda: timezone.now() - timedelta(hours=9)),
        )
        looked_at = factory.Trait(
            outcome=Outcome.OK, last_run_at=factory.LazyFunction(now), last_good_at=factory.LazyFunction(now)
        )

    workspace = factory.SubFactory(WorkspaceFactory)
    platform = "douyin"
    value = factory.Sequence(lambda n: f"topic {n}")


class AuthorFactory(DjangoModelFactory[Author]):
    class Meta:
        model = Author

    platform = "douyin"
    external_id = factory.Sequence(lambda n: f"author{n}")
    handle = factory.Sequence(lambda n: f"handle{n}")
    name = factory.Sequence(lambda n: f"Author {n}")


class SoundFactory(DjangoModelFactory[Sound]):
    class Meta:
        model = Sound

    platform = "douyin"
    external_id = factory.Sequence(lambda n: f"sound{n}")
    title = factory.Sequence(lambda n: f"Sound {n}")


class VideoFactory(DjangoModelFactory[Video]):
    class Meta:
        model = Video

    class Params:
        carousel = factory.Trait(kind="carousel", media=[], duration_ms=None)

    platform = "douyin"
    external_id = factory.Sequence(lambda n: str(7_000_000_000_000_000_000 + n))
    url = factory.LazyAttribute(lambda video: f"https://www.douyin.com/video/{video.external_id}")
    title = factory.Sequence(lambda n: f"Video {n}")
    author = factory.SubFactory(AuthorFactory)
    duration_ms = 15_000
    width = 1080
    height = 1920
    published_at = factory.LazyFunction(lambda: timezone.now() - timedelta(days=2))
    views = 10_000
    likes = 1_000
    comments = 100
    shares = 50
    saves = 20


class SourceVideoFactory(DjangoModelFactory[SourceVideo]):
    class Meta:
        model = SourceVideo

    source = factory.SubFactory(SourceFactory)
    video = factory.SubFactory(VideoFactory)


class MetricSnapshotFactory(DjangoModelFactory[MetricSnapshot]):
    class Meta:
        model = MetricSnapshot

    video = factory.SubFactory(VideoFactory)
    observed_at = factory.LazyFunction(now)
    views = 10_000
    likes = 1_000
    comments = 100
    shares = 50
    saves = 20


class CrawlJobFactory(JobFactory):
    class Meta:
        model = CrawlJob

    source = factory.SubFactory(SourceFactory)


class ObserveJobFactory(JobFactory):
    class Meta:
        model = ObserveJob

    video = factory.SubFactory(VideoFactory)


class WebhookDeliveryFactory(DjangoModelFactory[WebhookDelivery]):
    class Meta:
        model = WebhookDelivery

    service = "apify"
    key = factory.Sequence(lambda n: f"run{n}:ACTOR.RUN.SUCCEEDED")
    body = factory.LazyFunction(lambda: {"eventType": "ACTOR.RUN.SUCCEEDED"})


class ProviderPauseFactory(DjangoModelFactory[ProviderPause]):
    class Meta:
        model = ProviderPause

    provider = "scrapecreators"
    code = "out_of_credits"
    reason = "no credits left"


class BrowserSessionFactory(DjangoModelFactory[BrowserSession]):
    class Meta:
        model = BrowserSession

    platform = "douyin"
    storage_state = factory.LazyFunction(lambda: {"cookies": [], "origins": []})
