"""What ranking does when the crawler has recorded a page, and when staff change the classic weights."""

from typing import Any

from constance.signals import config_updated
from django.db import transaction
from django.dispatch import receiver

from crawler.signals import videos_observed
from ranking.classic import SETTINGS
from ranking.services import rank


@receiver(videos_observed, dispatch_uid="ranking.rank_observed")
def rank_observed(video_ids: list[int], **_: Any) -> None:
    with transaction.atomic():  # a savepoint: a score that fails must not undo the page
        rank(video_ids)


@receiver(config_updated, dispatch_uid="ranking.weights_changed")
def weights_changed(key: str, **_: Any) -> None:
    """Old classic scores must not stand among new ones: all are computed anew, by a worker."""
    from ranking.tasks import score_everything

    if key in SETTINGS:
        transaction.on_commit(score_everything.delay, robust=True)
