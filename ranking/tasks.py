"""Celery's side of ranking."""

from celery import shared_task

from ranking import services


@shared_task(ignore_result=True)
def rank_missed() -> None:
    """Score what a crash left without a score."""
    services.rank_missed()
