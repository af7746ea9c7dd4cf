"""Where to look next: which videos are worth another observation now, within what each platform may be asked.

Lead time is bounded by the interval between observations, so young and promising videos are seen more often: after half an
hour, 1, 2, 4 and 8 hours of age, then every 12 to 24 hours, and every half hour while they are watched or surge. What a
source's own look observes counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from constance.utils import get_values_for_keys
from django.db import connection
from django.db.models import Count, Q
from django.utils import timezone

from crawler import pauses
from crawler.access import is_paid
from crawler.models import ObserveJob
from crawler.observing import request_observations
from crawler.providers import registry

OLDEST = timedelta(days=14)
"""Older videos are left to their sources, unless they surge."""
SHARE_PER_PASS = 6
"""A pass asks for at most this part of an hour's budget, so that an hour's looks are spread over it."""

# (upper age in hours, interval in hours, why)
BY_AGE = (
    (1, 0.5, "under 1 h old"),
    (2, 1.0, "under 2 h old"),
    (4, 2.0, "under 4 h old"),
    (8, 4.0, "under 8 h old"),
    (24, 8.0, "under a day old"),
)
SURGING, WATCHED, PROMISING, OTHER = (0.5, "surging"), (0.5, "watched"), (12.0, "promising"), (24.0, "once a day")
PROMISING_FROM = 0.2
"""Virality from which a video older than a day is seen twice a day."""

_CASES = "".join(f" WHEN age < {age} THEN {{{place}}}" for place, (age, _hours, _why) in enumerate(BY_AGE, start=2))
_RULE = (
    "CASE WHEN surge = 'open' THEN {0} WHEN surge IN ('watch', 'peaked') THEN {1}"
    + _CASES
    + f" WHEN virality >= {PROMISING_FROM} THEN {{{len(BY_AGE) + 2}}} ELSE {{{len(BY_AGE) + 3}}} END"
)
_ORDER = [SURGING, WATCHED, *((hours, why) for _age, hours, why in BY_AGE), PROMISING, OTHER]
_INTERVAL = _RULE.format(*(str(hours) for hours, _why in _ORDER))
_REASON = _RULE.format(*(f"'{why}'" for _hours, why in _ORDER))

_PLANNED = f"""
    WITH known AS (
        SELECT v.id AS video_id, v.platform, s.last_at, coalesce(score.virality, 0) AS virality, surge.state AS surge,
               extract(epoch FROM %(now)s - coalesce(v.published_at, s.first_at))::float8 / 3600 AS age
        FROM crawler_video v
        JOIN ranking_counterstate s ON s.video_id = v.id
        LEFT JOIN ranking_score score ON score.video_id = v.id
        LEFT JOIN ranking_surge surge ON surge.video_id = v.id AND surge.state <> 'cleared'
        WHERE v.gone_at IS NULL AND v.platform = ANY(%(platforms)s)
          AND (v.published_at > %(oldest)s OR surge.id IS NOT NULL)
    ), planned AS (
        SELECT *, {_INTERVAL} AS interval_hours, {_REASON} AS reason FROM known
    )
    SELECT video_id, platform, reason, interval_hours, last_at,
           last_at + make_interval(secs => interval_hours * 3600) AS due_at
    FROM planned
    WHERE last_at + make_interval(secs => interval_hours * 3600) <= %(until)s
      AND NOT EXISTS (
          SELECT FROM crawler_observejob job
          WHERE job.video_id = planned.video_id AND job.state IN ('pending', 'running', 'retrying')
      )
    ORDER BY interval_hours, virality DESC, due_at, video_id
    LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Planned:
    video_id: int
    platform: str
    reason: str
    interval_hours: float
    last_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Cost:
    """What a platform was asked for beyond its sources, against what it may be."""

    platform: str
    budget_per_hour: int
    asked_last_hour: int
    asked_last_day: int

    @property
    def left(self) -> int:
        return max(self.budget_per_hour - self.asked_last_hour, 0)


def planned(until: datetime, *, most: int = 1000, platforms: Iterable[str] | None = None) -> list[Planned]:
    """What is due by `until`, the most urgent first."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            _PLANNED,
            {
                "now": now,
                "until": until,
                "oldest": now - OLDEST,
                "most": most,
                "platforms": list(registry.PLATFORMS if platforms is None else platforms),
            },
        )
        return [Planned(*row) for row in cursor.fetchall()]


def costs() -> list[Cost]:
    """Per platform; two queries."""
    budgets = budgets_per_hour()
    now = timezone.now()
    asked = {
        row["video__platform"]: (row["hour"], row["day"])
        for row in ObserveJob.objects.filter(created_at__gt=now - timedelta(days=1))
        .values("video__platform")
        .annotate(day=Count("pk"), hour=Count("pk", filter=Q(created_at__gt=now - timedelta(hours=1))))
        .order_by()
    }
    return [Cost(platform, budgets[platform], *asked.get(platform, (0, 0))) for platform in registry.PLATFORMS]


def budgets_per_hour() -> dict[str, int]:
    """How many videos of each platform may be looked at singly in an hour; staff set it, 0 switches it off.

    Where a look may cost money, both limits hold: the smaller one.
    """
    keys = ["OBSERVATIONS_PER_HOUR", "PAID_OBSERVATIONS_PER_HOUR"]
    values = get_values_for_keys(keys)
    free, paid = (max(int(values[key]), 0) for key in keys)
    return {platform: min(free, paid) if is_paid(platform) else free for platform in registry.PLATFORMS}


def ask() -> dict[str, int]:
    """Ask the crawler for what is due and affordable; return how many per platform."""
    asked = {}
    silent = pauses.silent_platforms()
    for cost in costs():
        if cost.platform in silent:
            continue
        most = min(cost.left, -(-cost.budget_per_hour // SHARE_PER_PASS))
        due = planned(timezone.now(), most=most, platforms=[cost.platform]) if most else []
        if due:
            asked[cost.platform] = request_observations({look.video_id: look.reason for look in due})
    return asked
