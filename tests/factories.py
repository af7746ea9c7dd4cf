"""Rows for tests: plain values, told apart by a number. Traits name what is unusual about a row."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import factory
from django.contrib.auth import get_user_model
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from factory.django import DjangoModelFactory

from analysis.models import Analysis, AnalysisJob, Category, Reupload, SlideText
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
from downloads.models import (
    Asset,
    AssetJob,
    AssetRole,
    AssetState,
    Batch,
    DownloadJob,
    DownloadRequest,
    Extractor,
    Quality,
    StoredObject,
)
from jobs.models import PausedKind, State
from monitoring.models import Pass
from ranking.models import Baseline, Family, RankingModel, Score, Surge
from workspaces.models import Membership, Role, Workspace

PASSWORD = "correct horse battery"


def now(_: Any = None) -> Any:
    return timezone.now()


class UserFactory(DjangoModelFactory[Any]):
    class Meta:
        model = get_user_model()
        skip_postgeneration_save = True

    class Params:
        staff = factory.Trait(is_staff=True, is_superuser=True)

    username = factory.Sequence(lambda n: f"person{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.org")
    password = factory.django.Password(PASSWORD)


class WorkspaceFactory(DjangoModelFactory[Workspace]):
    class Meta:
        model = Workspace

    name = factory.Sequence(lambda n: f"Workspace {n}")
    slug = factory.Sequence(lambda n: f"workspace-{n}")


class MembershipFactory(DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    workspace = factory.SubFactory(WorkspaceFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.OWNER
    is_active = True


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


class ScoreFactory(DjangoModelFactory[Score]):
    class Meta:
        model = Score

    class Params:
        surging = factory.Trait(is_surging=True, momentum=0.9, surging_since=factory.LazyFunction(now))

    video = factory.SubFactory(VideoFactory)
    classic = 4_410.0
    observed_at = factory.LazyFunction(now)


class RankingModelFactory(DjangoModelFactory[RankingModel]):
    class Meta:
        model = RankingModel

    family = Family.VIEWS
    origin = "shipped"
    data = factory.LazyFunction(dict)
    alert_threshold = 0.5
    watch_threshold = 0.3


class BaselineFactory(DjangoModelFactory[Baseline]):
    class Meta:
        model = Baseline

    platform = factory.Sequence(lambda n: f"platform{n}")
    family = Family.VIEWS
    videos = 500
    median_size = 10_000.0
    level = 1_000_000.0
    median_rate = 1.0
    spread_rate = 0.5


class SurgeFactory(DjangoModelFactory[Surge]):
    class Meta:
        model = Surge

    class Params:
        alerted = factory.Trait(state="open", alerted_at=factory.LazyFunction(now))

    video = factory.SubFactory(VideoFactory)
    model = factory.SubFactory(RankingModelFactory)
    watched_at = factory.LazyFunction(now)
    observed_at = factory.LazyFunction(now)
    probability = 0.6
    highest = 0.7
    level = 1_000_000.0


class ReuploadFactory(DjangoModelFactory[Reupload]):
    class Meta:
        model = Reupload

    video = factory.SubFactory(VideoFactory)
    original = factory.SubFactory(VideoFactory, published_at=factory.LazyFunction(lambda: timezone.now() - timedelta(days=9)))
    kind = "similar_pictures"
    distance = 2


class _JobFactory(DjangoModelFactory[Any]):
    """Rows in a given state, as the transitions would have left them."""

    class Meta:
        abstract = True

    class Params:
        running = factory.Trait(
            state=State.RUNNING,
            attempt=1,
            fence=1,
            worker="test:1:MainThread",
            started_at=factory.LazyFunction(now),
            lease_until=factory.LazyFunction(lambda: timezone.now() + timedelta(seconds=60)),
        )
        lost = factory.Trait(
            state=State.RUNNING,
            attempt=1,
            fence=1,
            worker="gone:1:MainThread",
            started_at=factory.LazyFunction(lambda: timezone.now() - timedelta(minutes=9)),
            lease_until=factory.LazyFunction(lambda: timezone.now() - timedelta(minutes=5)),
        )
        retrying = factory.Trait(
            state=State.RETRYING,
            attempt=1,
            fence=1,
            error_code="unreachable",
            error="The platform did not answer.",
            scheduled_at=factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=5)),
        )
        completed = factory.Trait(
            state=State.COMPLETED, attempt=1, fence=1, progress=100, outcome="ok", finalized_at=factory.LazyFunction(now)
        )
        failed = factory.Trait(
            state=State.FAILED,
            attempt=5,
            fence=5,
            error_code="gone",
            error="The platform no longer has it.",
            finalized_at=factory.LazyFunction(now),
        )
        cancelled = factory.Trait(state=State.CANCELLED, outcome="cancelled", finalized_at=factory.LazyFunction(now))
        paused = factory.Trait(paused_at=factory.LazyFunction(now))


class CrawlJobFactory(_JobFactory):
    class Meta:
        model = CrawlJob

    source = factory.SubFactory(SourceFactory)


class ObserveJobFactory(_JobFactory):
    class Meta:
        model = ObserveJob

    video = factory.SubFactory(VideoFactory)


class DownloadJobFactory(_JobFactory):
    class Meta:
        model = DownloadJob

    video = factory.SubFactory(VideoFactory)
    quality = Quality.BEST


class StoredObjectFactory(DjangoModelFactory[StoredObject]):
    class Meta:
        model = StoredObject

    sha256 = factory.Sequence(lambda n: hashlib.sha256(b"%d" % n).hexdigest())
    size = 1_000_000
    mime = "video/mp4"
    width = 1080
    height = 1920
    duration_ms = 15_000


class AssetFactory(DjangoModelFactory[Asset]):
    class Meta:
        model = Asset

    class Params:
        wanted = factory.Trait(state=AssetState.WANTED, object=None, ready_at=None)
        of_author = factory.Trait(video=None, author=factory.SubFactory(AuthorFactory), role=AssetRole.AVATAR, quality="")

    video = factory.SubFactory(VideoFactory)
    role = AssetRole.VIDEO
    quality = Quality.BEST
    state = AssetState.READY
    object = factory.SubFactory(StoredObjectFactory)
    ready_at = factory.LazyFunction(now)


class CategoryFactory(DjangoModelFactory[Category]):
    class Meta:
        model = Category

    name = factory.Sequence(lambda n: f"Category {n}")
    slug = factory.LazyAttribute(lambda category: category.name.lower().replace(" ", "-"))


class AnalysisFactory(DjangoModelFactory[Analysis]):
    class Meta:
        model = Analysis

    video = factory.SubFactory(VideoFactory, carousel=True)
    engine = "local"
    model = "PP-OCRv6 small"
    duration_ms = 2_500
    finish = "ok"


class SlideTextFactory(DjangoModelFactory[SlideText]):
    class Meta:
        model = SlideText

    video = factory.SubFactory(VideoFactory, carousel=True)
    position = 0
    text = factory.Sequence(lambda n: f"Advice {n}")
    type = "content"
    confidence = 0.9
    sha256 = factory.Sequence(lambda n: hashlib.sha256(b"slide %d" % n).hexdigest())


class AnalysisJobFactory(_JobFactory):
    class Meta:
        model = AnalysisJob

    video = factory.SubFactory(VideoFactory, carousel=True)


class AssetJobFactory(_JobFactory):
    class Meta:
        model = AssetJob

    asset = factory.SubFactory(AssetFactory, role=AssetRole.COVER, quality="", state=AssetState.WANTED, object=None)


class DownloadRequestFactory(DjangoModelFactory[DownloadRequest]):
    class Meta:
        model = DownloadRequest

    class Params:
        anonymous = factory.Trait(user=None, session_key=factory.Sequence(lambda n: f"session{n}"))
        automatic = factory.Trait(user=None, is_automatic=True)

    job = factory.SubFactory(DownloadJobFactory)
    user = factory.SubFactory(UserFactory)


class BatchFactory(DjangoModelFactory[Batch]):
    class Meta:
        model = Batch
        skip_postgeneration_save = True

    user = factory.SubFactory(UserFactory)

    @factory.post_generation
    def jobs(self, create: bool, given: Any, **_: Any) -> None:
        if create and given:
            self.jobs.set(given)


class ExtractorFactory(DjangoModelFactory[Extractor]):
    class Meta:
        model = Extractor
        django_get_or_create = ("name", "platform")

    name = factory.Sequence(lambda n: f"extractor{n}")
    platform = "douyin"


class PausedKindFactory(DjangoModelFactory[PausedKind]):
    class Meta:
        model = PausedKind

    kind = "download"
    reason = "The storage is being moved."


class PassFactory(DjangoModelFactory[Pass]):
    class Meta:
        model = Pass

    name = "cleanup"
    started_at = factory.LazyFunction(lambda: timezone.now() - timedelta(seconds=2))
    ended_at = factory.LazyFunction(now)


class IntervalScheduleFactory(DjangoModelFactory[IntervalSchedule]):
    class Meta:
        model = IntervalSchedule
        django_get_or_create = ("every", "period")

    every = 60
    period = IntervalSchedule.SECONDS


class PeriodicTaskFactory(DjangoModelFactory[PeriodicTask]):
    class Meta:
        model = PeriodicTask

    name = factory.Sequence(lambda n: f"Task {n}")
    task = "monitoring.tasks.dispatch_jobs"
    interval = factory.SubFactory(IntervalScheduleFactory)
