"""Asking for carousels to be read: one job per video, however many ask; and what becomes of the rule for new ones."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from constance import config
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Least, Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis import engines
from analysis.analyzers import local
from analysis.models import Analysis, AnalysisJob
from crawler.models import Video, VideoKind
from downloads import wanting
from downloads.models import Asset, AssetRole, AssetState
from jobs import nudge
from jobs.errors import PermanentError

FOR_A_PERSON = 10
BY_A_RULE = 60
MOST_AT_ONCE = 50
LOOKED_BACK = timedelta(days=3)
MISSED_AT_ONCE = 500
KIND = "analysis"


class NotACarousel(PermanentError):
    """Clips have no slides to be read. The API answers 409."""

    code = "not_a_carousel"


def request_analysis(video: Video, *, by: AbstractBaseUser | None = None, engine: str = "") -> AnalysisJob:
    """Have a carousel read (again) as soon as a worker is free; if that is under way or waiting, that job.

    The reading there is stays until the new one replaces it. `engine` "local" reads on this machine whatever the settings say.
    Raises NotACarousel.
    """
    if video.kind != VideoKind.CAROUSEL:
        raise NotACarousel(_("Only carousels have slides to be read."))
    if by is not None:
        engines.try_again()
    job: AnalysisJob | None
    try:
        with transaction.atomic():
            job = AnalysisJob.objects.create(
                video=video, requested_by_id=by.pk if by else None, engine=engine, priority=FOR_A_PERSON
            )
    except IntegrityError:
        job = AnalysisJob.objects.live().filter(video=video).first()
        if job is None:  # it ended this moment
            return request_analysis(video, by=by, engine=engine)
        _hurry(job)
    else:
        wanting.want([video.pk])  # of one that was recorded long ago, perhaps nobody fetched the slides
    nudge.nudge(KIND)
    return job


def _hurry(job: AnalysisJob) -> None:
    """A person waits for it now. A pause that the service asked for is kept."""
    rows = AnalysisJob.objects.waiting().filter(pk=job.pk)
    rows.update(priority=Least("priority", FOR_A_PERSON))
    rows.filter(error_code__in=["", "waiting_for_slides"]).update(scheduled_at=Now())
    job.refresh_from_db()


Answer = AnalysisJob | PermanentError | None


def request_many(video_ids: Sequence[int], *, by: AbstractBaseUser | None = None) -> dict[int, Answer]:
    """As request_analysis, for 1 to MOST_AT_ONCE videos; by id its job, why not, or None where there is no such video."""
    wanted = list(dict.fromkeys(video_ids))
    if not 1 <= len(wanted) <= MOST_AT_ONCE:
        sentence = ngettext("Name 1 to %(most)d video.", "Name 1 to %(most)d videos.", MOST_AT_ONCE)
        raise ValueError(sentence % {"most": MOST_AT_ONCE})
    videos = Video.objects.in_bulk(wanted)
    answers: dict[int, Answer] = {}
    with transaction.atomic():
        for pk in sorted(wanted):  # in one order always: two people's requests must not wait for each other
            try:
                answers[pk] = request_analysis(videos[pk], by=by) if pk in videos else None
            except NotACarousel as error:
                answers[pk] = error
    return {pk: answers[pk] for pk in wanted}


def analyze_automatically(video_ids: Iterable[int]) -> int:
    """Of these, have the carousels read that never were and whose slides are all stored, if the rule says so."""
    return _enqueue(Q(pk__in=list(video_ids)))


def find_missed() -> dict[str, int]:
    """Carousels of the last days that nobody had read. Returns the count for its record."""
    new = _enqueue(Q(last_seen_at__gte=timezone.now() - LOOKED_BACK))
    return {"enqueued": new} if new else {}


def _enqueue(which: Q) -> int:
    rule = config.ANALYZE_CAROUSELS
    if rule == "off":
        return 0
    slides = Asset.objects.filter(video=OuterRef("pk"), role=AssetRole.SLIDE)
    unread = Video.objects.filter(
        which,
        Exists(slides.filter(state=AssetState.READY)),
        ~Exists(slides.filter(state=AssetState.WANTED, object=None)),
        ~Exists(Analysis.objects.filter(video=OuterRef("pk"))),
        # One that failed is for a person to ask for again: by itself it would only fail, and cost, again.
        ~Exists(AnalysisJob.objects.filter(video=OuterRef("pk"))),
        kind=VideoKind.CAROUSEL,
    )
    engine = local.ENGINE if rule == "local" else ""
    rows = [
        AnalysisJob(video_id=pk, engine=engine, priority=BY_A_RULE)
        for pk in unread.order_by("-pk").values_list("pk", flat=True)[:MISSED_AT_ONCE]
    ]
    if rows:
        AnalysisJob.objects.bulk_create(rows, ignore_conflicts=True)
        nudge.nudge(KIND)
    return len(rows)


def follow_slides(job: Any) -> int:
    """A job that brings slides has ended: its carousel may be whole now."""
    asset = getattr(job, "asset", None)
    video_id = asset.video_id if asset is not None and asset.role == AssetRole.SLIDE else getattr(job, "video_id", None)
    return analyze_automatically([video_id]) if video_id else 0
