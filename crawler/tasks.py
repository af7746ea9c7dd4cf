"""Celery's side of the crawler."""

from typing import Any

from celery import shared_task
from celery.signals import worker_process_shutdown, worker_shutdown
from django.utils import timezone

from crawler import partitions, services


@shared_task(ignore_result=True)
def dispatch_due_sources() -> None:
    """Start a look at every source that is due. Extra calls are harmless."""
    services.dispatch_due_sources()


@shared_task(ignore_result=True)
def ensure_partitions() -> None:
    """Room for the snapshots of the months to come."""
    partitions.ensure_partitions(timezone.now())


@worker_process_shutdown.connect
@worker_shutdown.connect
def close_browser(**_: Any) -> None:
    """Chromium would end with its worker anyway; this way it ends well."""
    from crawler.providers import browser

    browser.close()
