"""Which extractor is asked next, and how each is doing: rows that staff order, limit and switch off."""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta

import redis.exceptions
from django.conf import settings
from django.core.cache import cache
from django.db.models import F, Q
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from crawler import outbound
from crawler.access import access_for
from crawler.links import site_url
from crawler.providers.base import Access
from crawler.providers.errors import Blocked, Changed, LoginRequired, ServiceRefused
from downloads.extractors import EXTRACTORS
from downloads.models import Extractor
from jobs.errors import JobError, Snooze

logger = logging.getLogger(__name__)

FAILURES_TO_REST = 5
BY_CRAWL = "crawl_url"
"""It knows the addresses that crawls found, and where to find no other."""


def available() -> list[str]:
    """The extractors that can be asked here: those of a server of our own only where its address is set."""
    return [name for name, entry in EXTRACTORS.items() if not entry.base_url_setting or _setting(entry.base_url_setting)]


def extractors_for(platform: str) -> list[Extractor]:
    """The rows of a platform in their order; those that the code knows and the table does not are added."""
    names = available()
    rows = list(Extractor.objects.filter(platform=platform, name__in=names))
    if len(rows) < len(names):
        Extractor.objects.bulk_create(
            [
                Extractor(
                    name=name,
                    platform=platform,
                    priority=EXTRACTORS[name].priority,
                    most_per_minute=EXTRACTORS[name].most_per_minute,
                    most_per_hour=EXTRACTORS[name].most_per_hour,
                )
                for name in names
            ],
            ignore_conflicts=True,
        )
        rows = list(Extractor.objects.filter(platform=platform, name__in=names))
    return [row for row in rows if row.is_enabled]


def ways() -> dict[str, list[Extractor]]:
    """The enabled extractors that have done or tried something, by platform; one query. The others may not suit the platform."""
    found: dict[str, list[Extractor]] = {}
    rows = Extractor.objects.filter(is_enabled=True, name__in=available())
    for row in rows.filter(Q(successes__gt=0) | Q(failures__gt=0)):
        found.setdefault(row.platform, []).append(row)
    return found


def access_of(name: str, platform: str) -> Access:
    """What an extractor may use: the platform's own access, or that of the server of ours which it asks."""
    entry = EXTRACTORS[name]
    if not entry.base_url_setting:
        return access_for(platform)
    base_url, proxy = _setting(entry.base_url_setting), _setting(entry.proxy_setting)
    return Access(
        provider=name,
        base_url=base_url,
        site_url=site_url(platform),
        key=_setting(entry.key_setting),
        proxy=proxy,
        door=outbound.door_to(base_url, proxy=proxy),
    )


def _setting(name: str) -> str:
    return str(getattr(settings, name)) if name else ""


def rest_left(extractor: Extractor) -> timedelta:
    """How long it must not be asked yet, by its cool-down or its limits; counts the use if it may be."""
    now = timezone.now()
    if extractor.cooling_until and extractor.cooling_until > now:
        return extractor.cooling_until - now
    # The minute first: what it refuses is not counted in the hour.
    for length, most in ((60, extractor.most_per_minute), (3600, extractor.most_per_hour)):
        if (length == 60 or most) and (left := _used_up(extractor, length, most)):
            return left
    return timedelta(0)


def _used_up(extractor: Extractor, length: int, most: int) -> timedelta:
    """Count one use in the present minute or hour (`length`, seconds); how long until the next if that is one too many."""
    seconds = int(time.time())
    key = f"extractor:{extractor.pk}:{length}:{seconds // length}"
    try:
        cache.add(key, 0, timeout=2 * length)
        used = cache.incr(key)
    except (redis.exceptions.RedisError, OSError, ValueError):
        return timedelta(0)  # without Redis nothing is counted: slower is worse than a little too fast
    return timedelta(0) if used <= most else timedelta(seconds=length - seconds % length)


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
    elif not isinstance(error, (Blocked, LoginRequired, Changed, ServiceRefused)):
        rows = rows.filter(failures_in_a_row__gte=FAILURES_TO_REST)
    until = timezone.now() + pause
    if rows.filter(Q(cooling_until=None) | Q(cooling_until__lt=until)).update(cooling_until=until):
        logger.warning("An extractor rests", extra={"extractor": str(extractor), "code": error.code})


def all_resting(resting: Sequence[Extractor], shortest: timedelta) -> Snooze:
    """What to raise when nobody may be asked now: it says what each of those in cool-down complained of."""
    message, now = _("Every way to this platform rests for the moment."), timezone.now()
    for extractor in resting:
        if extractor.last_error and extractor.cooling_until and extractor.cooling_until > now:
            said = {"name": extractor.name, "error": Truncator(extractor.last_error).chars(200)}
            message += " " + _("%(name)s last said %(error)s") % said
    return Snooze(message, retry_after=max(shortest, timedelta(seconds=5)), code="rate_limited", outcome="rate_limited")
