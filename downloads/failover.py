"""Which extractor is asked next, and how each is doing: rows that staff order, limit and switch off."""

import logging
import time
from datetime import timedelta

import redis.exceptions
from django.core.cache import cache
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crawler.providers.errors import Blocked, Changed, LoginRequired
from downloads.extractors import EXTRACTORS
from downloads.models import Extractor
from jobs.errors import JobError, Snooze

logger = logging.getLogger(__name__)

FAILURES_TO_REST = 5


def extractors_for(platform: str) -> list[Extractor]:
    """The rows of a platform in their order; those that the code knows and the table does not are added."""
    rows = list(Extractor.objects.filter(platform=platform, name__in=EXTRACTORS))
    if len(rows) < len(EXTRACTORS):
        Extractor.objects.bulk_create(
            [
                Extractor(name=name, platform=platform, priority=entry.priority, most_per_minute=entry.most_per_minute)
                for name, entry in EXTRACTORS.items()
            ],
            ignore_conflicts=True,
        )
        rows = list(Extractor.objects.filter(platform=platform, name__in=EXTRACTORS))
    return [row for row in rows if row.is_enabled]


def rest_left(extractor: Extractor) -> timedelta:
    """How long it must not be asked yet, by its cool-down or its limit per minute; counts the use if it may be."""
    now = timezone.now()
    if extractor.cooling_until and extractor.cooling_until > now:
        return extractor.cooling_until - now
    seconds = int(time.time())
    key = f"extractor:{extractor.pk}:{seconds // 60}"
    try:
        cache.add(key, 0, timeout=120)
        used = cache.incr(key)
    except (redis.exceptions.RedisError, OSError, ValueError):
        return timedelta(0)  # without Redis nothing is counted: slower is worse than a little too fast
    return timedelta(0) if used <= extractor.most_per_minute else timedelta(seconds=60 - seconds % 60)


def note_success(extractor: Extractor) -> None:
    Extractor.objects.filter(pk=extractor.pk).update(
        successes=F("successes") + 1, failures_in_a_row=0, last_success_at=timezone.now(), last_error=""
    )


def note_failure(extractor: Extractor, error: JobError) -> None:
    """Count it; let the extractor rest when the platform refuses it, asks for a pause, or it failed often in a row."""
    rows = Extractor.objects.filter(pk=extractor.pk)
    rows.update(
        failures=F("failures") + 1,
        failures_in_a_row=F("failures_in_a_row") + 1,
        last_error=f"{error.code}: {error.message}"[:1000],
    )
    pause = timedelta(seconds=extractor.cool_down_seconds)
    if isinstance(error, Snooze):
        pause = error.retry_after
    elif not isinstance(error, (Blocked, LoginRequired, Changed)):
        rows = rows.filter(failures_in_a_row__gte=FAILURES_TO_REST)
    until = timezone.now() + pause
    if rows.filter(Q(cooling_until=None) | Q(cooling_until__lt=until)).update(cooling_until=until):
        logger.warning("An extractor rests", extra={"extractor": str(extractor), "code": error.code})


def all_resting(shortest: timedelta) -> Snooze:
    """What to raise when nobody may be asked now."""
    return Snooze(
        _("Every way to this platform rests for the moment."),
        retry_after=max(shortest, timedelta(seconds=5)),
        code="rate_limited",
        outcome="rate_limited",
    )
