"""What the analysis does when slides were stored, or a service may be asked again: rows and nudges only."""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from analysis.analyzers import gemini
from analysis.models import AnalysisJob
from crawler.models import ProviderPause
from downloads.models import AssetJob, DownloadJob
from jobs.models import State
from jobs.nudge import nudge
from jobs.signals import job_changed


@receiver(job_changed, sender=DownloadJob, dispatch_uid="analysis.slides_downloaded")
@receiver(job_changed, sender=AssetJob, dispatch_uid="analysis.slide_stored")
def read_new_carousels(job: Any, **_: Any) -> None:
    from analysis import services

    if job.state == State.COMPLETED:
        with transaction.atomic():  # a savepoint: whatever fails here must not undo the download
            services.follow_slides(job)


@receiver(job_changed, sender=AssetJob, dispatch_uid="analysis.picture_stored")
@receiver(job_changed, sender=DownloadJob, dispatch_uid="analysis.clip_stored")
@receiver(job_changed, sender=AnalysisJob, dispatch_uid="analysis.slides_read")
def look_for_reuploads(job: Any, **_: Any) -> None:
    from analysis import duplicates

    if job.state == State.COMPLETED:
        with transaction.atomic():
            duplicates.follow(job)


@receiver(post_delete, sender=ProviderPause, dispatch_uid="analysis.resume")
def go_on(instance: ProviderPause, **_: Any) -> None:
    from analysis import engines, services

    if instance.provider == gemini.ENGINE:
        engines.resume()
        nudge(services.KIND)
