"""What is usual on each platform, from its own videos: sizes, the top level, and rates by age."""

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from ranking import pulse, surges
from ranking.models import Baseline, CounterState, Family
from ranking.scoring.state import METRICS

LEAST_VIDEOS = 30
AGE_EDGES_HOURS = (2, 6, 12, 24, 48, 96, 168, 336)
"""Ages below the first are bucket 0, from the last on bucket 8."""
RESCALE_FROM = 0.2
"""A change of the top level by less than this (relative) is not worth scoring everything anew."""
FEW_VIDEOS = 2_000
"""Among fewer what is usual moves with each page, and looking costs milliseconds."""
LASTS = timedelta(minutes=15)
"""Among more it is looked for no sooner than this."""

_PRIMARY = {Family.VIEWS: METRICS.index("views") + 1, Family.REACTIONS: METRICS.index("likes") + 1}

_REFRESH = """
    WITH video AS (
        SELECT v.platform, CASE WHEN s.raw[%(views)s] > 0 THEN 'views' ELSE 'reactions' END AS family,
               CASE WHEN s.raw[%(views)s] > 0 THEN s.raw[%(views)s] ELSE s.raw[%(likes)s] END::float8 AS size,
               ln(1 + CASE WHEN s.raw[%(views)s] > 0 THEN s.fast[%(views)s] ELSE s.fast[%(likes)s] END) AS rate,
               CASE WHEN v.published_at <= s.last_at THEN
                   width_bucket(extract(epoch FROM s.last_at - v.published_at)::float8 / 3600, %(edges)s::float8[])
               END AS age_bucket
        FROM ranking_counterstate s JOIN crawler_video v ON v.id = s.video_id
    ), placed AS (
        SELECT *, -1 AS bucket FROM video WHERE size IS NOT NULL
        UNION ALL
        SELECT *, age_bucket FROM video WHERE size IS NOT NULL AND age_bucket IS NOT NULL
    ), middle AS (
        SELECT platform, family, bucket, count(*) AS videos,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY size) AS median_size,
               percentile_cont(0.95) WITHIN GROUP (ORDER BY size) AS level,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY rate) AS median_rate
        FROM placed GROUP BY platform, family, bucket
        HAVING count(*) >= %(least)s
    ), spread AS (
        SELECT platform, family, bucket,
               percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(placed.rate - middle.median_rate)) AS spread_rate
        FROM placed JOIN middle USING (platform, family, bucket)
        GROUP BY platform, family, bucket
    )
    INSERT INTO ranking_baseline AS old
        (platform, family, age_bucket, videos, median_size, level, median_rate, spread_rate, computed_at)
    SELECT platform, family, bucket, videos, median_size, level, median_rate, spread_rate, now()
    FROM middle JOIN spread USING (platform, family, bucket)
    ON CONFLICT (platform, family, age_bucket) DO UPDATE SET
        videos = excluded.videos, median_size = excluded.median_size, median_rate = excluded.median_rate,
        spread_rate = excluded.spread_rate, computed_at = excluded.computed_at,
        level = CASE
            WHEN abs(excluded.level - old.level) > %(rescale)s * old.level THEN excluded.level ELSE old.level END
"""


def refresh() -> int:
    """Compute all baselines anew; return how many rows there are. Scores follow where a platform's top level moved."""
    with transaction.atomic():
        before = _levels()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute(
                _REFRESH,
                {
                    "views": _PRIMARY[Family.VIEWS],
                    "likes": _PRIMARY[Family.REACTIONS],
                    "edges": list(AGE_EDGES_HOURS),
                    "least": LEAST_VIDEOS,
                    "rescale": RESCALE_FROM,
                },
            )
        after = _levels()
        moved = {family for (platform, family), level in after.items() if before.get((platform, family)) != level}
        for family in sorted(moved):
            pulse.rescore(family)
        if moved:
            surges.judge_again()
    return Baseline.objects.count()


def refresh_if_due() -> int:
    """As `refresh` where the last one is old, or where few videos were known and there are new ones; else 0."""
    computed = Baseline.objects.aggregate(newest=Max("computed_at"))["newest"]
    if computed is not None and computed > timezone.now() - LASTS:
        states = CounterState.objects
        if states.all()[:FEW_VIDEOS].count() == FEW_VIDEOS or not states.filter(first_at__gt=computed).exists():
            return 0
    return refresh()


def age_bucket(age_hours: float) -> int:
    return sum(age_hours >= edge for edge in AGE_EDGES_HOURS)


def _levels() -> dict[tuple[str, str], float]:
    rows = Baseline.objects.filter(age_bucket=-1).values_list("platform", "family", "level")
    return {(platform, family): level for platform, family, level in rows}
