"""Asking for downloads: one job per video and quality, however many ask; and what becomes of a source's own rule."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from constance import config
from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crawler.models import AutoDownload, Source, Video, VideoKind
from downloads.errors import TooManyWaiting
from downloads.models import Asset, AssetRole, AssetState, Batch, DownloadJob, DownloadRequest, Quality
from jobs import nudge
from jobs.models import FINAL, State
from jobs.signals import job_changed

FOR_A_PERSON = 10
BY_A_RULE = 60
MOST_IN_A_BATCH = 100
LOOKED_BACK = timedelta(days=2)
MISSED_AT_ONCE = 500


def request_download(
    video: Video,
    quality: str = Quality.BEST,
    *,
    user: AbstractBaseUser | None = None,
    session_key: str = "",
    is_automatic: bool = False,
) -> DownloadRequest:
    """Ask for a video in a quality, for a person, an anonymous session or a source's rule; the job may be another's.

    A finished job whose files are kept is the answer; one that failed is begun anew, unless the video is gone.
    Raises TooManyWaiting when a new job would be one too many.
    """
    quality = quality_for(video, quality)
    with transaction.atomic():
        job = _job_for(video, quality, priority=BY_A_RULE if is_automatic else FOR_A_PERSON)
        wanted = DownloadRequest.objects.filter(job=job)
        asker: dict[str, Any] = {"user_id": user.pk} if user else {"session_key": session_key}
        request = wanted.filter(**asker, is_automatic=is_automatic).first()
        if request is None:
            try:
                with transaction.atomic():
                    request = DownloadRequest.objects.create(job=job, is_automatic=is_automatic, **asker)
            except IntegrityError:
                request = wanted.get(**asker)
    return request


def request_batch(
    videos: Sequence[Video], quality: str = Quality.BEST, *, user: AbstractBaseUser | None = None, session_key: str = ""
) -> Batch:
    """Ask for many videos as one zip (see bundles). Raises ValueError for none or more than MOST_IN_A_BATCH, TooManyWaiting."""
    return request_mixed_batch([(video, quality) for video in videos], quality, user=user, session_key=session_key)


def request_mixed_batch(
    wanted: Sequence[tuple[Video, str]],
    quality: str = Quality.BEST,
    *,
    user: AbstractBaseUser | None = None,
    session_key: str = "",
) -> Batch:
    """As request_batch, each video in a quality of its own; `quality` is what is noted of the whole."""
    if not 1 <= len(wanted) <= MOST_IN_A_BATCH:
        raise ValueError(_("A batch holds 1 to %(most)d videos.") % {"most": MOST_IN_A_BATCH})
    with transaction.atomic():
        batch = Batch.objects.create(user_id=user.pk if user else None, session_key=session_key, quality=quality)
        requests = [request_download(video, each, user=user, session_key=session_key) for video, each in wanted]
        batch.jobs.set({request.job_id for request in requests})
    return batch


def downloads_of(*, user: Any = None, session_key: str = "") -> QuerySet[DownloadRequest]:
    """What a person or a session asked for, newest first."""
    requests = DownloadRequest.objects.select_related("job__video__author").filter(is_automatic=False).order_by("-pk")
    if user is not None and user.is_authenticated:
        return requests.filter(user_id=user.pk)
    return requests.filter(session_key=session_key) if session_key else requests.none()


def adopt_session(session_key: str, user: AbstractBaseUser) -> int:
    """After signing in: what the session asked for becomes the person's; return how many."""
    moved = 0
    for request in DownloadRequest.objects.filter(session_key=session_key).exclude(session_key=""):
        try:
            with transaction.atomic():
                moved += DownloadRequest.objects.filter(pk=request.pk).update(user_id=user.pk, session_key="")
        except IntegrityError:  # the person had asked for it too
            request.delete()
    Batch.objects.filter(session_key=session_key).exclude(session_key="").update(user_id=user.pk, session_key="")
    return moved


def quality_for(video: Video, quality: str) -> str:
    """Pictures have no sizes to choose from. Raises ValueError for a quality there is not."""
    if quality not in Quality.values:
        raise ValueError(_("There is no quality “%(name)s”.") % {"name": quality})
    if video.kind == VideoKind.CAROUSEL and quality != Quality.AUDIO:
        return Quality.BEST.value
    return str(Quality(quality).value)


def has_files(video: Video, quality: str) -> bool:
    """Whether everything that a download of this quality brings is kept."""
    if video.kind == VideoKind.CAROUSEL and quality != Quality.AUDIO:
        slides = Asset.objects.filter(video=video, role=AssetRole.SLIDE, state=AssetState.READY)
        return bool(video.slides) and slides.count() >= len(video.slides)
    role = AssetRole.AUDIO if quality == Quality.AUDIO else AssetRole.VIDEO
    return Asset.objects.filter(video=video, role=role, quality=quality, state=AssetState.READY).exists()


def download_automatically(video_ids: Iterable[int]) -> int:
    """Ask for the videos that a source's rule wants and nobody asked for yet; return how many were asked for.

    Stops at half the cap on waiting downloads: the rest of the queue is for people.
    """
    room = config.MOST_WAITING_DOWNLOADS // 2 - DownloadJob.objects.waiting().count()
    wanted = Video.objects.filter(
        Exists(_sightings_with(AutoDownload.ALL)) | (Q(score__is_surging=True) & Exists(_sightings_with(AutoDownload.SURGING))),
        ~Exists(DownloadJob.objects.filter(video=OuterRef("pk"))),
        pk__in=video_ids,
        gone_at=None,
    )
    asked = 0
    for video in wanted.order_by("pk")[: max(room, 0)]:
        request_download(video, Quality.BEST, is_automatic=True)
        asked += 1
    return asked


def download_again(video_ids: Iterable[int]) -> int:
    """Fetch the kept clips of these videos anew, in the qualities that are kept; return how many jobs are new.

    Slides, covers and sounds: wanting.want(is_forced=True).
    """
    live = DownloadJob.objects.live().filter(video=OuterRef("video"), quality=OuterRef("quality"))
    kept = Asset.objects.filter(
        ~Exists(live), video__in=list(video_ids), video__gone_at=None, role=AssetRole.VIDEO, state=AssetState.READY
    )
    jobs = [
        DownloadJob(video_id=video_id, quality=quality, priority=BY_A_RULE, is_refetch=True)
        for video_id, quality in kept.order_by("video", "quality").values_list("video", "quality")
    ]
    DownloadJob.objects.bulk_create(jobs, ignore_conflicts=True)
    if jobs:
        nudge.nudge("download")
    return len(jobs)


def find_missed_downloads() -> dict[str, int]:
    """What the receivers did not see: videos of the last days that a rule wants. Returns the count for its record."""
    recent = Video.objects.filter(
        Exists(Source.objects.filter(sightings__video=OuterRef("pk")).exclude(auto_download=AutoDownload.NONE)),
        ~Exists(DownloadJob.objects.filter(video=OuterRef("pk"))),
        last_seen_at__gte=timezone.now() - LOOKED_BACK,
    )
    ids = list(recent.order_by("-last_seen_at").values_list("pk", flat=True)[:MISSED_AT_ONCE])
    asked = download_automatically(ids) if ids else 0
    return {"requested": asked} if asked else {}


def _sightings_with(rule: AutoDownload) -> QuerySet[Source]:
    rules = [AutoDownload.ALL] if rule == AutoDownload.ALL else [AutoDownload.ALL, AutoDownload.SURGING]
    return Source.objects.filter(sightings__video=OuterRef("pk"), auto_download__in=rules, is_active=True)


def _job_for(video: Video, quality: str, *, priority: int) -> DownloadJob:
    """The job that serves this wish: a live one, a finished one, or a new one."""
    jobs = DownloadJob.objects.filter(video=video, quality=quality)
    while True:
        live = jobs.exclude(state__in=FINAL).first()
        if live is not None:
            if live.priority > priority:
                DownloadJob.objects.waiting().filter(pk=live.pk).update(priority=priority)
            return live
        last = jobs.order_by("-pk").first()
        if last is not None and last.state == State.COMPLETED and has_files(video, quality):
            return last
        if last is not None and last.state == State.FAILED and video.gone_at is not None:
            return last
        _check_room()
        try:
            with transaction.atomic():
                job = DownloadJob.objects.create(video=video, quality=quality, priority=priority)
        except IntegrityError:
            continue  # somebody asked at the same moment: theirs is live now
        nudge.nudge("download")
        transaction.on_commit(partial(job_changed.send_robust, sender=DownloadJob, job=job), robust=True)
        return job


def _check_room() -> None:
    most = config.MOST_WAITING_DOWNLOADS
    if DownloadJob.objects.waiting()[: most + 1].count() >= most:
        raise TooManyWaiting(_("%(most)d downloads are waiting already. Please try again later.") % {"most": most})
