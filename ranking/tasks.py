"""Celery's side of ranking."""

from celery import shared_task

from ranking import services


@shared_task(ignore_result=True)
def score_everything() -> None:
    """All classic scores anew, after the weights were changed. Extra calls are harmless."""
    services.rank_all()
