"""What downloads do when the crawler has recorded a page, or a job has changed: rows and nudges only."""

from typing import Any

from django.db import transaction
from django.dispatch import receiver

from crawler.signals import videos_observed
from downloads.models import AssetJob, DownloadJob
from jobs.signals import job_changed


@receiver(videos_observed, dispatch_uid="downloads.want_assets")
def want_assets(video_ids: list[int], is_forced: bool = False, **_: Any) -> None:
    from downloads import wanting

    with transaction.atomic():  # a savepoint: a cover that fails must not undo the page
        wanting.want(video_ids, is_forced=is_forced)


@receiver(videos_observed, dispatch_uid="downloads.follow_rules")
def follow_rules(video_ids: list[int], is_forced: bool = False, **_: Any) -> None:
    from downloads import services

    with transaction.atomic():
        services.download_automatically(video_ids)
        if is_forced:
            services.download_again(video_ids)


@receiver(job_changed, sender=DownloadJob, dispatch_uid="downloads.forget_status")
def forget_status(job: DownloadJob, **_: Any) -> None:
    from downloads import status

    status.forget(job)


@receiver(job_changed, sender=AssetJob, dispatch_uid="downloads.note_asset")
def note_asset(job: AssetJob, **_: Any) -> None:
    from downloads import assets

    with transaction.atomic():
        assets.note_end(job)
