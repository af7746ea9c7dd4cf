"""What the crawler does when something happened elsewhere."""

from typing import Any

from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from crawler.models import CrawlJob, Outcome, Source
from crawler.partitions import ensure_partitions
from jobs.models import State
from jobs.signals import job_changed


@receiver(job_changed, sender=CrawlJob, dispatch_uid="crawler.show_failure")
def show_failure(job: CrawlJob, **_: Any) -> None:
    """A crawl that gave up for a reason which is not the platform's shows on its source too."""
    if job.state == State.FAILED and job.outcome not in Outcome.values[1:]:
        with transaction.atomic():
            Source.objects.filter(pk=job.source_id).update(
                outcome=Outcome.FAILED, outcome_detail=job.error[:2000], last_run_at=timezone.now()
            )


def make_partitions(**_: Any) -> None:
    """After every migration: the first snapshot finds its month's partition."""
    ensure_partitions(timezone.now())
