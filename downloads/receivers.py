"""What downloads do when the crawler has recorded a page, or a job has changed: rows and nudges only."""

from typing import Any

from django.db import transaction
from django.dispatch import receiver

from crawler.signals import videos_observed
from downloads.models import CoverJob, DownloadJob
from jobs.signals import job_changed


@receiver(videos_observed, dispatch_uid="downloads.want_covers")
def want_covers(video_ids: list[int], **_: Any) -> None:
    from downloads import covers

    with transaction.atomic():  # a savepoint: a cover that fails must not undo the page
        covers.want(video_ids)


@receiver(videos_observed, dispatch_uid="downloads.follow_rules")
def follow_rules(video_ids: list[int], **_: Any) -> None:
    from downloads import services

    with transaction.atomic():
        services.download_automatically(video_ids)


@receiver(job_changed, sender=DownloadJob, dispatch_uid="downloads.forget_status")
def forget_status(job: DownloadJob, **_: Any) -> None:
    from downloads import status

    status.forget(job)


@receiver(job_changed, sender=CoverJob, dispatch_uid="downloads.note_cover")
def note_cover(job: CoverJob, **_: Any) -> None:
    from downloads import covers

    with transaction.atomic():
        covers.note_end(job)
