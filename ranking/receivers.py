"""What ranking does when the crawler has recorded a page."""

from typing import Any

from django.db import transaction
from django.dispatch import receiver

from crawler.signals import videos_observed
from ranking.services import rank


@receiver(videos_observed, dispatch_uid="ranking.rank_observed")
def rank_observed(video_ids: list[int], **_: Any) -> None:
    with transaction.atomic():  # a savepoint: a score that fails must not undo the page
        rank(video_ids)
