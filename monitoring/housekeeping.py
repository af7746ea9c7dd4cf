"""Rows that only grow, and that nobody asks for after a while."""

from datetime import datetime, timedelta

from constance import config
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from knox.models import AuthToken

from crawler.models import CrawlJob
from jobs.models import State
from monitoring import passes

AUDIT_TRAIL = timedelta(days=730)


def keep_house(now: datetime) -> dict[str, int]:
    """Remove what has expired; return how many rows of each sort."""
    old_crawls = CrawlJob.objects.filter(
        state__in=[State.COMPLETED, State.CANCELLED], finalized_at__lt=now - timedelta(days=max(1, config.CRAWL_HISTORY_DAYS))
    )
    removed = {
        "sessions": Session.objects.filter(expire_date__lt=now).delete()[0],
        "tokens": AuthToken.objects.filter(expiry__lt=now).delete()[0],
        "crawls": old_crawls.delete()[0],
        "audit_entries": LogEntry.objects.filter(action_time__lt=now - AUDIT_TRAIL).delete()[0],
        "passes": passes.trim(),
    }
    return {name: count for name, count in removed.items() if count}
