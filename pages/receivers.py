"""What the pages hear from the stages before them: passed on as hints, and a session's downloads to who signs in."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from analysis.models import AnalysisJob
from crawler.models import CrawlJob
from crawler.signals import videos_observed
from downloads.models import DownloadJob
from jobs.signals import job_changed
from pages import events


@receiver(videos_observed, dispatch_uid="pages.announce_news")
def announce_news(video_ids: list[int], **_: Any) -> None:
    transaction.on_commit(lambda: events.announce(events.NEWS, seen=len(video_ids)), robust=True)


@receiver(job_changed, sender=DownloadJob, dispatch_uid="pages.announce_download")
def announce_download(job: DownloadJob, **_: Any) -> None:
    events.announce(f"video-{job.video_id}", state=job.state, progress=job.progress)


@receiver(job_changed, sender=CrawlJob, dispatch_uid="pages.announce_run")
def announce_run(job: CrawlJob, **_: Any) -> None:
    events.announce(f"source-{job.source_id}", state=job.state)


@receiver(job_changed, sender=AnalysisJob, dispatch_uid="pages.announce_reading")
def announce_reading(job: AnalysisJob, **_: Any) -> None:
    events.announce(f"video-{job.video_id}", reading=job.state, progress=job.progress)


@receiver(user_logged_in, dispatch_uid="pages.adopt_downloads")
def adopt_downloads(request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:
    """The key of the session before: signing in has given the browser a new one already."""
    from downloads import services

    before = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    if before:
        services.adopt_session(before[:40], user)
