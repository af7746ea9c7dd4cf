"""Rows that only grow, and that nobody asks for after a while."""

from datetime import datetime, timedelta

from constance import config
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from knox.models import AuthToken

from crawler import orders
from jobs import kinds
from jobs.models import State
from monitoring import passes

AUDIT_TRAIL = timedelta(days=730)
KEPT_KINDS = {"download"}  # somebody's history refers to them; they go with their video
BATCH = 5000


def keep_house(now: datetime) -> dict[str, int]:
    """Remove what has expired; return how many rows of each sort."""
    removed = {
        **{f"{kind.name}_jobs": _forget_ended(kind, now) for kind in kinds.all_kinds() if kind.name not in KEPT_KINDS},
        "sessions": Session.objects.filter(expire_date__lt=now).delete()[0],
        "tokens": AuthToken.objects.filter(expiry__lt=now).delete()[0],
        "audit_entries": LogEntry.objects.filter(action_time__lt=now - AUDIT_TRAIL).delete()[0],
        "passes": passes.trim(),
        "webhooks": orders.forget(now),
    }
    return {name: count for name, count in removed.items() if count}


def _forget_ended(kind: kinds.JobKind, now: datetime) -> int:
    """Jobs that ended well long ago; those that failed stay until a person has dealt with them."""
    jobs = kind.get_model().objects
    before, deleted = now - timedelta(days=max(1, config.JOB_HISTORY_DAYS)), 0
    while True:
        ended = jobs.filter(state__in=[State.COMPLETED, State.CANCELLED], finalized_at__lt=before)
        ids = list(ended.order_by("pk").values_list("pk", flat=True)[:BATCH])
        if not ids:
            return deleted
        deleted += jobs.filter(pk__in=ids).delete()[0]
